//! The time, as the database and the API write it.

use chrono::{DateTime, SecondsFormat, Utc};

/// Now, as [`text`].
pub(crate) fn now() -> String {
    text(Utc::now())
}

/// A time: RFC 3339, UTC, to the millisecond.
pub(crate) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
