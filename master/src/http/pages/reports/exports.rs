//! The files of a report in S3 or a folder, with links to them.

use crate::http::{api::exports::ExportedFile, pages::text::moment::Moment};

/// A file of the report.
pub(super) struct ExportLine {
    /// Its class, as sources have it.
    pub(super) state: &'static str,
    /// The state in words for people.
    pub(super) state_text: &'static str,
    pub(super) url: String,
    pub(super) link: Option<String>,
    pub(super) written: Option<Moment>,
    pub(super) error: Option<String>,
}

/// The class of a state, and its words for people.
pub(crate) fn state_words(state: &str, is_written: bool) -> (&'static str, &'static str) {
    match (state, is_written) {
        ("current", _) => ("up", "written"),
        ("failed", _) => ("down", "cannot be written, will be tried again"),
        (_, false) => ("unknown", "not written yet"),
        (_, true) => ("unknown", "changed, not written yet"),
    }
}

impl From<ExportedFile> for ExportLine {
    fn from(file: ExportedFile) -> Self {
        let (state, state_text) = state_words(file.state, file.written_at.is_some());
        Self {
            state,
            state_text,
            url: file.url,
            link: file.result_url,
            written: file.written_at.as_deref().and_then(Moment::new),
            error: file.error,
        }
    }
}
