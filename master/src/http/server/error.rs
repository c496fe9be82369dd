//! Everything that a request can fail with, and the answer that it becomes: `application/problem+json` (RFC 9457), or a page
//! for a browser. This is the only place that knows status codes of failures.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
};
use serde::Serialize;
use tributary_admission::Denied;
use tributary_engine::{
    AcceptError, Busy, CannotUndo, EditError, InboxError, ListError, OnlyReads, TextError, TooManyToSort, Unwritten,
    is_away,
};
use tributary_http_common::{BodyError, challenge, denial};
use tributary_protocol::{PROBLEM_JSON, Problem};

use super::active::Elsewhere;
use crate::http::api::{
    product::Current,
    product_views::{Edit, Offer, ProductDetail},
};

/// Reason for an error response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ApiError {
    /// A parameter or a body cannot be parsed.
    #[error("{0}")]
    BadRequest(String),
    /// The request is well formed but a value is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// The request breaks a rule of admission.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such route.
    #[error("{0}")]
    NotFound(String),
    /// The sku is not shown. The response contains what is known of it.
    #[error("no product with the sku `{}` is shown", .0.sku)]
    NotShown(Box<Current>),
    /// The product is not as the request expects. The response contains it.
    #[error(
        "the product is not as `If-Match` or `If-None-Match` says; `current` has it as it is now, and nothing was changed"
    )]
    Stale(Box<Current>),
    /// An edit cannot be undone.
    #[error(transparent)]
    CannotUndo(CannotUndo),
    /// The route does not support the method.
    #[error("only {allowed} is understood here")]
    MethodNotAllowed {
        /// The supported methods, as in `Allow`.
        allowed: &'static str,
    },
    /// The body was not received.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The fields of a form do not arrive in time.
    #[error("the form did not go on within {seconds} seconds")]
    TooSlow {
        /// The time limit.
        seconds: u64,
    },
    /// The route does not accept the body's media type.
    #[error("the body must be `{expected}`")]
    UnsupportedMediaType {
        /// The accepted types.
        expected: &'static str,
    },
    /// A protocol is spoken in a version that the server does not know.
    #[error("{0}")]
    OtherVersion(String),
    /// An uploaded file is refused.
    #[error(transparent)]
    Upload(#[from] InboxError),
    /// More clients are connected than may be.
    #[error("{limit} clients are connected, which is the limit; try again later")]
    TooManyClients {
        /// The limit.
        limit: usize,
    },
    /// Too many clients wait for an answer, or take one.
    #[error("too many clients wait for lists or take them; ask again in a moment")]
    Busy,
    /// A source's held version cannot be accepted.
    #[error(transparent)]
    Accept(AcceptError),
    /// The server is stopping and has not answered an edit yet.
    #[error("the master is stopping; ask again in a moment whether the edit is there")]
    Stopping,
    /// Only the active master does it, and this one is another.
    #[error("{0}")]
    OnlyActive(Elsewhere),
    /// A master that only reads cannot read.
    #[error("this master waits for the database, {0}; try again in a moment")]
    Unreadable(&'static str),
    /// Nothing can be written at the moment.
    #[error("{0}, so nothing was changed; `/readyz` and the log say more; try again later")]
    Unwritten(Unwritten),
    /// The server failed; the log has the details.
    #[error("something went wrong; the log of the master says what")]
    Internal,
}

/// A problem, with the members that only some have.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    problem: Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    offers: Option<&'a [Offer]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edit: Option<Option<&'a Edit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Option<ProductDetail>>,
}

impl ApiError {
    /// A short name of the kind of error.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad request",
            Self::Invalid(_) => "cannot be done",
            Self::Denied(denied) => denial(denied).1,
            Self::NotFound(_) => "not found",
            Self::NotShown(_) => "not shown",
            Self::Stale(_) => "changed meanwhile",
            Self::CannotUndo(CannotUndo::Unknown(_)) => "not found",
            Self::CannotUndo(_) => "cannot be undone",
            Self::MethodNotAllowed { .. } => "method not allowed",
            Self::Body(error) => error.status().1,
            Self::OtherVersion(_) => "other version",
            Self::TooSlow { .. } => "too slow",
            Self::UnsupportedMediaType { .. } => "unsupported media type",
            Self::Upload(error) => upload(error).1,
            Self::TooManyClients { .. } | Self::Busy => "too many clients",
            Self::Accept(error) => accept(error).1,
            Self::Stopping => "stopping",
            Self::OnlyActive(_) => "only the active master does it",
            Self::Unreadable(_) => "cannot read",
            Self::Unwritten(_) => "cannot write",
            Self::Internal => "internal error",
        }
    }
}

