//! One source as the first page lists it.

use crate::http::{
    api::views::{Held, Source},
    pages::text::{
        moment::Moment,
        wording::{counted, encoded, people_time, sentence},
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

/// The held version of a source.
pub(crate) struct HeldLine {
    pub(crate) digest: String,
    /// A sentence: what would go and why.
    pub(crate) reason: String,
    /// Label of the button, which says what accepting it does.
    pub(crate) button: String,
    /// Consequence if nobody does.
    pub(crate) else_what: String,
}

impl HeldLine {
    /// `None` once it was accepted: then there is nothing left to decide.
    fn new(held: Held) -> Option<Self> {
        let Held { digest, removes, reason, until, accepted, .. } = held;
        let else_what = match until {
            Some(until) => format!("Otherwise it is applied at {} UTC.", people_time(&until)),
            None => "Until then its rows stay as they are.".to_owned(),
        };
        let button = format!("Accept: remove {}", counted(removes, "product"));
        (!accepted).then_some(Self { digest, reason: sentence(&reason), button, else_what })
    }
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
