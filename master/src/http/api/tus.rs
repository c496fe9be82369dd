//! `/api/v1/tus/`: uploads that resume, as tus 1.0 (<https://tus.io/protocols/resumable-upload>) with the extensions creation,
//! creation-with-upload, termination and expiration. What has arrived is kept when a connection breaks or the master restarts.

use std::{collections::HashMap, time::SystemTime};

use actix_web::{
    Error, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, HttpDate, LOCATION},
    middleware::Next,
    web,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use tributary_engine::{Document, InboxError, Offer, Unfinished};

use crate::http::{
    api::upload::{apart, is_plain, length},
    server::{App, error::ApiError, sender},
};

/// The version of the protocol.
const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: &str = "upload-metadata";
const PART: &str = "application/offset+octet-stream";

/// Says that this is tus, and refuses other versions of it.
pub(crate) async fn version(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_known = request.headers().get(RESUMABLE).is_some_and(|version| version.as_bytes() == VERSION.as_bytes());
    let mut response = if is_known || request.method() == actix_web::http::Method::OPTIONS {
        next.call(request).await?.map_into_left_body()
    } else {
        let why = format!("the header `Tus-Resumable: {VERSION}` is missing, or names another version of tus");
        let mut refused = ApiError::OtherVersion(why).error_response();
        refused.headers_mut().insert(VERSIONS, HeaderValue::from_static(VERSION));
        request.into_response(refused).map_into_right_body()
    };
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    Ok(response)
}

/// Describes the server.
///
/// Version and extensions of tus, and the largest file.
#[utoipa::path(options, path = "/api/v1/tus/", operation_id = "describe_tus", tag = "uploads", responses(
    (status = 204, description = "`Tus-Version`, `Tus-Extension` and `Tus-Max-Size` describe it")))]
pub(crate) async fn options(app: web::Data<App>) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((VERSIONS, VERSION))
        .insert_header(("Tus-Extension", EXTENSIONS))
        .insert_header(("Tus-Max-Size", app.engine.inbox().max_size().to_string()))
        .finish()
}

/// Announces a file.
///
/// `Upload-Length` is its length; `Upload-Metadata` has its path as `filename`, and may have `replace` (`1`: it may replace a file) and
/// `id` (32 hex digits that no upload has). The body may be the first part.
#[utoipa::path(post, path = "/api/v1/tus/", operation_id = "create_tus", tag = "uploads", responses(
    (status = 201, description = "`Location` takes the parts. Its last component is the upload's id"),
    (status = 400, description = "`Upload-Length` or `Upload-Metadata` cannot be understood"),
    (status = 409, description = "There is a file of that path, or an upload with that id"),
    (status = 412, description = "Another version of tus"),
    (status = 413, description = "It is larger than `max_size`"),
    (status = 422, description = "The file cannot have that path"),
    (status = 507, description = "The disk has no room for it"),
))]
pub(crate) async fn create(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    is_plain(&request)?;
    let size = number(&request, &LENGTH)?;
    let metadata = metadata(&request)?;
    let text = |key: &str| metadata.get(key).cloned();
    let offer = Offer {
        path: text("filename").unwrap_or_default(),
        id: text("id"),
        may_replace: text("replace").as_deref() == Some("1"),
        size: Some(size),
        at_least: size,
        sent_by: sender::user(&request),
        ..Offer::default()
    };
    let (inbox, creator) = (app.engine.inbox().clone(), app.engine.inbox().clone());
    let mut unfinished = apart(async move { Ok(creator.create(offer).await?) }).await?;
    if is_part(&request) && length(&request) != Some(0) {
        let id = unfinished.id.clone();
        unfinished = apart(async move { Ok(inbox.append(&id, 0, payload).await?) }).await?;
    }
    let location = format!("/api/v1/tus/{}", unfinished.id);
    Ok(described(&mut HttpResponse::Created(), &unfinished).insert_header((LOCATION, location)).finish())
}

/// Says how much of a file has arrived.
///
/// A request that is still sending a part is broken off: whoever asks goes on.
#[utoipa::path(head, path = "/api/v1/tus/{id}", operation_id = "get_tus", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    responses(
        (status = 200, description = "`Upload-Offset` and `Upload-Length`"),
        (status = 404, description = "No such upload"),
        (status = 410, description = "It has failed, or was deleted"),
    ))]
