//! One source as the first page lists it.

use crate::http::{
    api::source_views::Source,
    pages::{
        sources::{HeldLine, RunningLine, error_text},
        text::{
            moment::Moment,
            wording::{counted, encoded, set_aside},
        },
    },
};

/// Seconds of a pass from which on a source that is up counts as slow.
const SLOW: f64 = 10.0;

/// Whether a pass over the source takes long, or the last one did and the source is up.
pub(super) fn is_slow(source: &Source) -> bool {
    source.slow_since.is_some() || (source.state == "up" && source.took_seconds.is_some_and(|seconds| seconds >= SLOW))
}

/// One source.
pub(crate) struct SourceLine {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) files: String,
    /// The link to its page, which lists its files.
    pub(crate) link: String,
    pub(crate) offers: String,
    /// Rows that were set aside and files that were rejected; none if there are none.
    pub(crate) rejects: Option<String>,
    pub(crate) rejects_link: String,
    /// None before anything of it was applied.
    pub(crate) last_applied: Option<Moment>,
    pub(crate) error: Option<String>,
    /// Words for a last pass that took long.
    pub(crate) took: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) running: Option<RunningLine>,
    pub(crate) held: Option<HeldLine>,
}

impl From<Source> for SourceLine {
    fn from(source: Source) -> Self {
        let rejects = source.rejects + source.report_rejects;
        let is_idle_and_slow = source.running.is_none() && is_slow(&source);
        let seconds = source.took_seconds.filter(|_| is_idle_and_slow);
        Self {
            rejects_link: format!("/rejects?source={}", encoded(&source.name)),
            link: format!("/sources/{}", encoded(&source.name)),
            running: RunningLine::of(&source),
            error: error_text(&source),
            took: seconds.map(|seconds| format!("slow: the last pass took {seconds:.0} s")),
            note: source.note,
            name: source.name,
            // A page must not link to a folder of this machine, but to what fills it.
            url: if source.url.starts_with("file:") { "/upload".to_owned() } else { source.url },
            state: source.state,
            files: counted(source.files + source.report_files, "file"),
            offers: counted(source.offers, "offer"),
            rejects: set_aside(rejects, source.rejected_files),
            last_applied: source.last_applied.as_deref().and_then(Moment::new),
            held: source.held.and_then(HeldLine::new),
        }
    }
}