/// Returns the status and the title of an acceptance that failed.
fn accept(error: &AcceptError) -> (StatusCode, &'static str) {
    match error {
        AcceptError::NoSource(_) => (StatusCode::NOT_FOUND, "not found"),
        AcceptError::NothingHeld(_) | AcceptError::NotConfigured(_) | AcceptError::Changed(_) => {
            (StatusCode::CONFLICT, "nothing to accept")
        }
        AcceptError::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

impl From<TextError> for ApiError {
    fn from(error: TextError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Failed(error) => error.into(),
            other => Self::Accept(other),
        }
    }
}

/// Returns the status and the title of an upload error.
fn upload(error: &InboxError) -> (StatusCode, &'static str) {
    match error {
        InboxError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "cannot be done"),
        InboxError::Taken { .. } => (StatusCode::CONFLICT, "already there"),
        InboxError::KnownId { .. } => (StatusCode::CONFLICT, "id is known"),
        InboxError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
        InboxError::NoRoom { .. } => (StatusCode::INSUFFICIENT_STORAGE, "no room"),
        InboxError::TooMany { .. } | InboxError::TooManyUnfinished { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "too many uploads")
        }
        InboxError::Stalled(_) | InboxError::Yielded => (StatusCode::REQUEST_TIMEOUT, "too slow"),
        InboxError::Cut(_) => (StatusCode::BAD_REQUEST, "cut off"),
        InboxError::Unknown { .. } => (StatusCode::NOT_FOUND, "not found"),
        InboxError::WrongOffset { .. } => (StatusCode::CONFLICT, "wrong offset"),
        InboxError::Expired | InboxError::Displaced => (StatusCode::GONE, "expired"),
        InboxError::Over { .. } => (StatusCode::GONE, "gone"),
        InboxError::TakenOver => (StatusCode::CONFLICT, "taken over"),
        InboxError::Cancelled => (StatusCode::CONFLICT, "cancelled"),
        InboxError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        InboxError::Failed(error) if error.is::<Busy>() => (StatusCode::SERVICE_UNAVAILABLE, "too many clients"),
        InboxError::Failed(error) if error.is::<OnlyReads>() => {
            (StatusCode::SERVICE_UNAVAILABLE, "only the active master does it")
        }
        InboxError::Failed(error) if error.is::<Unwritten>() => (StatusCode::SERVICE_UNAVAILABLE, "cannot write"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Stopping => Self::Stopping,
            EditError::Stale(detail) => Self::Stale(Box::new(Current::new(*detail))),
            EditError::CannotUndo(why) => Self::CannotUndo(why),
            EditError::NoColumn(why) => Self::Invalid(why.to_string()),
            EditError::Failed(error) => error.into(),
            other => anyhow::Error::new(other).into(),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Failed(error) => error.into(),
            other => Self::BadRequest(other.to_string()),
        }
    }
}

/// Logs an internal error, which is not shown to the client.
impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<Busy>() {
            return Self::Busy;
        }
        if error.is::<TooManyToSort>() {
            return Self::Invalid(error.to_string());
        }
        if error.is::<OnlyReads>() {
            return Self::OnlyActive(Elsewhere::unknown());
        }
        if !error.is::<Unwritten>() && is_away(&error) {
            tracing::warn!("a request found no database: {error:#}");
            return Self::Unreadable("which cannot be read");
        }
        tracing::error!("a request failed: {error:#}");
        error.downcast_ref::<Unwritten>().map_or(Self::Internal, |unwritten| Self::Unwritten(unwritten.clone()))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Denied(denied) => denial(denied).0,
            Self::NotFound(_) | Self::NotShown(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(error) => error.status().0,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::OtherVersion(_) | Self::Stale(_) => StatusCode::PRECONDITION_FAILED,
            Self::CannotUndo(CannotUndo::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::CannotUndo(_) => StatusCode::CONFLICT,
            Self::Upload(error) => upload(error).0,
            Self::Accept(error) => accept(error).0,
            Self::OnlyActive(Elsewhere { location: Some(_), .. }) => StatusCode::TEMPORARY_REDIRECT,
            Self::Stopping
            | Self::Busy
            | Self::TooManyClients { .. }
            | Self::OnlyActive(_)
            | Self::Unreadable(_)
            | Self::Unwritten(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        match self {
            Self::Denied(Denied::NoToken | Denied::WrongToken) => challenge(&mut response, "tributary"),
            Self::OnlyActive(Elsewhere { location: Some(location), .. }) => {
                response.insert_header((LOCATION, location.clone()));
            }
            Self::MethodNotAllowed { allowed } => {
                response.insert_header((ALLOW, *allowed));
            }
            _ if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
                response.insert_header((RETRY_AFTER, "2"));
            }
            _ => {}
        }
        let problem = Problem { title: self.title().to_owned(), status: status.as_u16(), detail: self.to_string() };
        let mut body = Body { problem, offers: None, edit: None, current: None };
        if let Self::NotShown(current) | Self::Stale(current) = self {
            response.insert_header(current.tag.header());
            if !current.is_shown() {
                body.offers = Some(&current.offers);
                body.edit = Some(current.edit.as_ref());
            }
        }
        if let Self::Stale(current) = self {
            body.current = Some(current.detail());
        }
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON)).json(body)
    }
}
