//! Reads and checks queries, bodies, skus, names and descriptions. Every error says what to write instead.

use std::{sync::OnceLock, time::Duration};

use actix_web::{
    HttpRequest,
    error::{PayloadError, QueryPayloadError},
    http::header::{ACCEPT, Accept, CONTENT_TYPE, Header, Quality},
    web,
};
use futures_util::Stream;
use serde::de::{DeserializeOwned, IgnoredAny};
use tributary_config::Limits;
use tributary_engine::{checked_sku, checked_text};
use tributary_http_common::{Bodies, plain};
use tributary_pace::MAX_PATIENCE;

use crate::http::{pages::text::wording::encoded, server::error::ApiError};

/// Maximum rows per page of a list.
const MOST_ROWS: i64 = 10_000;
/// Maximum bytes of a body: a description with every byte escaped.
pub(crate) const BODY_BYTES: usize = 8 << 20;

/// The bytes of all bodies that are being received, because each client may send eight megabytes at the least speed.
static BODIES: OnceLock<Bodies> = OnceLock::new();

/// Sets the bounds of all bodies that are being received, for this process. The first ones stay.
pub(super) fn limit_bodies(bytes: u64, patience: Duration) {
    BODIES.get_or_init(|| Bodies::new(bytes, patience));
}

/// Parses the query of a request.
pub(crate) fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    fields("query", request.query_string().as_bytes())
}

/// The parameters of a request's query, in order.
pub(crate) fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, ApiError> {
    query(request)
}

/// The parameters of a request's query, or the fields of a form, that are left in pairs.
pub(crate) fn of_pairs<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, ApiError> {
    let written: Vec<_> = pairs.iter().map(|(key, text)| format!("{}={}", encoded(key), encoded(text))).collect();
    fields("query", written.join("&").as_bytes())
}

/// Refuses a query where no parameter is known, so that nobody takes a mistyped one for heard.
pub(crate) fn no_query(request: &HttpRequest) -> Result<(), ApiError> {
    match request.query_string() {
        "" => Ok(()),
        query => {
            let first = query.split(['&', '=']).next().unwrap_or_default();
            Err(bad(format!("this path knows no query parameter, such as `{first}`; a `?` in a name is written %3F")))
        }
    }
}

/// Refuses a path with a NUL byte, for the reason given at [`fields`].
pub(crate) fn no_nul(path: &str) -> Result<(), ApiError> {
    match percent_encoding::percent_decode_str(path).any(|byte| byte == 0) {
        true => Err(ApiError::Invalid("the path has a NUL byte".to_owned())),
        false => Ok(()),
    }
}

/// Returns the filter; `None` if it is blank, as an empty form field sends it. Names do not pass through it: the empty name is one.
pub(crate) fn unless_blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Rows per page: 100 by default.
pub(crate) fn limit(asked: Option<i64>) -> Result<i64, ApiError> {
    match asked.unwrap_or(100) {
        limit @ 1..=MOST_ROWS => Ok(limit),
        other => Err(bad(format!("`limit` must be from 1 to {MOST_ROWS}, not {other}"))),
    }
}

/// Rows of a file: all by default, and any number.
pub(crate) fn most(asked: Option<i64>) -> Result<i64, ApiError> {
    match asked.unwrap_or(i64::MAX) {
        limit @ 1.. => Ok(limit),
        other => Err(bad(format!("`limit` must be 1 or more, not {other}"))),
    }
}

/// Reads a whole body of at most `limit` bytes. A client that stops halfway, or drips, is let go.
pub(crate) async fn body(
    payload: impl Stream<Item = Result<web::Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<web::Bytes, ApiError> {
    let bodies = BODIES.get_or_init(|| Bodies::new(Limits::default().bodies, MAX_PATIENCE));
    Ok(bodies.receive(payload, limit).await?)
}

/// Parses a JSON body, whatever its media type says, so that `curl -d` works. The checks of `Origin` and `Sec-Fetch-Site` keep other
/// sites out.
pub(crate) async fn json<T: DeserializeOwned>(payload: web::Payload) -> Result<T, ApiError> {
    let body = body(payload, BODY_BYTES).await?;
    // serde also accepts an array of the members in order, which the API does not promise.
    if body.trim_ascii_start().starts_with(b"[") && serde_json::from_slice::<IgnoredAny>(&body).is_ok() {
        return Err(ApiError::Invalid("the body must be an object".to_owned()));
    }
    serde_json::from_slice(&body).map_err(|why| match why.classify() {
        serde_json::error::Category::Data => {
            ApiError::Invalid(format!("the body does not fit: {}", plain(&why.to_string())))
        }
        _ => bad(format!("the body is no JSON: {}", plain(&why.to_string()))),
    })
}

/// Parses the fields of a form.
pub(crate) async fn form<T: DeserializeOwned>(request: &HttpRequest, payload: web::Payload) -> Result<T, ApiError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| !kind.trim().to_ascii_lowercase().starts_with(FORM)) {
        return Err(ApiError::UnsupportedMediaType { expected: FORM });
    }
    let body = body(payload, BODY_BYTES).await?;
    fields("form", &body)
}

