//! The page at `/upload`: a form and the latest uploads.

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web,
};
use tributary_engine::{UploadRequest, Uploads};

use super::templates::{UploadPage, answer};
use crate::http::{
    api::{
        upload::{apart, drain, filename, is_form, is_plain, next_field, receive},
        uploads,
    },
    server::{App, error::ApiError},
};

/// Maximum uploads on the page.
const SHOWN: usize = 30;

/// Shows a form and the latest uploads.
pub(crate) async fn show(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut all = uploads::all(&app, None).await?;
    all.truncate(SHOWN);
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
    apart(all_files(app.engine.uploads().clone(), request, payload)).await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/upload")).finish())
}

/// The field `replace` comes before the files in our form and applies to all of them.
async fn all_files(uploads: Uploads, request: HttpRequest, payload: web::Payload) -> Result<(), ApiError> {
    let mut form = Multipart::new(request.headers(), payload);
    let (mut may_replace, mut received) = (false, 0);
    while let Some(field) = next_field(&mut form).await? {
        let is_replace = field.name() == Some("replace");
        match filename(&field)? {
            // A browser sends an empty name where no file was chosen.
            Some(filename) if !filename.is_empty() => {
                let offer = UploadRequest { filename, id: None, may_replace, size: None, at_least: 0 };
                receive(uploads.clone(), offer, field).await?;
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
