//! `POST /update` and `POST /clear`: corrects a product, or undoes that. `POST /accept`: accepts what a source holds.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web,
};
use serde::Deserialize;
use tributary_engine::{AcceptError, EditRequest, EditTerms, Entrance};

use crate::http::{
    pages::{
        overview::{self, Form},
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
    let complain = |complaint: String| Form { complaint: Some(complaint), ..form };
    let (sku, change) = match correction {
        Ok(correction) => correction,
        Err(ApiError::Invalid(why)) => {
            return overview::page(&app, StatusCode::UNPROCESSABLE_ENTITY, complain(sentence(&why))).await;
        }
        Err(other) => return Err(other),
    };
    if !app.engine.change_edit(&sku, change, EditTerms { only_if_shown: true, ..terms(&request) }).await? {
        let why = format!("No product with the sku “{sku}” is shown, so nothing was changed.");
        return overview::page(&app, StatusCode::NOT_FOUND, complain(why)).await;
    }
    Ok(see(&sku))
}

/// The sku of a form that undoes a correction.
#[derive(Debug, Deserialize)]
struct Undone {
    #[serde(default)]
    sku: String,
}

/// Removes the edit of a sku. A form cannot send DELETE.
pub(crate) async fn clear(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Undone { sku } = input::form(&request, payload).await?;
    let sku = input::sku(&sku)?;
    app.engine.change_edit(&sku, EditRequest::Clear, terms(&request)).await?;
    Ok(see(&sku))
}

/// Acceptance by a person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    #[serde(default)]
    source: String,
    /// Digest of what the page showed, so that nothing else is accepted.
    #[serde(default)]
    digest: String,
    /// The page on which the button was pressed.
    #[serde(default)]
    back: String,
}

/// Accepts what a source holds.
pub(crate) async fn accept(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Accepted { source, digest, back } = input::form(&request, payload).await?;
    match app.engine.accept_held(&source, Some(digest)).await {
        // The button was pressed twice, or what it was for is over: the page says what holds now.
        Ok(()) | Err(AcceptError::NothingHeld(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let back = if is_own_path(&back) { back.as_str() } else { "/#sources-heading" };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, back)).finish())
}

/// Whether a text is a path of this server. `//` and `/\` begin the address of another one, and browsers skip tabs and line ends.
fn is_own_path(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain && text.starts_with('/') && !text.starts_with("//") && !text.contains('\\')
}

/// Terms of an edit by the form.
fn terms(request: &HttpRequest) -> EditTerms {
    EditTerms { author: input::author(request, Entrance::Form), ..EditTerms::default() }
}

fn see(sku: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/?sku={}", encoded(sku)))).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_leads_to_another_server() {
        for own in ["/", "/sources", "/sources/n%C3%B6rth?files=all#held"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in [
            "",
            "sources",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "http://evil.example",
            "/a b",
            "/n\u{f6}",
        ] {
            assert!(!is_own_path(other), "{other:?}");
        }
    }
}
