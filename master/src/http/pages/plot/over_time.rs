//! Plots of the history: a figure with a small plot, the words for its times, and the spans that it can cover.

use chrono::{DateTime, Utc};
use tributary_engine::{HistoryPoint, HistorySpan};

use super::{Spark, SparkValue};
use crate::http::server::error::ApiError;

/// A plot with its heading.
pub(crate) struct Plot {
    pub(crate) label: &'static str,
    /// The sum, or what stands for it.
    pub(crate) figure: String,
    /// The highest value.
    pub(crate) highest: String,
    pub(crate) spark: Spark,
}

impl Plot {
    /// Draws values, of which `words` says the highest.
    pub(in crate::http) fn new(
        label: &'static str,
        figure: String,
        values: Vec<SparkValue>,
        words: impl Fn(f64) -> String,
    ) -> Self {
        let highest = values.iter().map(|value| value.value).fold(0.0, f64::max);
        Self { label, figure, highest: words(highest), spark: Spark::new(values) }
    }
}

/// A span that plots can cover.
pub(crate) struct SpanLink {
    pub(crate) name: &'static str,
    /// None for the span that is shown.
    pub(crate) link: Option<String>,
}

impl SpanLink {
    /// All spans, each with its link.
    pub(in crate::http) fn all(shown: HistorySpan, link: impl Fn(&str) -> String) -> Vec<Self> {
        let one = |span: HistorySpan| Self { name: span.as_str(), link: (span != shown).then(|| link(span.as_str())) };
        HistorySpan::ALL.into_iter().map(one).collect()
    }
}

/// The span of this name; an hour if none is named.
///
/// # Errors
/// There is no such span.
pub(in crate::http) fn span(name: Option<String>) -> Result<HistorySpan, ApiError> {
    let Some(name) = name else { return Ok(HistorySpan::default()) };
    HistorySpan::named(&name)
        .ok_or_else(|| ApiError::BadRequest(format!("`span` must be `hour`, `day`, `week` or `year`, not `{name}`")))
}

/// Words for the beginning of a step.
pub(in crate::http) fn time(point: &HistoryPoint, span: HistorySpan) -> String {
    let at = DateTime::<Utc>::from_timestamp(point.at, 0).unwrap_or_default();
    let form = match span {
        HistorySpan::Hour | HistorySpan::Day => "%H:%M UTC",
        HistorySpan::Week => "%a %H:%M UTC",
        HistorySpan::Year => "%Y-%m-%d",
    };
    at.format(form).to_string()
}

/// Words for a short duration.
pub(in crate::http) fn milliseconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}
