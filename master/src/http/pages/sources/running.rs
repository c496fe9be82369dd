//! A pass that has been under way for a while, in words.

use tributary_cli_common::bars::HumanBytes;

use crate::http::{
    api::source_views::{Running, Source},
    pages::text::{
        moment::Moment,
        wording::{counted, thousands},
    },
};

/// Seconds from which on a pass is shown. Most take milliseconds.
const MIN_SECONDS: f64 = 5.0;

/// A pass that is under way. The source is *slow* once the pass takes long; since when is said only here.
pub(crate) struct RunningLine {
    /// `listing`, `reading` or `applying`.
    pub(crate) phase: &'static str,
    pub(crate) since: Moment,
    pub(crate) is_slow: bool,
    /// Progress, with a colon before it; empty if that is not known.
    pub(crate) progress: String,
}

impl RunningLine {
    /// The words; none for a pass that has just begun.
    pub(in crate::http::pages) fn of(source: &Source) -> Option<Self> {
        let is_slow = source.slow_since.is_some();
        let &Running { since: _, seconds, phase, files, files_read, bytes } = source.running.as_ref()?;
        let progress = match files {
            0 => String::new(),
            files => {
                let (read, files) = (thousands(files_read.cast_signed()), counted(files.cast_signed(), "file"));
                format!(": {read} of {files}, {} so far", HumanBytes(bytes))
            }
        };
        (seconds >= MIN_SECONDS).then(|| Self { phase, since: Moment::ago(seconds), is_slow, progress })
    }
}

/// The error of a source as a page shows it. What is held stands beside its button. That a source cannot be reached is past while it is being
/// read.
pub(in crate::http::pages) fn error_text(source: &Source) -> Option<String> {
    let error = source.error.as_ref().filter(|error| source.held.is_none() || !error.starts_with("held, "))?;
    let is_past = source.state == "down" && RunningLine::of(source).is_some();
    Some(if is_past { format!("before that: {error}") } else { error.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::sources::source::tests::evil_source;

    /// A source that sent for an hour was said to be out of reach all the time.
    #[test]
    fn an_error_of_the_pass_before_is_past() {
        let text = |seconds, state: &str| {
            let running = evil_source().running.map(|running| Running { seconds, ..running });
            let error = Some("it cannot be reached".to_owned());
            error_text(&Source { running, state: state.to_owned(), error, ..evil_source() }).unwrap()
        };
        assert_eq!(text(9.0, "down"), "before that: it cannot be reached");
        assert_eq!(text(1.0, "down"), "it cannot be reached");
        assert_eq!(text(9.0, "rejected"), "it cannot be reached");
        let held = Source { error: Some("held, because".to_owned()), ..evil_source() };
        assert_eq!(error_text(&held), None);
    }

    #[test]
    fn only_a_long_pass_is_shown_with_its_progress() {
        let line = |seconds, files, bytes| {
            let since = "2026-11-29T16:00:00Z".to_owned();
            let running = Running { since, seconds, phase: "reading", files, files_read: 1_234, bytes };
            let slow_since = (seconds > 10.0).then(|| running.since.clone());
            let source = Source { running: Some(running), slow_since, ..evil_source() };
            RunningLine::of(&source).map(|line| (line.is_slow, line.progress))
        };
        assert_eq!(line(1.0, 2_000, 1), None);
        assert_eq!(line(6.0, 0, 0), Some((false, String::new())));
        let words = |progress: &str| Some((true, progress.to_owned()));
        assert_eq!(line(11.0, 2_000, 5_678_900_000), words(": 1,234 of 2,000 files, 5.29 GiB so far"));
        assert_eq!(line(11.0, 2_000, 2_048), words(": 1,234 of 2,000 files, 2.00 KiB so far"));
    }
}
