//! The time, as the database and the API write it.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Now, as [`text`].
pub(crate) fn now() -> String {
    text(Utc::now())
}

/// The time `age` ago, as [`text`]; the beginning of 1970 if that is out of range.
pub(crate) fn before_now(age: Duration) -> String {
    let then = TimeDelta::from_std(age).ok().and_then(|age| Utc::now().checked_sub_signed(age));
    text(then.unwrap_or_default())
}

/// Now, in seconds since 1970.
pub(crate) fn seconds() -> i64 {
    Utc::now().timestamp()
}

/// A number of seconds since 1970 as [`text`], to the second.
pub(crate) fn text_of_seconds(seconds: i64) -> Option<String> {
    Some(DateTime::from_timestamp(seconds, 0)?.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A time: RFC 3339, UTC, to the millisecond.
pub(crate) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
