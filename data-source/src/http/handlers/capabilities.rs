//! `/capabilities`: makes and revokes secrets that open files for programs which send no `Authorization`.

use std::time::{Duration, Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, LOCATION},
    web,
};
use chrono::{DateTime, SecondsFormat, Utc};
use tributary_admission::{MAX_CAPABILITY_TIME, Scope};
use tributary_http_common::revoked;
use tributary_protocol::{Capability, CapabilityRequest};

use crate::http::{app::App, body::object, error::ApiError};

/// Longest body of a request.
const MAX_REQUEST_BYTES: usize = 1 << 20;
/// Time for which a capability is valid, unless the request says another one.
const USUAL_TIME: Duration = Duration::from_secs(10 * 60);

/// Makes a capability.
pub(crate) async fn issue(
    request: HttpRequest,
    app: web::Data<App>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let body = app.bodies.receive(body, MAX_REQUEST_BYTES).await?;
    let asked: CapabilityRequest = object(&body, "a capability")?;
    let time = asked.valid.as_deref().map_or(Ok(USUAL_TIME), valid_time)?;
    if asked.has_long_path() {
        return Err(ApiError::BadRequest("a path is longer than that of any file".to_owned()));
    }
    let expires_at = DateTime::<Utc>::from(std::time::SystemTime::now() + time);
    let scope = asked.paths.map_or(Scope::All, |paths| Scope::Paths(paths.into_iter().collect()));
    tracing::debug!(?scope, seconds = time.as_secs(), "a capability was made");
    let token = app.capabilities.issue(scope, (Instant::now(), time), revoked(&app.admission, &request))?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/capabilities/{token}")))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(Capability {
            prefix: format!("/read/~{token}/"),
            token,
            expires_at: expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }))
}

/// Revokes one.
pub(crate) async fn revoke(app: web::Data<App>, token: web::Path<String>) -> Result<HttpResponse, ApiError> {
    match app.capabilities.revoke(&token, Instant::now()) {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::NotFound("there is no such capability, or it has expired".to_owned())),
    }
}

fn valid_time(typed: &str) -> Result<Duration, ApiError> {
    let time = humantime::parse_duration(typed).ok();
    time.filter(|time| (Duration::from_secs(1)..=MAX_CAPABILITY_TIME).contains(time)).ok_or_else(|| {
        let typed: String = typed.chars().take(40).collect();
        ApiError::BadRequest(format!("`valid` must be a time from 1s to 24h, such as 10m, not `{typed}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_valid_for_a_day_at_most() {
        let check = |typed: &str, expect: Option<u64>| {
            assert_eq!(valid_time(typed).ok().map(|time| time.as_secs()), expect, "{typed}");
        };
        check("10m", Some(600));
        check("1s", Some(1));
        check("24h", Some(86_400));
        check("1day", Some(86_400));
        for bad in ["", "0s", "999ms", "24h 1s", "10", "-1s", "x", "9999999999999999999s", &"9".repeat(1_000)] {
            check(bad, None);
        }
    }
}
