//! The facts of one source, as the list and its own page show them.

use std::time::Duration;

use super::{HeldLine, RunningLine, error_text};
use crate::http::{
    api::source_views::Source,
    pages::text::{
        moment::Moment,
        wording::{counted, encoded, thousands},
    },
};

/// The facts of one source.
pub(crate) struct SourceFacts {
    pub(crate) name: String,
    /// Its own page.
    pub(crate) link: String,
    /// None for a folder of this machine, to which a page must not link.
    pub(crate) url: Option<String>,
    pub(crate) state: String,
    pub(crate) files: String,
    /// Files that reports read; none if there are none.
    pub(crate) report_files: Option<String>,
    pub(crate) rows: String,
    pub(crate) offers: String,
    /// Rows that are set aside, of all readers.
    pub(crate) rejects: String,
    /// The link to these rows; none if there are none.
    pub(crate) rejects_link: Option<String>,
    pub(crate) last_sensed: Option<Moment>,
    pub(crate) last_applied: Option<Moment>,
    pub(crate) took: Option<String>,
    pub(crate) next_try: Option<Moment>,
    pub(crate) error: Option<String>,
    pub(crate) note: Option<String>,
    /// Words for files that are rejected; none if there are none.
    pub(crate) rejected_files: Option<String>,
    pub(crate) running: Option<RunningLine>,
    pub(crate) held: Option<HeldLine>,
}

impl From<Source> for SourceFacts {
    fn from(source: Source) -> Self {
        let moment = |at: &Option<String>| at.as_deref().and_then(Moment::new);
        let rejects = source.rejects + source.report_rejects;
        let encoded = encoded(&source.name);
        Self {
            running: RunningLine::of(&source),
            error: error_text(&source),
            link: format!("/sources/{encoded}"),
            url: (!source.url.starts_with("file:")).then_some(source.url),
            files: thousands(source.files),
            report_files: (source.report_files > 0).then(|| thousands(source.report_files)),
            rows: thousands(source.rows + source.report_rows),
            offers: thousands(source.offers),
            rejects: thousands(rejects),
            rejects_link: (rejects > 0).then(|| format!("/rejects?source={encoded}")),
            last_sensed: moment(&source.last_sensed),
            last_applied: moment(&source.last_applied),
            took: source.took_seconds.map(seconds),
            next_try: source.next_try.as_deref().and_then(Moment::to_come),
            note: source.note,
            rejected_files: (source.rejected_files > 0)
                .then(|| format!("{} rejected", counted(source.rejected_files, "file"))),
            held: source.held.and_then(HeldLine::new),
            state: source.state,
            name: source.name,
        }
    }
}

/// A duration in the unit that suits it, with two or three digits.
fn seconds(seconds: f64) -> String {
    let millis = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..100_000 => format!("{seconds:.1} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_the_unit_that_suits_it() {
        for (duration, words) in
            [(0.0, "0 ms"), (0.0124, "12 ms"), (0.9994, "999 ms"), (1.26, "1.3 s"), (61.0, "61.0 s"), (150.0, "2 min")]
        {
            assert_eq!(seconds(duration), words);
        }
    }
}
