//! `/api/v1/products/{sku}` and its edit: one product, seen and corrected.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tributary_engine::{EditRequest, EditTerms, Entrance};
use utoipa::ToSchema;

use crate::http::{
    api::{
        entity_tag::{ProductTag, expected},
        members::Members,
        product_views::{Edit, Offer, Product, ProductDetail},
    },
    server::{App, error::ApiError, input, sender},
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
        (status = 304, description = "The client has it already: its tag is in `If-None-Match`"),
        (status = 404, description = "Not shown; the problem carries `offers` and `edit`"),
    ))]
pub(crate) async fn get(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let current = Current::read(&app, &input::path_sku(&request)?).await?;
    if current.is_shown() && current.tag.is_known(&request)? {
        return Ok(HttpResponse::NotModified().insert_header(current.tag.header()).finish());
    }
    current.answer(StatusCode::OK)
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
        (status = 412, description = "The product is not as `If-Match` says; the problem carries it as `current`"),
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
    let was_shown = app.engine.change_edit(&sku, EditRequest::Replace(texts), terms(&request, Entrance::Api)?).await?;
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
        (status = 412, description = "The product is not as `If-Match` says; the problem carries it as `current`"),
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
    let terms = EditTerms { only_if_shown: true, ..terms(&request, Entrance::Api)? };
    app.engine.change_edit(&sku, EditRequest::Patch(members.checked()?), terms).await?;
    shown(&app, &sku, StatusCode::OK).await
}

/// Hides a product.
///
/// Replaces its edit. PUT, or removing the edit, shows it again.
#[utoipa::path(delete, path = "/api/v1/products/{sku}", operation_id = "hide_product", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses(
        (status = 204, description = "It is not shown, whether or not it was before"),
        (status = 412, description = "The product is not as `If-Match` says; the problem carries it as `current`"),
    ))]
pub(crate) async fn hide(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let terms = terms(&request, Entrance::Api)?;
    app.engine.change_edit(&input::path_sku(&request)?, EditRequest::Hide, terms).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes an edit.
///
/// The winner's name and description are shown again, if there is a winner.
#[utoipa::path(delete, path = "/api/v1/products/{sku}/edit", operation_id = "clear_edit", tag = "products",
    params(("sku" = String, Path, description = "Percent-encoded, `/` included")),
    responses(
        (status = 204, description = "There is no edit, whether or not there was one"),
        (status = 412, description = "The product is not as `If-Match` says; the problem carries it as `current`"),
    ))]
pub(crate) async fn clear(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let terms = terms(&request, Entrance::Api)?;
    app.engine.change_edit(&input::path_sku(&request)?, EditRequest::Clear, terms).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Terms of an edit that a request makes: who sends it, and the product that it expects.
///
/// # Errors
/// A condition cannot be parsed.
pub(crate) fn terms(request: &HttpRequest, entrance: Entrance) -> Result<EditTerms, ApiError> {
    Ok(EditTerms { author: sender::author(request, entrance), expected: expected(request)?, only_if_shown: false })
}

/// Answers with the product as shown now, or 404 with what is known of the sku.
async fn shown(app: &App, sku: &str, status: StatusCode) -> Result<HttpResponse, ApiError> {
    Current::read(app, sku).await?.answer(status)
}

/// A sku as it is now, with its tag.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) sku: String,
    /// None if it is not shown.
    product: Option<Product>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) edit: Option<Edit>,
    pub(crate) tag: ProductTag,
}

impl Current {
    pub(crate) fn new(detail: tributary_engine::ProductDetail) -> Self {
        let version = detail.version();
        let tributary_engine::ProductDetail { sku, product, offers, edit } = detail;
        let offers: Vec<_> = offers.into_iter().map(Offer::from).collect();
        let (product, edit) = (product.map(Product::from), edit.map(Edit::from));
        // Texts, numbers and flags can always be written.
        let body = serde_json::to_vec(&(&product, &offers, &edit)).unwrap_or_default();
        let tag = ProductTag::new(&version, &body);
        Self { sku, product, offers, edit, tag }
    }

    /// Reads a sku.
    pub(crate) async fn read(app: &App, sku: &str) -> Result<Self, ApiError> {
        Ok(Self::new(app.engine.product(sku).await?))
    }

    pub(crate) fn is_shown(&self) -> bool {
        self.product.is_some()
    }

    /// The answer of `GET`; none if the product is not shown.
    pub(crate) fn detail(&self) -> Option<ProductDetail> {
        let product = self.product.clone()?;
        Some(ProductDetail { product, offers: self.offers.clone(), edit: self.edit.clone() })
    }

    /// Answers with the product, or 404 with what is known of the sku.
    pub(crate) fn answer(self, status: StatusCode) -> Result<HttpResponse, ApiError> {
        match self.detail() {
            Some(detail) => Ok(HttpResponse::build(status).insert_header(self.tag.header()).json(detail)),
            None => Err(ApiError::NotShown(Box::new(self))),
        }
    }
}
