//! Errors of requests, and the `application/problem+json` that they become (RFC 9457). Status codes of errors are nowhere
//! else.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER},
    },
};
use tributary_admission::{CapabilityError, Denied};
use tributary_folder_watch::OpenError;
use tributary_http_common::{BodyError, challenge, denial};
use tributary_protocol::{PROBLEM_JSON, Problem};
use tributary_report::SpecError;

/// Seconds after which a caller may retry.
const RETRY_AFTER_SECONDS: &str = "1";

/// A request that cannot be answered as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ApiError {
    /// A parameter or a body cannot be parsed.
    #[error("{0}")]
    BadRequest(String),
    /// The request breaks a rule of admission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such route, or no such file in the manifest.
    #[error("{0}")]
    NotFound(String),
    /// The route does not support the method.
    #[error("this path supports only {allowed}")]
    MethodNotAllowed {
        /// The supported methods, as in `Allow`.
        allowed: &'static str,
    },
    /// The caller does not understand this source's partials.
    #[error("this source makes partials of the format {ours}; read the file and compute the report from it")]
    OtherFormat {
        /// The format of this source.
        ours: String,
    },
    /// The report cannot be compiled.
    #[error("{0}")]
    Unprocessable(#[from] SpecError),
    /// `If-Match` or `If-Unmodified-Since` names another content.
    #[error("`{path}` does not meet the request's condition")]
    ConditionFailed {
        /// The file's path.
        path: String,
    },
    /// The file is no longer what the manifest says.
    #[error("`{path}` has changed since the manifest was made; ask for /sense/files again")]
    Changed {
        /// The file's path.
        path: String,
    },
    /// The path asks for a content that the file does not have.
    #[error("`{path}` has another content than the path says; ask for /sense/files again")]
    OtherContent {
        /// The file's path.
        path: String,
    },
    /// The path has a capability that is not valid, and the request has no token.
    #[error(
        "the capability in the path is not valid: it has expired, was revoked, or never was one; ask for another one"
    )]
    NoCapability,
    /// The capability does not open the file.
    #[error("the capability in the path does not open this file; ask for one that does")]
    OutOfScope,
    /// No capability can be made.
    #[error(transparent)]
    Capability(#[from] CapabilityError),
    /// The range begins after the end of the file.
    #[error("the range begins after the end of the file, which has {size} bytes")]
    RangeNotSatisfiable {
        /// The file's size in bytes.
        size: u64,
    },
    /// The folder or a file cannot be read now.
    #[error("{0}")]
    Unavailable(String),
    /// The body was not received.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Too many answers are under way.
    #[error("too many clients are taking answers; ask again in a moment")]
    Busy,
    /// A defect of the server; the log has the details.
    #[error("internal error; see the log of the data-source")]
    Internal,
}

impl ApiError {
    /// Logs an internal error, which the caller does not see.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed: {error}");
        Self::Internal
    }

    fn title(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad request",
            Self::Denied(denied) => denial(denied).1,
            Self::NotFound(_) => "not found",
            Self::MethodNotAllowed { .. } => "method not allowed",
            Self::OtherFormat { .. } => "other partial format",
            Self::Unprocessable(_) => "invalid report",
            Self::ConditionFailed { .. } => "condition failed",
            Self::Changed { .. } | Self::OtherContent { .. } => "file changed",
            Self::NoCapability | Self::OutOfScope => "not opened",
            Self::Capability(_) => "not available",
            Self::RangeNotSatisfiable { .. } => "range not satisfiable",
            Self::Unavailable(_) => "not available",
            Self::Body(error) => error.status().1,
            Self::Busy => "too many clients",
            Self::Internal => "internal error",
        }
    }
}

impl From<OpenError> for ApiError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Changed { path } => Self::Changed { path },
            other => Self::Unavailable(format!("{other}; ask for /sense/files again")),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Denied(denied) => denial(denied).0,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::OtherFormat { .. } => StatusCode::CONFLICT,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::ConditionFailed { .. } | Self::Changed { .. } | Self::OtherContent { .. } => {
                StatusCode::PRECONDITION_FAILED
            }
            Self::NoCapability | Self::OutOfScope => StatusCode::FORBIDDEN,
            Self::RangeNotSatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Body(error) => error.status().0,
            Self::Unavailable(_) | Self::Busy | Self::Capability(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        match self {
            Self::Denied(Denied::NoToken | Denied::WrongToken) => challenge(&mut response, "data-source"),
            Self::MethodNotAllowed { allowed } => {
                response.insert_header((ALLOW, *allowed));
            }
            Self::RangeNotSatisfiable { size } => {
                response.insert_header((CONTENT_RANGE, format!("bytes */{size}")));
            }
            _ if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
                response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        let problem = Problem { title: self.title().to_owned(), status: status.as_u16(), detail: self.to_string() };
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(problem)
    }
}