/// Fields as a form or a query writes them. Bytes that are no text are refused here: the parser would put other letters in
/// their place. So is a NUL byte, which no stored text has: PostgreSQL fails on one even in a condition.
fn fields<T: DeserializeOwned>(what: &str, written: &[u8]) -> Result<T, ApiError> {
    let not_understood = |why: &str| bad(format!("the {what} cannot be understood: {why}"));
    let meant = percent_encoding::percent_decode(written).decode_utf8();
    let meant = meant.map_err(|_| not_understood("it is not UTF-8"))?;
    if meant.contains('\0') {
        return Err(ApiError::Invalid(format!("the {what} has a NUL byte")));
    }
    let text = std::str::from_utf8(written).map_err(|_| not_understood("it is not UTF-8"))?;
    web::Query::<T>::from_query(text).map(web::Query::into_inner).map_err(|why| match why {
        QueryPayloadError::Deserialize(why) => not_understood(&plain(&why.to_string())),
        why => not_understood(&plain(&why.to_string())),
    })
}

/// The sku of a path, which is percent-encoded there, or of a form. Trimmed, as in a file.
pub(crate) fn sku(typed: &str) -> Result<String, ApiError> {
    Ok(checked_sku(typed)?.to_owned())
}

/// The sku of a request's path.
pub(crate) fn path_sku(request: &HttpRequest) -> Result<String, ApiError> {
    // The path as it was sent, /api/v1/products/SKU: the router has put another letter for each byte that is no UTF-8.
    sku(&decoded("sku", request.uri().path().split('/').nth(4))?)
}

/// The sku in the path of its page, /products/SKU.
pub(crate) fn page_sku(request: &HttpRequest) -> Result<String, ApiError> {
    sku(&decoded("sku", request.uri().path().split('/').nth(2))?)
}

/// The number in a request's path behind so many slashes.
pub(crate) fn path_number(request: &HttpRequest, slashes: usize) -> Result<i64, ApiError> {
    let part = request.uri().path().split('/').nth(slashes).unwrap_or_default();
    part.parse().map_err(|_| bad(format!("`{part}` in the path is no number")))
}

/// The name with which a request's path ends; as it was sent, for the reason given at [`path_sku`].
pub(crate) fn path_name(request: &HttpRequest) -> Result<String, ApiError> {
    decoded("name", request.uri().path().rsplit('/').next())
}

/// The name of the source in a request's path, /api/v1/sources/NAME/…; as it was sent, for the reason given at [`path_sku`].
pub(crate) fn path_source(request: &HttpRequest) -> Result<String, ApiError> {
    decoded("name", request.uri().path().split('/').nth(4))
}

/// The path of the document in a request's path, /api/v1/documents/PATH; as it was sent, for the reason given at [`path_sku`].
pub(crate) fn path_document(request: &HttpRequest) -> Result<String, ApiError> {
    decoded("path of a document", request.uri().path().splitn(5, '/').nth(4))
}

/// A part of a path without its percent-encoding. `what` names it in an error.
fn decoded(what: &str, part: Option<&str>) -> Result<String, ApiError> {
    let decoded = percent_encoding::percent_decode_str(part.unwrap_or_default()).decode_utf8();
    decoded.map(Into::into).map_err(|_| bad(format!("the {what} in the path is not UTF-8")))
}

/// Checks the text of any column of the catalog, and trims it if its column does.
pub(crate) fn text_of(column: &str, typed: &str) -> Result<String, ApiError> {
    Ok(checked_text(column, typed)?.to_owned())
}

fn bad(why: String) -> ApiError {
    ApiError::BadRequest(why)
}

/// Whether the caller would rather have CSV than JSON: `Accept` ranks it higher.
pub(crate) fn wants_csv(request: &HttpRequest) -> bool {
    prefers(request, tributary_formats::CSV, "application/json")
}

/// Whether the caller is a person's browser: `Accept` ranks a page higher than a problem in JSON.
pub(crate) fn wants_page(request: &HttpRequest) -> bool {
    prefers(request, "text/html", "application/json")
}

/// Whether `Accept` names `one` itself, and before `other`.
fn prefers(request: &HttpRequest, one: &str, other: &str) -> bool {
    if !request.headers().contains_key(ACCEPT) {
        return false;
    }
    // A weight of 0 means not acceptable (RFC 9110, section 12.4.2).
    let mut accept = Accept::parse(request).unwrap_or_else(|_| Accept(Vec::new()));
    accept.0.retain(|kind| kind.quality > Quality::ZERO);
    let ranked = accept.ranked();
    let names = |kind: &str| ranked.iter().position(|ranked| ranked.essence_str() == kind);
    match (names(one), names(other)) {
        (Some(one), Some(other)) => one < other,
        (one, _) => one.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_caller_says_what_it_wants() {
        let check = |accept: Option<&str>, csv: bool, page: bool| {
            let mut request = TestRequest::default();
            if let Some(accept) = accept {
                request = request.insert_header((ACCEPT, accept));
            }
            let request = request.to_http_request();
            assert_eq!((wants_csv(&request), wants_page(&request)), (csv, page), "{accept:?}");
        };
        check(None, false, false);
        check(Some("*/*"), false, false);
        check(Some("text/csv"), true, false);
        check(Some("text/csv, application/json"), true, false);
        check(Some("text/csv;q=0.5, application/json"), false, false);
        check(Some("application/json, text/csv;q=0.5"), false, false);
        check(Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), false, true);
        check(Some("nonsense"), false, false);
    }
}
