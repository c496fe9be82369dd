//! `/api/v1/products/{sku}` and its edit: one product, seen and corrected.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::EditRequest;
use utoipa::ToSchema;

use crate::http::{
    api::{
        members::Members,
        product_views::{Edit, Offer, ProductDetail},
    },
    server::{
        App,
        error::{ApiError, NotShown},
        input,
    },
};

/// The body of PUT: texts of columns. Of the own columns any may be missing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes `Members`, which has the columns of the catalog")]
pub(crate) struct Replacement {
    /// The name to show.
    #[schema(max_length = 2048)]
    name: String,
    /// The description to show.
    description: String,
}

/// The body of PATCH: texts of columns. A missing member keeps that column's edit, `null` clears it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes `Members`, which has the columns of the catalog")]
pub(crate) struct Patch {
    /// The name to show, or null for the winner's.
    #[schema(max_length = 2048)]
    name: Option<String>,
    /// The description to show, or null for the winner's.
    description: Option<String>,
}

/// One product.
///
/// With every current offer for its sku and its edit.
#[utoipa::path(get, path = "/api/v1/products/{sku}", operation_id = "get_product", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses(
        (status = 200, body = ProductDetail, description = "As it is shown"),
        (status = 404, description = "Not shown; the problem carries `offers` and `edit`"),
    ))]
pub(crate) async fn get(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sku = input::path_sku(&request)?;
    shown(&app, &sku, StatusCode::OK).await
}

/// Sets the columns.
///
/// Replaces the edit. The product is then shown even if no source offers it.
#[utoipa::path(put, path = "/api/v1/products/{sku}", operation_id = "put_product", tag = "products", request_body = Replacement,
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses(
        (status = 200, body = ProductDetail, description = "As it is shown now"),
        (status = 201, body = ProductDetail, description = "As it is shown now; it was not before"),
        (status = 400, description = "The body is no JSON"),
        (status = 413, description = "The body is too long"),
        (status = 422, description = "An unknown member, a wrong type, or a text that is too long"),
    ))]
pub(crate) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let sku = input::path_sku(&request)?;
    let members: Members = input::json(payload).await?;
    for column in ["name", "description"] {
        if members.0.iter().all(|(name, text)| name != column || text.is_none()) {
            return Err(ApiError::Invalid(format!("the body does not fit: missing field `{column}`, a text")));
        }
    }
    // Null says the same as leaving it out: the column is not edited.
    let texts = members.checked()?.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
    let was_shown = app.engine.change_edit(&sku, EditRequest::Replace(texts), false).await?;
    shown(&app, &sku, if was_shown { StatusCode::OK } else { StatusCode::CREATED }).await
}

/// Corrects some columns.
///
/// Sets the given columns and keeps the others; `null` clears that column's edit.
#[utoipa::path(patch, path = "/api/v1/products/{sku}", operation_id = "patch_product", tag = "products", request_body = Patch,
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses(
        (status = 200, body = ProductDetail, description = "As it is shown now"),
        (status = 400, description = "The body is no JSON"),
        (status = 404, description = "Not shown; the problem carries `offers` and `edit`"),
        (status = 413, description = "The body is too long"),
        (status = 422, description = "An unknown member, a wrong type, or a text that is too long"),
    ))]
pub(crate) async fn patch(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let sku = input::path_sku(&request)?;
    let members: Members = input::json(payload).await?;
    app.engine.change_edit(&sku, EditRequest::Patch(members.checked()?), true).await?;
    shown(&app, &sku, StatusCode::OK).await
}

/// Hides a product.
///
/// Replaces its edit. PUT, or removing the edit, shows it again.
#[utoipa::path(delete, path = "/api/v1/products/{sku}", operation_id = "hide_product", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses((status = 204, description = "It is not shown, whether or not it was before")))]
pub(crate) async fn hide(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    app.engine.change_edit(&input::path_sku(&request)?, EditRequest::Hide, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes an edit.
///
/// The winner's name and description are shown again, if there is a winner.
#[utoipa::path(delete, path = "/api/v1/products/{sku}/edit", operation_id = "clear_edit", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses((status = 204, description = "There is no edit, whether or not there was one")))]
pub(crate) async fn clear(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    app.engine.change_edit(&input::path_sku(&request)?, EditRequest::Clear, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Answers with the product as shown now, or 404 with what is known of the sku.
async fn shown(app: &App, sku: &str, status: StatusCode) -> Result<HttpResponse, ApiError> {
    let tributary_engine::ProductDetail { product, offers, edit } = app.engine.product(sku).await?;
    let (offers, edit) = (offers.into_iter().map(Offer::from).collect(), edit.map(Edit::from));
    match product {
        Some(product) => Ok(HttpResponse::build(status).json(ProductDetail { product: product.into(), offers, edit })),
        None => Err(ApiError::NotShown(Box::new(NotShown { sku: sku.to_owned(), offers, edit }))),
    }
}
