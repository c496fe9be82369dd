//! Receives a file: `POST` and `PUT /api/v1/uploads`, and the form at `/upload`. Processing it is the engine's task.

use std::{fmt::Display, time::Duration};

use actix_multipart::{Field, Multipart};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION},
    web::{self, Bytes},
};
use anyhow::Context;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tributary_engine::{Inbox, InboxError, Offer};
use tributary_http_common::BodyError;
use utoipa::{IntoParams, ToSchema};

use crate::http::server::{App, error::ApiError, input, sender};

/// Maximum bytes of a form's fields and boundaries, without its files.
const AROUND_FILES: u64 = 64 << 10;
/// Time limit of each of them.
const FIELD_TIME: Duration = Duration::from_secs(60);

/// Parameters of an upload.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadQuery {
    /// The file's name; a form's file has one of its own.
    filename: Option<String>,
    /// 32 hex digits that no upload has, to follow it from its first byte.
    id: Option<String>,
    /// `1`: it may replace a file of that name.
    #[param(inline, nullable = false)]
    replace: Option<Replace>,
}

/// Whether a file may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
pub(crate) enum Replace {
    #[serde(rename = "0")]
    No,
    #[serde(rename = "1")]
    Yes,
}

/// An upload that was received.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadId {
    /// The upload's id.
    id: String,
}

/// Uploads a file.
///
/// The body is the file, or a form with it as its first file. The response is sent once the whole file is on disk. `Location` shows
/// its progress.
#[utoipa::path(post, path = "/api/v1/uploads", operation_id = "upload", tag = "uploads", params(UploadQuery),
    request_body(content((Vec<u8> = "application/octet-stream"), (Vec<u8> = "multipart/form-data"))),
    responses(
        (status = 202, body = UploadId, description = "Received as a whole; `Location` says how far it is"),
        (status = 400, description = "The query cannot be understood, or the body ended early"),
        (status = 408, description = "Nothing more of it came for 30 seconds"),
        (status = 409, description = "There is a file of that name, or an upload with that id; or it was cancelled"),
        (status = 413, description = "It is larger than `max_size`"),
        (status = 415, description = "The body is encoded"),
        (status = 422, description = "The file cannot have that name, or the upload that id"),
        (status = 503, description = "Too many are being received"),
        (status = 507, description = "The disk has no room for it"),
    ))]
pub(crate) async fn post(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let query: UploadQuery = input::query(&request)?;
    is_plain(&request)?;
    let id = if is_form(request.headers()) {
        apart(first_file(app.engine.inbox().clone(), query, request, payload)).await?
    } else {
        let size = length(&request);
        let offer = Offer {
            path: query.filename.unwrap_or_default(),
            id: query.id,
            may_replace: query.replace == Some(Replace::Yes),
            size,
            at_least: size.unwrap_or_default(),
            is_listed: true,
            sent_by: sender::user(&request),
            ..Offer::default()
        };
        apart(receive(app.engine.inbox().clone(), offer, payload)).await?
    };
    let location = format!("/api/v1/uploads/{id}");
    Ok(HttpResponse::Accepted().insert_header((LOCATION, location)).json(UploadId { id }))
}

/// The same as POST, for `curl -T`.
#[utoipa::path(put, path = "/api/v1/uploads", operation_id = "put_upload", tag = "uploads", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 202, body = UploadId, description = "Received as a whole; `Location` says how far it is"),
        (status = 400, description = "As of POST"),
        (status = 408, description = "As of POST"),
        (status = 409, description = "As of POST"),
        (status = 413, description = "As of POST"),
        (status = 415, description = "As of POST"),
        (status = 422, description = "As of POST"),
        (status = 503, description = "As of POST"),
        (status = 507, description = "As of POST"),
    ))]
pub(crate) async fn put(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    post(request, app, payload).await
}

/// Runs in its own task, which deletes what was received even if the connection breaks.
pub(crate) async fn apart<T: 'static>(
    work: impl Future<Output = Result<T, ApiError>> + 'static,
) -> Result<T, ApiError> {
    actix_web::rt::spawn(work).await.context("an upload broke off")?
}

pub(crate) async fn receive<E: Display>(
    inbox: Inbox,
    offer: Offer,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<String, ApiError> {
    let admitted = inbox.admit(offer).await?;
    let id = admitted.id().to_owned();
    admitted.receive(body).await?;
    Ok(id)
}

async fn first_file(
    inbox: Inbox,
    query: UploadQuery,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<String, ApiError> {
    let mut form = Multipart::new(request.headers(), payload);
    let at_least = length(&request).unwrap_or_default().saturating_sub(AROUND_FILES);
    while let Some(field) = next_field(&mut form).await? {
        let Some(filename) = filename(&field)? else {
            drain(field).await?;
            continue;
        };
        let filename = query.filename.unwrap_or(filename);
        let may_replace = query.replace == Some(Replace::Yes);
        let offer = Offer {
            path: filename,
            id: query.id,
            may_replace,
            at_least,
            is_listed: true,
            sent_by: sender::user(&request),
            ..Offer::default()
        };
        return receive(inbox, offer, field).await;
    }
    Err(ApiError::Invalid("the form has no file in it".to_owned()))
}

pub(crate) async fn next_field(form: &mut Multipart) -> Result<Option<Field>, ApiError> {
    in_time(form.next()).await?.transpose().map_err(|_| bad_form())
}

fn bad_form() -> ApiError {
    ApiError::BadRequest("the form cannot be read: it ended early, or is not written as multipart/form-data".to_owned())
}

/// Waits for the next part of a form, outside its files, within the time limit.
async fn in_time<T>(next: impl Future<Output = T>) -> Result<T, ApiError> {
    let next = tokio::time::timeout(FIELD_TIME, next).await;
    next.map_err(|_| ApiError::TooSlow { seconds: FIELD_TIME.as_secs() })
}

/// Returns the file name of a field; `None` if it is not a file.
pub(crate) fn filename(field: &Field) -> Result<Option<String>, ApiError> {
    let Some(name) = field.content_disposition().and_then(|disposition| disposition.get_filename()) else {
        return Ok(None);
    };
    // The parser treats a backslash as an escape and would drop it.
    let written = field.headers().get(CONTENT_DISPOSITION).map(|value| value.as_bytes()).unwrap_or_default();
    if written.contains(&b'\\') {
        return Err(InboxError::Invalid("a file's name has no `\\`; folders are separated by `/`".to_owned()).into());
    }
    Ok(Some(name.to_owned()))
}

/// Reads the text of a field that is not a file.
pub(crate) async fn drain(field: Field) -> Result<String, ApiError> {
    in_time(text_of(field)).await?
}

async fn text_of(mut field: Field) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|_| bad_form())?;
        text.extend_from_slice(&piece);
        if text.len() as u64 > AROUND_FILES {
            return Err(BodyError::TooLarge { limit: AROUND_FILES as usize }.into());
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// A body is stored as it arrives, so it must not have a content encoding.
pub(crate) fn is_plain(request: &HttpRequest) -> Result<(), ApiError> {
    let mut codings = request.headers().get_all(CONTENT_ENCODING).map(|coding| coding.as_bytes().trim_ascii());
    if codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::UnsupportedMediaType { expected: "the file as it is, without a Content-Encoding" })
}

pub(crate) fn length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
