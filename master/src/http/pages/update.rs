//! `POST /update` and `POST /clear`: corrects a product, or undoes that. `POST /accept`: accepts what a source holds.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web,
};
use serde::Deserialize;
use tributary_engine::{AcceptError, DESCRIPTION, EditChange, NAME};

use crate::http::{
    pages::{
        home,
        templates::Form,
        wording::{encoded, sentence},
    },
    server::{App, error::ApiError, input},
};

/// Fields of the form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    #[serde(default)]
    sku: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    /// Not blank if the form was submitted with Enter, which presses its first button (HTML standard, implicit submission).
    #[serde(default)]
    enter: String,
}

/// Sets what is not blank as an edit and redirects to the product. Enter in a form with nothing but a sku looks that up.
pub(crate) async fn update(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Typed { sku, name, description, enter } = input::form(&request, payload).await?;
    let is_blank = name.trim().is_empty() && description.trim().is_empty();
    if is_blank && !enter.is_empty() {
        return Ok(see(sku.trim()));
    }
    let form = |complaint: String| Form {
        sku: sku.trim().to_owned(),
        name: name.clone(),
        description: description.clone(),
        complaint: Some(complaint),
    };
    let (sku, change) = match correction(&sku, &name, &description) {
        Ok(correction) => correction,
        Err(ApiError::Invalid(why)) => {
            return home::page(&app, StatusCode::UNPROCESSABLE_ENTITY, form(sentence(&why))).await;
        }
        Err(other) => return Err(other),
    };
    if !app.engine.change_edit(&sku, change, true).await? {
        let why = format!("No product with the sku “{sku}” is shown, so nothing was changed.");
        return home::page(&app, StatusCode::NOT_FOUND, form(why)).await;
    }
    Ok(see(&sku))
}

/// Removes the edit of a sku. A form cannot send DELETE.
pub(crate) async fn clear(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Typed { sku, .. } = input::form(&request, payload).await?;
    let sku = input::sku(&sku)?;
    app.engine.change_edit(&sku, EditChange::Clear, false).await?;
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
}

/// Accepts what a source holds.
pub(crate) async fn accept(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Accepted { source, digest } = input::form(&request, payload).await?;
    match app.engine.accept_held(&source, Some(digest)).await {
        // The button was pressed twice, or what it was for is over: the page says what holds now.
        Ok(()) | Err(AcceptError::NothingHeld(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/#sources-heading")).finish())
}

fn correction(sku: &str, name: &str, description: &str) -> Result<(String, EditChange), ApiError> {
    let sku = input::sku(sku)?;
    let set = |column, text: &str, check: fn(&str) -> Result<String, ApiError>| {
        (!text.trim().is_empty()).then(|| Ok::<_, ApiError>((column, Some(check(text)?)))).transpose()
    };
    // A browser sends every line end of a text field as CR LF (HTML standard, form submission); files here have LF.
    let description = description.replace("\r\n", "\n");
    let texts = [set(NAME, name, input::name)?, set(DESCRIPTION, &description, input::description)?];
    let texts: Vec<_> = texts.into_iter().flatten().collect();
    if texts.is_empty() {
        return Err(ApiError::Invalid("give a name or a description, or both; blank ones stay as they are".to_owned()));
    }
    Ok((sku, EditChange::Patch(texts)))
}

fn see(sku: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/?sku={}", encoded(sku)))).finish()
}
