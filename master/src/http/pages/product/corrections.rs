//! `POST /update`, `/hide`, `/clear` and `/undo`: corrects a product, or undoes that.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use tributary_engine::{Author, EditError, EditRequest, EditTerms, Entrance};

use crate::http::{
    pages::{
        overview,
        product::{
            Form,
            deed::{self, Deed},
            form::expected,
            page,
        },
        text::wording::sentence,
    },
    server::{App, error::ApiError, input, sender},
};

/// Sets what is not blank as an edit and redirects to the product. Enter in a form with nothing but a sku looks that up.
pub(crate) async fn update(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let mut fields: Vec<(String, String)> = input::form(&request, payload).await?;
    // Not blank if the form was submitted with Enter, which presses its first button (HTML standard, implicit submission).
    let enter = fields.iter().position(|(name, _)| name == "enter").map(|at| fields.remove(at).1);
    let form = Form::new(fields, &app.engine.catalog())?;
    if form.is_blank() && enter.is_some_and(|enter| !enter.is_empty()) {
        return Ok(deed::shown(&form.sku));
    }
    // Somebody may type another sku after the form has offered to create one.
    let creates = form.create.as_ref() == Some(&form.sku);
    let (sku, change, terms) = match form.request(creates, author(&request)) {
        Ok(asked) => asked,
        Err(ApiError::Invalid(why)) => {
            let form = Form { complaint: Some(sentence(&why)), ..form };
            return overview::page(&app, StatusCode::UNPROCESSABLE_ENTITY, form).await;
        }
        Err(other) => return Err(other),
    };
    match app.engine.change_edit(&sku, change, terms).await {
        Ok(_) if creates => Ok(Deed::Created.on_overview(&sku)),
        Ok(true) => Ok(Deed::Saved.on_overview(&sku)),
        Ok(false) => {
            let why = format!("No product with the SKU “{sku}” is shown, so nothing was changed.");
            overview::page(&app, StatusCode::NOT_FOUND, Form { complaint: Some(why), ..form }).await
        }
        Err(EditError::Stale(_)) => page::stale(&app, form).await,
        Err(other) => Err(other.into()),
    }
}

/// The fields of a form that takes something back, or hides a product.
#[derive(Debug, Deserialize)]
struct OneProduct {
    #[serde(default)]
    sku: String,
    /// The version of the product that the page shows.
    version: Option<String>,
    /// The page that the form is on, if not the usual one: `product` or `overview`.
    page: Option<String>,
}

impl OneProduct {
    fn terms(&self, request: &HttpRequest) -> EditTerms {
        EditTerms { author: author(request), expected: expected(self.version.clone()), ..EditTerms::default() }
    }
}

/// Removes the edit of a sku. A form cannot send DELETE.
pub(crate) async fn clear(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let form: OneProduct = input::form(&request, payload).await?;
    let sku = input::sku(&form.sku)?;
    let done = if form.page.is_some() { Deed::Undone.on_product(&sku) } else { Deed::Undone.on_overview(&sku) };
    unless_stale(&app, &sku, EditRequest::Clear, form.terms(&request), done).await
}

/// Hides a product.
pub(crate) async fn hide(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let form: OneProduct = input::form(&request, payload).await?;
    let sku = input::sku(&form.sku)?;
    let is_on_overview = form.page.as_deref() == Some("overview");
    let done = if is_on_overview { Deed::Hidden.on_overview(&sku) } else { Deed::Hidden.on_product(&sku) };
    unless_stale(&app, &sku, EditRequest::Hide, form.terms(&request), done).await
}

/// Changes an edit and answers with `done`; with the page if the product has changed since it was shown.
async fn unless_stale(
    app: &App,
    sku: &str,
    change: EditRequest,
    terms: EditTerms,
    done: HttpResponse,
) -> Result<HttpResponse, ApiError> {
    match app.engine.change_edit(sku, change, terms).await {
        Ok(_) => Ok(done),
        Err(EditError::Stale(_)) => page::stale(app, Form { sku: sku.to_owned(), ..Form::default() }).await,
        Err(other) => Err(other.into()),
    }
}

/// One thing to undo: a change in the history, or what a column is corrected to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Undone {
    #[serde(default)]
    sku: String,
    id: Option<i64>,
    column: Option<String>,
}

/// Undoes an edit, or the correction of one column.
pub(crate) async fn undo(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Undone { sku, id, column } = input::form(&request, payload).await?;
    let sku = input::sku(&sku)?;
    let change = match (id, column) {
        (Some(id), None) => EditRequest::Undo(id),
        (None, Some(column)) => EditRequest::TakeBack(column),
        _ => return Err(ApiError::Invalid("say what to undo: the `id` of a change, or a `column`".to_owned())),
    };
    let terms = EditTerms { author: author(&request), ..EditTerms::default() };
    app.engine.change_edit(&sku, change, terms).await?;
    Ok(Deed::Undone.on_product(&sku))
}

fn author(request: &HttpRequest) -> Author {
    sender::author(request, Entrance::Form)
}
