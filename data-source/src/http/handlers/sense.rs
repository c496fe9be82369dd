//! `/sense` and `/sense/files`: whether anything changed, and the manifest.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    error::QueryPayloadError,
    http::header::{CacheControl, CacheDirective, ContentType, ETag, EntityTag},
    web,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use tributary_admission::Denied;
use tributary_folder_watch::Snapshot;
use tributary_http_common::{Work, plain, revoked, stepped};
use tributary_protocol::{BodyDigest, CONTENT_DIGEST, Sense};

use crate::http::{
    app::{App, known},
    conditions::is_known_to,
    error::ApiError,
    headers::{revalidate, strong_tag},
    manifest::ManifestPages,
};

/// The longest that a response is held, in seconds.
const MAX_WAIT_SECONDS: f64 = 60.0;

/// Query of `/sense`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SenseQuery {
    /// The version that the caller has; empty if it has none.
    since: Option<String>,
    /// Seconds to hold the response.
    wait: Option<String>,
}

/// Says whether the caller lacks the current version; waits for that up to `wait` seconds.
pub(crate) async fn sense(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let question = web::Query::<SenseQuery>::from_query(request.query_string())
        .map_err(|error| match error {
            QueryPayloadError::Deserialize(error) => ApiError::BadRequest(invalid(&error)),
            error => ApiError::BadRequest(invalid(&error)),
        })?
        .into_inner();
    let wait = question.wait.as_deref().map(seconds).transpose()?.unwrap_or_default();
    let lacks = |snapshot: &Snapshot| lacks(&request, &app, question.since.as_deref(), snapshot);
    let (mut state, revoked) = (app.folder.state(), revoked(&app.admission, &request));
    let hold = app.held.begin();
    tokio::select! {
        _ = state.wait_for(|state| known(state).is_err() || known(state).is_ok_and(|snapshot| lacks(&snapshot))) => {}
        () = tokio::time::sleep(wait) => {}
        () = hold.ends() => {}
        () = app.shutdown.cancelled() => {}
        () = revoked.cancelled() => return Err(Denied::WrongToken.into()),
    }
    let snapshot = app.snapshot()?;
    Ok(answer(&request, &app, question.since.as_deref(), &snapshot))
}

fn invalid(found: &dyn std::fmt::Display) -> String {
    format!("the query cannot be understood: {}", plain(&found.to_string()))
}

/// Returns whether the caller lacks this version. It has what `since` or its tag says, or else what the last `/read` sent.
fn lacks(request: &HttpRequest, app: &App, since: Option<&str>, snapshot: &Snapshot) -> bool {
    match since {
        Some(since) => since != snapshot.version,
        None if request.headers().contains_key("if-none-match") => {
            !is_known_to(request, &strong_tag(&snapshot.version))
        }
        None => app.last_read().is_none_or(|read| read != snapshot.version),
    }
}

fn answer(request: &HttpRequest, app: &App, since: Option<&str>, snapshot: &Snapshot) -> HttpResponse {
    let tag = strong_tag(&snapshot.version);
    if is_known_to(request, &tag) {
        return not_modified(tag);
    }
    let has = since.map_or_else(|| app.last_read(), |since| Some(since.to_owned()));
    HttpResponse::Ok().insert_header(ETag(tag)).insert_header(revalidate()).json(Sense {
        status: u8::from(has.is_none_or(|has| has != snapshot.version)),
        version: Some(snapshot.version.clone()),
        name: Some(app.name.clone()),
        files: Some(snapshot.entries.len() as u64),
        bytes: Some(snapshot.entries.bytes()),
        changed_at: Some(DateTime::<Utc>::from(snapshot.changed_at).to_rfc3339_opts(SecondsFormat::Millis, true)),
    })
}

/// Query of `/sense/files`. Callers may send anything else; it is ignored.
#[derive(Debug, Default, Deserialize)]
struct FilesQuery {
    /// The version that the caller has.
    since: Option<String>,
}

/// Sends the manifest, or what changed since a version that is remembered.
pub(crate) async fn files(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let snapshot = app.snapshot()?;
    let tag = strong_tag(&snapshot.version);
    if is_known_to(&request, &tag) {
        return Ok(not_modified(tag));
    }
    // A query that cannot be read gets the whole manifest, which is right for everyone.
    let query = web::Query::<FilesQuery>::from_query(request.query_string()).map(web::Query::into_inner);
    if let Some(delta) = query.unwrap_or_default().since.and_then(|since| snapshot.delta(&since)) {
        let body = serde_json::to_vec(&delta).map_err(|error| ApiError::Unavailable(error.to_string()))?;
        // The version is the tag of whole manifests. After a restart this URL has one.
        return Ok(HttpResponse::Ok()
            .insert_header(CacheControl(vec![CacheDirective::NoStore]))
            .insert_header((CONTENT_DIGEST, BodyDigest::of(&body).header()))
            .content_type(ContentType::json())
            .body(body));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_DIGEST, app.manifest_digest(&snapshot).await?));
    response.insert_header(ETag(tag)).insert_header(revalidate()).insert_header(ContentType::json());
    let mut pages = ManifestPages::new(snapshot);
    Ok(response.streaming(stepped(Work::Light, move |out| pages.write(out))))
}

fn not_modified(tag: EntityTag) -> HttpResponse {
    HttpResponse::NotModified().insert_header(ETag(tag)).insert_header(revalidate()).finish()
}

fn seconds(typed: &str) -> Result<Duration, ApiError> {
    let seconds = typed.parse::<f64>().ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    seconds
        .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_WAIT_SECONDS)))
        .ok_or_else(|| ApiError::BadRequest(format!("`wait` must be a number of seconds, at most 60, not `{typed}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_seconds_and_at_most_a_minute() {
        let check = |typed: &str, expect: Option<u64>| {
            assert_eq!(seconds(typed).ok().map(|wait| wait.as_millis() as u64), expect, "{typed}");
        };
        check("0", Some(0));
        check("10", Some(10_000));
        check("0.5", Some(500));
        check("61", Some(60_000));
        check("1e300", Some(60_000));
        for bad in ["", "x", "-1", "NaN", "inf", "1s", "1 "] {
            check(bad, None);
        }
    }
}
