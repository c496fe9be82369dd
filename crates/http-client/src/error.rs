//! Everything that a request can fail with, in words that name the server.

use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use tributary_pace::TooSlow;
use tributary_tls::{TrustFault, trust_fault};

/// The cause and the fix of a certificate that nobody known has signed.
const UNKNOWN_ISSUER: &str = "no authority that this machine knows has signed it; add the authority to those of this machine, or name \
    it with `ca_file` (--ca-file), or pin the certificate with `pin` (--pin)";
/// The cause and the fix of a port that does not know TLS.
const NO_TLS: &str = "the port speaks no TLS; write http:// in place of https://, or name the port for TLS";

/// The fix for bytes that changed on the way.
pub const LOOK_BETWEEN: &str = "look at the proxies and networks in between, or use https, which notices such a change";

/// A request that did not get what it asked for. `url` never holds a password or a query, which may hold names of files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client could not be built.
    #[error("failed to create the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The authorities that a server's certificate may be signed by cannot be used.
    #[error("failed to load the authorities of certificates")]
    Roots(#[source] rustls::Error),
    /// The certificate of the server is not trusted.
    #[error("the certificate of {url} is not trusted: {cause}")]
    Untrusted {
        /// The URL, for people.
        url: String,
        /// The cause, and the fix.
        cause: String,
    },
    /// No connection could be made.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// The URL, for people.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// The answer is longer than the memory that is left for such ones.
    #[error("{url} answers with more than there is room for beside other answers")]
    NoRoom {
        /// The URL, for people.
        url: String,
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
    /// The server sends its answer too slowly.
    #[error("{url} answers too slowly: {cause}")]
    TooSlow {
        /// The URL, for people.
        url: String,
        /// The speed.
        cause: TooSlow,
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
    #[error(
        "{url} redirects to {target}; redirects are not followed; if that server is meant, write its address, as in \
         `url = \"{}\"`",
        base(url, target)
    )]
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
    /// The body is not the one that was sent.
    #[error("the answer of {url} changed on the way: it does not match its Content-Digest; {LOOK_BETWEEN}")]
    Altered {
        /// The URL, for people.
        url: String,
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
        matches!(
            self,
            Self::Untrusted { .. }
                | Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Stalled { .. }
                | Self::TooSlow { .. }
                | Self::Broken { .. }
        )
    }

    /// Whether something answered that is not the server that was meant: a login page of a network, as a rule.
    #[must_use]
    pub fn is_of_another_server(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::Json { .. } | Self::Redirected { .. })
    }

    /// Whether the server says that it is busy and when to come back: 503 with `Retry-After`.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.status() == Some(StatusCode::SERVICE_UNAVAILABLE) && self.retry_after().is_some()
    }

    /// Whether the same request may succeed later, though nobody does anything about it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let is_transient = |status: StatusCode| matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504);
        let needs_somebody = matches!(self, Self::Untrusted { .. });
        self.is_unanswered() && !needs_somebody || self.status().is_some_and(is_transient)
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
        match trust_fault(error) {
            Some(TrustFault::UnknownIssuer) => return Self::Untrusted { url, cause: UNKNOWN_ISSUER.to_owned() },
            Some(TrustFault::Certificate(cause)) => return Self::Untrusted { url, cause },
            Some(TrustFault::NoTls) => return Self::Unreachable { url, cause: NO_TLS.to_owned() },
            _ => {}
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let cause = words(innermost);
        if error.is_connect() { Self::Unreachable { url, cause } } else { Self::Broken { url, cause } }
    }
}

/// The system's words, or plain ones in place of a library's.
fn words(cause: &(dyn std::error::Error + 'static)) -> String {
    let text = cause.to_string();
    let is_of_system = cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.raw_os_error().is_some());
    let plain = match text.as_str() {
        _ if is_of_system => return text,
        "connection closed before message completed" => "it ended before the answer was complete",
        "operation was canceled" => "it ended",
        text if text.contains("failed to lookup address") => "no machine has this name",
        text if text.contains("HTTP version") || text.contains("status-code") => "the answer is not HTTP",
        text if text.contains("message head is too large") => "the head of the answer is too large",
        text if text.contains("HTTP header") || text.contains("chunk") => "the answer is not written as HTTP",
        text if text.contains("end of file before message length") => "it ended before the answer was complete",
        // Most often TLS, whose reasons a person must know.
        _ => return text,
    };
    plain.to_owned()
}

/// The address to configure so that the path that was asked leads to `target`.
fn base<'a>(url: &str, target: &'a str) -> &'a str {
    let asked = url.splitn(4, '/').nth(3).unwrap_or_default();
    // Of a path below a configured one, only its last parts need to be the same.
    let parts: Vec<&str> = asked.split('/').collect();
    let same = (0..parts.len()).map(|skipped| format!("/{}", parts[skipped..].join("/")));
    let base = same.into_iter().find_map(|path| target.strip_suffix(path.as_str()));
    base.unwrap_or(target)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_says_which_address_to_write() {
        let check = |url: &str, target: &str, expect: &str| assert_eq!(base(url, target), expect, "{url} {target}");
        check("http://a:1/sense", "https://b/sense", "https://b");
        check("http://a:1/sense/files", "http://a:1/feeds/sense/files", "http://a:1/feeds");
        check("http://a:1/x/read/a.csv", "http://b:1/y/read/a.csv", "http://b:1/y");
        check("http://a:1/sense", "http://b/login", "http://b/login");
    }
}
