//! One file in S3 or a folder, or several that are written together, as the first page lists them.

use tributary_engine::ExportStatus;

use crate::http::pages::{reports::exports::state_words, text::moment::Moment};

/// One or two files with one name.
pub(crate) struct ExportLine {
    pub(crate) name: String,
    /// Its class, as sources have it.
    pub(crate) state: &'static str,
    /// The state in words for people.
    pub(crate) state_text: &'static str,
    /// The place of its first file.
    pub(crate) url: String,
    pub(crate) written: Option<Moment>,
    pub(crate) error: Option<String>,
}

impl From<&ExportStatus> for ExportLine {
    fn from(export: &ExportStatus) -> Self {
        let (state, state_text) = state_words(export.state.as_str(), export.written_at.is_some());
        Self {
            name: export.name.clone(),
            state,
            state_text,
            url: export.urls.first().cloned().unwrap_or_default(),
            written: export.written_at.as_deref().and_then(Moment::new),
            error: export.error.clone(),
        }
    }
}
