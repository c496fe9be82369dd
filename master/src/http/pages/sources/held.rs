//! A held version, which waits for a person.

use crate::http::{
    api::source_views::Held,
    pages::text::wording::{counted, people_time, sentence},
};

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
    pub(crate) fn new(held: Held) -> Option<Self> {
        let Held { digest, removes, reason, until, accepted, .. } = held;
        let else_what = match until {
            Some(until) => format!("Otherwise it is applied at {} UTC.", people_time(&until)),
            None => "Until then its rows stay as they are.".to_owned(),
        };
        let button = format!("Accept: remove {}", counted(removes, "product"));
        (!accepted).then_some(Self { digest, reason: sentence(&reason), button, else_what })
    }
}
