//! Answers that refuse a request: a status, and `{"detail"}` in JSON.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, RETRY_AFTER},
    },
};
use serde_json::json;
use tributary_admission::Denied;
use tributary_http_common::{challenge, denial};

/// A refused request.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    detail: String,
    /// The methods that its path knows, if it is refused for its own.
    allowed: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), allowed: None }
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn method(allowed: &'static str) -> Self {
        Self { allowed: Some(allowed), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed") }
    }

    /// One for a failure of the master, which the log has.
    pub(super) fn failed(what: &str, error: &dyn fmt::Display) -> Self {
        tracing::error!("{what}: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let detail = match &denied {
            Denied::NoToken => "API key required".to_owned(),
            Denied::WrongToken => "Invalid API key".to_owned(),
            denied => denied.to_string(),
        };
        Self::new(denial(&denied).0, detail)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        match self.status {
            StatusCode::UNAUTHORIZED => challenge(&mut response, "tributary"),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                response.insert_header((RETRY_AFTER, "2"));
            }
            _ => {}
        }
        if let Some(allowed) = self.allowed {
            response.insert_header((ALLOW, allowed));
        }
        response.json(json!({ "detail": self.detail }))
    }
}