pub(crate) async fn head(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = id.to_ascii_lowercase();
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(unfinished) = app.engine.inbox().unfinished(&id).await? {
        return Ok(described(&mut response, &unfinished).insert_header((LENGTH, unfinished.length)).finish());
    }
    let known = app.engine.inbox().get(&id).await?;
    match known.and_then(|Document { hash, bytes, error, .. }| hash.filter(|_| error.is_none()).map(|_| bytes)) {
        Some(bytes) => Ok(response.insert_header((OFFSET, bytes)).insert_header((LENGTH, bytes)).finish()),
        None if app.engine.inbox().is_known(&id).await? => Err(InboxError::Over { id }.into()),
        None => Err(InboxError::Unknown { id }.into()),
    }
}

/// Appends a part of a file.
///
/// The part begins at `Upload-Offset`, which must be how much has arrived. Once the last byte is there, the file is stored as any other
/// upload, and `/api/v1/uploads/{id}` tells what becomes of it.
#[utoipa::path(patch, path = "/api/v1/tus/{id}", operation_id = "append_tus", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "`Upload-Offset` is how much is on disk now"),
        (status = 400, description = "The part ended early; what has come of it is kept"),
        (status = 404, description = "No such upload, or it has ended"),
        (status = 409, description = "Another offset; another request goes on with it; it was cancelled; or there is a file of that path by now"),
        (status = 412, description = "Another version of tus"),
        (status = 415, description = "The body is not `application/offset+octet-stream`"),
        (status = 503, description = "Too many are being received"),
    ))]
pub(crate) async fn append(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    is_plain(&request)?;
    if !is_part(&request) {
        return Err(ApiError::UnsupportedMediaType { expected: PART });
    }
    let offset = number(&request, &OFFSET)?;
    let id = request.match_info().get("id").unwrap_or_default().to_ascii_lowercase();
    let inbox = app.engine.inbox().clone();
    let unfinished = apart(async move { Ok(inbox.append(&id, offset, payload).await?) }).await?;
    Ok(described(&mut HttpResponse::NoContent(), &unfinished).finish())
}

/// Cancels an upload.
///
/// The same as `DELETE /api/v1/uploads/{id}`.
#[utoipa::path(delete, path = "/api/v1/tus/{id}", operation_id = "delete_tus", tag = "uploads",
    params(("id" = String, Path, description = "32 hex digits")),
    responses((status = 204, description = "What has arrived is deleted"), (status = 404, description = "No such upload")))]
pub(crate) async fn terminate(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = id.to_ascii_lowercase();
    match app.engine.inbox().cancel(&id, sender::user(&request)).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(InboxError::Unknown { id }.into()),
    }
}

fn described<'a>(response: &'a mut HttpResponseBuilder, unfinished: &Unfinished) -> &'a mut HttpResponseBuilder {
    response.insert_header((OFFSET, unfinished.offset));
    if unfinished.offset < unfinished.length {
        response.insert_header(("Upload-Expires", HttpDate::from(SystemTime::from(unfinished.expires_at)).to_string()));
    }
    response
}

fn is_part(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().trim_ascii().eq_ignore_ascii_case(PART.as_bytes()))
}

fn number(request: &HttpRequest, name: &HeaderName) -> Result<u64, ApiError> {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    let number =
        value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit())).and_then(|value| value.parse().ok());
    number.ok_or_else(|| ApiError::BadRequest(format!("the header `{name}` must be a number of bytes")))
}

/// The pairs of `Upload-Metadata`: a key, and after a blank a text in Base64.
fn metadata(request: &HttpRequest) -> Result<HashMap<String, String>, ApiError> {
    let bad = |why: &str| ApiError::BadRequest(format!("`Upload-Metadata` cannot be understood: {why}"));
    let Some(value) = request.headers().get(METADATA) else { return Ok(HashMap::new()) };
    let value = value.to_str().map_err(|_| bad("it is not ASCII"))?;
    let pair = |pair: &str| {
        let (key, encoded) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let decoded = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| bad("a value is not Base64"))?;
        Ok((key.to_owned(), String::from_utf8(decoded).map_err(|_| bad("a value is not UTF-8"))?))
    };
    value.split(',').filter(|text| !text.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn metadata_are_keys_with_texts_in_base64() {
        let of = |value: &str| metadata(&TestRequest::default().insert_header((METADATA, value)).to_http_request());
        let found = of("filename YS9iIMOpLmNzdg==,is_confidential, replace MQ==").unwrap();
        assert_eq!((found["filename"].as_str(), found["is_confidential"].as_str()), ("a/b é.csv", ""));
        assert_eq!((found["replace"].as_str(), found.len()), ("1", 3));
        assert!(of("").unwrap().is_empty());
        for wrong in ["filename %", "filename /w=="] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
