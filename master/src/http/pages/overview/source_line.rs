//! One source as the first page lists it.

use crate::http::{
    api::source_views::Source,
    pages::{
        sources::HeldLine,
        text::{
            moment::Moment,
            wording::{counted, encoded},
        },
    },
};

/// One source.
pub(crate) struct SourceLine {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) files: String,
    pub(crate) files_link: String,
    pub(crate) offers: String,
    pub(crate) rejects: String,
    pub(crate) rejects_link: String,
    pub(crate) has_rejects: bool,
    /// None before anything of it was applied.
    pub(crate) last_applied: Option<Moment>,
    pub(crate) error: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) held: Option<HeldLine>,
}

impl From<Source> for SourceLine {
    fn from(source: Source) -> Self {
        Self {
            rejects_link: format!("/rejects?source={}", encoded(&source.name)),
            files_link: format!("/files?source={}", encoded(&source.name)),
            name: source.name,
            // A page must not link to a folder of this machine, but to what fills it.
            url: if source.url.starts_with("file:") { "/upload".to_owned() } else { source.url },
            state: source.state,
            files: counted(source.files, "file"),
            offers: counted(source.offers, "offer"),
            rejects: counted(source.rejects, "reject"),
            has_rejects: source.rejects > 0,
            last_applied: source.last_applied.as_deref().and_then(Moment::new),
            // What is held is shown beside the button.
            error: source.error.filter(|error| source.held.is_none() || !error.starts_with("held, ")),
            note: source.note,
            held: source.held.and_then(HeldLine::new),
        }
    }
}
