//! `POST /update`, `/hide`, `/clear` and `/undo`: corrects a product, or undoes that.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web,
};
use serde::Deserialize;
use tributary_engine::{EditError, EditRequest, EditTerms, Entrance, Expected};

use crate::http::{
    pages::{
        overview,
        product::{Form, link, page},
        text::wording::{encoded, sentence},
    },
    server::{App, error::ApiError, input},
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
        return Ok(see(&form.sku));
    }
    let correction = form.correction();
    let (sku, change) = match correction {
        Ok(correction) => correction,
        Err(ApiError::Invalid(why)) => {
            return overview::page(
                &app,
                StatusCode::UNPROCESSABLE_ENTITY,
                Form { complaint: Some(sentence(&why)), ..form },
            )
            .await;
        }
        Err(other) => return Err(other),
    };
    let terms = EditTerms { only_if_shown: true, expected: form.expected(), ..terms(&request) };
    let was_shown = match app.engine.change_edit(&sku, change, terms).await {
        Err(EditError::Stale(_)) => return page::stale(&app, form).await,
        written => written?,
    };
    if !was_shown {
        let why = format!("No product with the sku “{sku}” is shown, so nothing was changed.");
        return overview::page(&app, StatusCode::NOT_FOUND, Form { complaint: Some(why), ..form }).await;
    }
    Ok(see(&sku))
}

/// The fields of a form that takes something back, or hides a product.
#[derive(Debug, Deserialize)]
struct OneProduct {
    #[serde(default)]
    sku: String,
    /// The version of the product that the page shows.
    version: Option<String>,
    /// `product` if the form is on the page of the product.
    page: Option<String>,
}

impl OneProduct {
    fn terms(&self, request: &HttpRequest) -> EditTerms {
        let expected = self.version.clone().map_or(Expected::Anything, |version| Expected::Versions(vec![version]));
        EditTerms { expected, ..terms(request) }
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
    let done = if form.page.is_some() { saved(&sku, "undone") } else { see(&sku) };
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
    unless_stale(&app, &sku, EditRequest::Hide, form.terms(&request), saved(&sku, "hidden")).await
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
    app.engine.change_edit(&sku, change, terms(&request)).await?;
    Ok(saved(&sku, "undone"))
}

/// Terms of an edit by the form.
fn terms(request: &HttpRequest) -> EditTerms {
    EditTerms { author: input::author(request, Entrance::Form), ..EditTerms::default() }
}

/// Leads to the page of a product, which announces what was done.
pub(super) fn saved(sku: &str, what: &str) -> HttpResponse {
    let link = link(sku);
    let sign = if link.contains('?') { "" } else { "?saved=" };
    let what = if sign.is_empty() { "" } else { what };
    HttpResponse::SeeOther().insert_header((LOCATION, format!("{link}{sign}{what}"))).finish()
}

fn see(sku: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/?sku={}", encoded(sku)))).finish()
}
