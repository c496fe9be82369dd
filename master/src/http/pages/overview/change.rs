//! One event as the page lists it.

use tributary_engine::{AppliedVersion, Event, HeldVersion};

use crate::http::pages::text::{
    moment::Moment,
    wording::{counted, encoded, thousands},
};

/// A change.
pub(crate) struct Change {
    pub(crate) at: Option<Moment>,
    pub(crate) who: String,
    pub(crate) what: String,
    /// A link to details.
    pub(crate) link: Option<String>,
}

impl Change {
    /// An event as a person reads it.
    pub(crate) fn new(at: &str, event: Event) -> Self {
        let at = Moment::new(at);
        match event {
            Event::Applied(AppliedVersion { source, added, updated, removed, rejected, seconds, .. }) => {
                let count = |sign: char, count: u64| format!("{sign}{}", thousands(count as i64));
                let rejects =
                    if rejected > 0 { format!(", {} rejected", thousands(rejected as i64)) } else { String::new() };
                let (added, updated, removed) = (count('+', added), count('~', updated), count('−', removed));
                let what = format!("{added} {updated} {removed}{rejects} in {seconds:.2} s");
                Self { at, who: source, what, link: None }
            }
            Event::Held(HeldVersion { source, removes, .. }) => {
                let what = format!("is held: it would remove {}", counted(removes, "product"));
                Self { at, who: source, what, link: Some("/#sources-heading".to_owned()) }
            }
            Event::Source { name, state } => Self { at, who: name, what: format!("is {state}"), link: None },
            Event::Edit { sku } => {
                let link = Some(format!("/?sku={}", encoded(&sku)));
                Self { at, who: sku, what: "was edited".to_owned(), link }
            }
            Event::Configuration { sources, reports } => {
                let (sources, reports) = (counted(sources as i64, "source"), counted(reports as i64, "report"));
                let what = format!("was changed: {sources}, {reports}");
                Self { at, who: "The configuration".to_owned(), what, link: None }
            }
            Event::Report { name, rows, rejects, seconds } => {
                let rejects =
                    if rejects > 0 { format!(", {}", counted(rejects as i64, "reject")) } else { String::new() };
                let what = format!("was computed: {}{rejects} in {seconds:.2} s", counted(rows as i64, "row"));
                Self { at, link: Some(format!("/reports/{}", encoded(&name))), who: name, what }
            }
        }
    }
}
