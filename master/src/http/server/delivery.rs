//! The way of an answer to the client: one that has a list or an asset already gets 304 and no body, and some bodies are never packed.

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, EntityTag, Header, HeaderValue, IfNoneMatch},
    },
    middleware::Next,
};

/// The largest body that is hashed. A larger one is a list that is streamed, or costs more than it saves.
const MAX_BODY_BYTES: u64 = 8 << 20;

/// Types of bodies that are not packed: a packed stream would be held back until a block is full, and a workbook is packed already.
const NEVER_PACKED: [&str; 2] =
    ["text/event-stream", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];

/// Adds an `ETag` to lists and assets that have none, and answers 304 to a client that has the same already. It is weak, because the body may
/// be sent packed.
pub(super) async fn deliver(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_page = !request.path().starts_with("/api/") && !request.path().contains('.');
    let known = IfNoneMatch::parse(&request).ok();
    let is_read = request.method().is_safe();
    let mut response = next.call(request).await?.map_into_boxed_body();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| NEVER_PACKED.iter().any(|never| kind.starts_with(never))) {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    if is_page || !is_read || !can_be_validated(&response) {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return Ok(ServiceResponse::new(request, head.set_body(body))),
    };
    let tag = EntityTag::new_weak(blake3::hash(&body).to_hex()[..24].to_owned());
    let is_known = match known {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|other| other.weak_eq(&tag)),
        None => false,
    };
    let mut response = head.set_body(BoxBody::new(body));
    if is_known {
        let mut unchanged = HttpResponse::new(StatusCode::NOT_MODIFIED);
        if let Some(rule) = response.headers().get(CACHE_CONTROL) {
            unchanged.headers_mut().insert(CACHE_CONTROL, rule.clone());
        }
        response = unchanged;
    }
    // A tag of hexadecimal digits is a header value.
    if let Ok(value) = HeaderValue::from_str(&tag.to_string()) {
        response.headers_mut().insert(ETAG, value);
    }
    Ok(ServiceResponse::new(request, response))
}

/// Whether the answer is held as a whole, and may be kept by a client.
fn can_be_validated(response: &ServiceResponse<BoxBody>) -> bool {
    let headers = response.headers();
    let is_kept = headers.get(CACHE_CONTROL).is_none_or(|rule| rule != "no-store");
    let is_whole = matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes <= MAX_BODY_BYTES);
    response.status() == StatusCode::OK
        && is_whole
        && is_kept
        && headers.contains_key(CONTENT_TYPE)
        && !headers.contains_key(ETAG)
}
