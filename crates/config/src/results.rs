//! `[results]`: the place that results and lists are written to, in S3 or a folder.

use std::{fmt, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::duration;

/// The shortest time between two exports on a schedule.
const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// The place that results and lists are written to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultsConfig {
    /// `s3://BUCKET/PREFIX` or `file:///FOLDER`. Who opens it checks the rest. Default: none, so that nothing is written.
    pub url: Option<String>,
    /// When the lists `products` and `aggr` are written. Default: never.
    pub export: Option<ExportTimes>,
}

/// When lists are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportTimes {
    /// After each change.
    Changes,
    /// So long after the last time, if something has changed.
    Every(Duration),
}

impl fmt::Display for ExportTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes => f.write_str("after each change"),
            Self::Every(time) => write!(f, "every {}, if they have changed", humantime::format_duration(*time)),
        }
    }
}

/// `[results]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultsAsTyped {
    pub(super) url: Option<Spanned<String>>,
    pub(super) export: Option<Spanned<String>>,
}

/// Checks the kind of a place. What stands before an `@` may be a secret, so nothing is repeated.
pub(super) fn url(text: &str) -> Result<String, String> {
    if text == "memory:" || ["s3://", "file:///"].iter().any(|kind| text.starts_with(kind)) && !text.contains('@') {
        return Ok(text.to_owned());
    }
    let fix = "write s3://BUCKET/PREFIX or file:///FOLDER; credentials are set with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    Err(format!("this is no place for results; {fix}"))
}

/// Parses when lists are written.
pub(super) fn export_times(text: &str) -> Result<ExportTimes, String> {
    if text == "changes" {
        return Ok(ExportTimes::Changes);
    }
    match duration(text) {
        Ok(time) if time >= MIN_INTERVAL => Ok(ExportTimes::Every(time)),
        Ok(_) => Err(format!("`{text}` is too short; write \"1m\" or more, or \"changes\"")),
        Err(_) => Err(format!("`{text}` says no times; write \"changes\", or a time such as \"1h\"")),
    }
}
