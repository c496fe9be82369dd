//! Faults of requests for objects, in words that name the URL and the variable to set.

use std::error::Error as StdError;

use object_store::Error as StoreError;

/// Longest part of a server's own words.
const MAX_CAUSE_CHARS: usize = 300;

/// A fault, with the URL that it is about. It holds no secret: neither a key nor a signature.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url}: {cause}")]
pub struct Error {
    url: String,
    kind: ErrorKind,
    cause: String,
}

/// The kinds of faults, for who decides what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL or a variable cannot be used. Trying again helps only after a change.
    Setting,
    /// There is no such object, or no such bucket.
    Missing,
    /// The credentials are wrong, or do not allow it.
    Denied,
    /// The object has another `ETag` than the one that was asked for.
    Changed,
    /// There was no answer, or one that asks to try again.
    Unavailable,
    /// Anything else, such as a full disk or an answer that is not S3's.
    Other,
}

impl Error {
    /// The kind of the fault.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The cause without the URL.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    pub(crate) fn new(url: &str, kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self { url: url.to_owned(), kind, cause: cause.into() }
    }

    pub(crate) fn setting(url: &str, cause: impl Into<String>) -> Self {
        Self::new(url, ErrorKind::Setting, cause)
    }

    /// Explains an error of the library. `kind` is for what it does not say.
    pub(crate) fn of_store(url: &str, kind: ErrorKind, error: &StoreError) -> Self {
        let kind = match error {
            StoreError::NotFound { .. } => ErrorKind::Missing,
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => ErrorKind::Denied,
            StoreError::Precondition { .. } | StoreError::NotModified { .. } => ErrorKind::Changed,
            _ => kind,
        };
        let mut innermost = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            if text.contains("<Code>") {
                return Self::of_answer(url, kind, &text);
            }
            (innermost, source) = (text, error.source());
        }
        let cause = match kind {
            ErrorKind::Missing => "there is no such object".to_owned(),
            ErrorKind::Changed => "the object has changed meanwhile".to_owned(),
            ErrorKind::Unavailable => return Self::unanswered(url, &innermost),
            _ => short(&innermost),
        };
        Self::new(url, kind, cause)
    }

    /// Says that there was no answer.
    pub(crate) fn unanswered(url: &str, why: &str) -> Self {
        let cause = format!("{}; is AWS_ENDPOINT_URL right, and does the server run?", short(why));
        Self::new(url, ErrorKind::Unavailable, cause)
    }

    /// Explains the XML of an error that S3 answers with.
    pub(crate) fn of_answer(url: &str, kind: ErrorKind, text: &str) -> Self {
        let Some(code) = between(text, "<Code>", "</Code>") else { return Self::new(url, kind, short(text)) };
        let said = between(text, "<Message>", "</Message>").unwrap_or_default();
        let (kind, fix) = match code {
            "NoSuchBucket" => (ErrorKind::Missing, "check the bucket's name, and AWS_ENDPOINT_URL"),
            "NoSuchKey" | "NoSuchUpload" => (ErrorKind::Missing, ""),
            "InvalidAccessKeyId" => (ErrorKind::Denied, "check AWS_ACCESS_KEY_ID"),
            "SignatureDoesNotMatch" => (ErrorKind::Denied, "check AWS_SECRET_ACCESS_KEY and AWS_REGION"),
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                (ErrorKind::Denied, "set AWS_SESSION_TOKEN, and the two keys, anew")
            }
            "RequestTimeTooSkewed" => (ErrorKind::Denied, "set the clock of this machine"),
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
                (ErrorKind::Denied, "allow it to the owner of AWS_ACCESS_KEY_ID")
            }
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                (ErrorKind::Setting, "set AWS_REGION to the region of the bucket")
            }
            "PreconditionFailed" => (ErrorKind::Changed, ""),
            "SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout" | "Throttling" => {
                (ErrorKind::Unavailable, "")
            }
            _ => (kind, ""),
        };
        let mut cause = short(code);
        for (mark, words) in [(": ", said.trim_end_matches('.')), ("; ", fix)] {
            if !words.is_empty() {
                cause.push_str(mark);
                cause.push_str(&short(words));
            }
        }
        Self::new(url, kind, cause)
    }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}

/// The text of the cause that has no cause.
pub(crate) fn innermost(error: &dyn StdError) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

/// Bounds what a server says, and takes out what a terminal would obey.
fn short(text: &str) -> String {
    text.trim().chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_CAUSE_CHARS).collect()
}
