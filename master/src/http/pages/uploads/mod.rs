//! The page at `/upload`: a form and the latest uploads.

mod template;

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web,
};
use serde::Deserialize;
use tributary_engine::{Inbox, Offer};

use self::template::UploadPage;
use crate::http::{
    api::{
        upload::{apart, drain, filename, is_form, is_plain, next_field, receive},
        uploads,
    },
    pages::frame::answer,
    server::{App, error::ApiError, input, sender},
};

/// Maximum uploads on the page.
const SHOWN: i64 = 30;

/// Shows a form and the latest uploads.
pub(crate) async fn show(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let all = uploads::newest(&app, SHOWN).await?;
    answer(&app, StatusCode::OK, &UploadPage::new(all))
}

/// Receives the form, sent without scripts: all of its files, one after the other.
pub(crate) async fn form(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    if !is_form(request.headers()) {
        return Err(ApiError::UnsupportedMediaType { expected: "multipart/form-data" });
    }
    is_plain(&request)?;
    apart(all_files(app.engine.inbox().clone(), request, payload)).await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/upload")).finish())
}

/// The upload that a form removes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    #[serde(default)]
    id: String,
}

/// Removes an upload: breaks it off, takes its rows back or forgets it. A form cannot send DELETE.
pub(crate) async fn remove(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let Removed { id } = input::form(&request, payload).await?;
    // If it is gone already, the button was pressed twice: the page says what holds now.
    app.engine.inbox().cancel(&id.to_ascii_lowercase(), sender::user(&request)).await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/upload#uploads-heading")).finish())
}

/// The field `replace` comes before the files in our form and applies to all of them.
async fn all_files(inbox: Inbox, request: HttpRequest, payload: web::Payload) -> Result<(), ApiError> {
    let mut form = Multipart::new(request.headers(), payload);
    let (mut may_replace, mut received) = (false, 0);
    while let Some(field) = next_field(&mut form).await? {
        let is_replace = field.name() == Some("replace");
        match filename(&field)? {
            // A browser sends an empty name where no file was chosen.
            Some(filename) if !filename.is_empty() => {
                let sent_by = sender::user(&request);
                let offer = Offer { path: filename, may_replace, is_listed: true, sent_by, ..Offer::default() };
                receive(inbox.clone(), offer, field).await?;
                received += 1;
            }
            _ => may_replace |= drain(field).await? == "1" && is_replace,
        }
    }
    if received == 0 {
        return Err(ApiError::Invalid("choose a file first".to_owned()));
    }
    Ok(())
}
