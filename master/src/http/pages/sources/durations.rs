//! The plots of a source: how long its passes and applies took.

use tributary_engine::{Amounts, HistoryPoint, HistorySpan};

use crate::http::pages::{
    plot::{Plot, SparkValue, milliseconds, time},
    text::wording::{counted, thousands},
};

/// The longest pass and the longest apply of each step.
pub(super) fn plots(points: &[HistoryPoint], span: HistorySpan) -> Vec<Plot> {
    let longest = |seconds: fn(&Amounts) -> f64, count: fn(&Amounts) -> i64, what: fn(i64) -> String| {
        let value = |point: &HistoryPoint| {
            let value = seconds(&point.amounts);
            let counted = what(count(&point.amounts));
            SparkValue { value, title: format!("{}: {counted}, longest {}", time(point, span), milliseconds(value)) }
        };
        points.iter().map(value).collect::<Vec<_>>()
    };
    let total = |count: fn(&Amounts) -> i64| points.iter().map(|point| count(&point.amounts)).sum();
    let passes = longest(|amounts| amounts.max_poll_seconds, |amounts| amounts.polls, passes_in_words);
    let applies = longest(|amounts| amounts.max_apply_seconds, |amounts| amounts.versions, versions_in_words);
    vec![
        Plot::new("Time of a pass, over", passes_in_words(total(|amounts| amounts.polls)), passes, milliseconds),
        Plot::new(
            "Time of a change, over",
            versions_in_words(total(|amounts| amounts.versions)),
            applies,
            milliseconds,
        ),
    ]
}

fn passes_in_words(count: i64) -> String {
    format!("{} pass{}", thousands(count), if count == 1 { "" } else { "es" })
}

fn versions_in_words(count: i64) -> String {
    counted(count, "version")
}
