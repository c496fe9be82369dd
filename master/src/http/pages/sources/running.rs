//! A pass that has been under way for a while, in words.

use crate::http::{
    api::source_views::Running,
    pages::text::{
        moment::Moment,
        wording::{counted, thousands},
    },
};

/// Seconds from which on a pass is shown. Most take milliseconds.
const MIN_SECONDS: f64 = 5.0;

/// A pass that is under way.
pub(crate) struct RunningLine {
    /// `listing`, `reading` or `applying`.
    pub(crate) phase: &'static str,
    pub(crate) since: Moment,
    /// Progress, with a colon before it; empty if that is not known.
    pub(crate) progress: String,
}

impl RunningLine {
    /// The words; none for a pass that has just begun.
    pub(in crate::http::pages) fn new(running: Running) -> Option<Self> {
        let Running { since, seconds, phase, files, files_read, bytes } = running;
        let progress = match files {
            0 => String::new(),
            files => {
                let (read, files) = (thousands(files_read.cast_signed()), counted(files.cast_signed(), "file"));
                format!(": {read} of {files}, {} MB so far", thousands((bytes / 1_000_000).cast_signed()))
            }
        };
        Some(Self { phase, since: Moment::new(&since)?, progress }).filter(|_| seconds >= MIN_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_pass_is_shown_with_its_progress() {
        let line = |seconds, files| {
            let since = "2026-11-29T16:00:00Z".to_owned();
            let running = Running { since, seconds, phase: "reading", files, files_read: 1_234, bytes: 5_678_900_000 };
            RunningLine::new(running).map(|line| line.progress)
        };
        assert_eq!(line(1.0, 2_000), None);
        assert_eq!(line(6.0, 0).as_deref(), Some(""));
        assert_eq!(line(6.0, 2_000).unwrap(), ": 1,234 of 2,000 files, 5,678 MB so far");
    }
}
