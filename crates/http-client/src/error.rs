//! Everything that a request can fail with, in words that name the server.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};

/// A request that did not get what it asked for. `url` never holds a password or a query, which may hold names of files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client could not be built.
    #[error("failed to create the HTTP client")]
    Client(#[source] reqwest::Error),
    /// No connection could be made.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// The URL, for people.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// A time limit passed.
    #[error("{url} timed out")]
    TimedOut {
        /// The URL, for people.
        url: String,
    },
    /// The server took nothing of the request's body for too long.
    #[error("{url} has taken nothing for {} s", .limit.as_secs())]
    Stalled {
        /// The URL, for people.
        url: String,
        /// The time limit.
        limit: Duration,
    },
    /// The connection ended too early.
    #[error("{url} broke the connection: {cause}")]
    Broken {
        /// The URL, for people.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// The server answers with a status that was not asked for.
    #[error("{url} answers {status}{}", .detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default())]
    Status {
        /// The URL, for people.
        url: String,
        /// The status.
        status: StatusCode,
        /// `Retry-After`, if there is one.
        retry_after: Option<Duration>,
        /// The `detail` of the problem body, if there is one.
        detail: Option<String>,
    },
    /// The server answers with a redirect, which is never followed.
    #[error("{url} redirects to {target}; redirects are not followed, so configure the address that is meant")]
    Redirected {
        /// The URL, for people.
        url: String,
        /// The status.
        status: StatusCode,
        /// `Location`, made absolute.
        target: String,
    },
    /// The answer is not one that can be used.
    #[error("{url} answers {reason}")]
    Unusable {
        /// The URL, for people.
        url: String,
        /// The reason, such as "with a web page".
        reason: String,
    },
    /// The body is longer than any good answer.
    #[error("{url} answers with more than {limit} bytes")]
    TooLong {
        /// The URL, for people.
        url: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is not the JSON that was expected.
    #[error("{url} does not answer as {peer} does ({cause}); is this the URL of {peer}?")]
    Json {
        /// The URL, for people.
        url: String,
        /// The kind of server that was expected, with its article.
        peer: &'static str,
        /// The fault in the body.
        cause: serde_json::Error,
    },
}

impl Error {
    /// Rejects an answer for a reason such as "with a web page".
    #[must_use]
    pub fn unusable(response: &Response, reason: impl Into<String>) -> Self {
        Self::Unusable { url: public(response.url()), reason: reason.into() }
    }

    /// The status, if the server answered with one that was not asked for.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } | Self::Redirected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The delay that the server asks for before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether no complete answer came: the connection failed, broke or stood still.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Stalled { .. } | Self::Broken { .. })
    }

    /// Whether the server says that it is busy and when to come back: 503 with `Retry-After`.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.status() == Some(StatusCode::SERVICE_UNAVAILABLE) && self.retry_after().is_some()
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let is_transient = |status: StatusCode| matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504);
        self.is_unanswered() || self.status().is_some_and(is_transient)
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let url = error.url().map_or_else(|| "the server".to_owned(), public);
        Self::unanswered(url, &error)
    }
}

impl Error {
    /// Keeps the innermost cause, the only part of reqwest's chain that helps a person.
    pub(crate) fn unanswered(url: String, error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut { url };
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let cause = innermost.to_string();
        if error.is_connect() { Self::Unreachable { url, cause } } else { Self::Broken { url, cause } }
    }
}

/// The URL without its secrets.
pub(crate) fn public(url: &Url) -> String {
    let mut url = url.clone();
    // Both succeed on every URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
