//! One event as the page lists it, in words.

use tributary_engine::{AcceptedVersion, AppliedVersion, Event, HeldVersion, RemovedDocuments};

use crate::http::pages::{
    product::link,
    text::{
        moment::Moment,
        wording::{counted, encoded},
    },
};

/// A change.
pub(crate) struct Change {
    pub(crate) at: Option<Moment>,
    pub(crate) who: String,
    pub(crate) what: String,
    /// A link to details.
    pub(crate) link: Option<String>,
    /// Some of the products that changed: link and SKU.
    pub(crate) skus: Vec<(String, String)>,
    /// Whether more products changed than are named.
    pub(crate) has_more: bool,
}

impl Change {
    /// An event as a person reads it.
    pub(crate) fn new(at: &str, event: Event) -> Self {
        let at = Moment::new(at);
        let change = |who: String, what: String, link: Option<String>| Self {
            at,
            who,
            what,
            link,
            skus: Vec::new(),
            has_more: false,
        };
        match event {
            Event::Applied(applied) => {
                let AppliedVersion { added, updated, removed, .. } = applied;
                let what = words(&applied);
                let skus: Vec<_> = applied.skus.into_iter().map(|sku| (link(&sku), sku)).collect();
                let has_more = added + updated + removed > skus.len() as u64;
                let link = Some(format!("/sources/{}", encoded(&applied.source)));
                Self { skus, has_more, ..change(applied.source, what, link) }
            }
            Event::Held(HeldVersion { source, removes, .. }) => {
                let what = format!("is held: it would remove {}", counted(removes, "product"));
                change(source, what, Some("/#sources-heading".to_owned()))
            }
            Event::Accepted(AcceptedVersion { source, removes, by }) => {
                let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
                let what = format!("was accepted{by}: it removes {}", counted(removes, "product"));
                let link = Some(format!("/sources/{}", encoded(&source)));
                change(source, what, link)
            }
            Event::Source { name, state } => {
                let link = Some(format!("/sources/{}", encoded(&name)));
                let what = match state.as_str() {
                    "up" => "is up".to_owned(),
                    "rejected" => "has a file that cannot be used".to_owned(),
                    state => format!("is {state}"),
                };
                change(name, what, link)
            }
            Event::Removed(RemovedDocuments { path, documents, by }) => {
                let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
                let what = match path.ends_with('/') {
                    true => format!("{} taken back{by}", counted(documents.cast_signed(), "upload")),
                    false => format!("was taken back{by}"),
                };
                change(path, what, Some("/upload#uploads-heading".to_owned()))
            }
            Event::Edit { sku } => {
                let link = Some(link(&sku));
                change(sku, "was corrected by hand".to_owned(), link)
            }
            Event::Configuration { sources, reports } => {
                let (sources, reports) = (counted(sources as i64, "source"), counted(reports as i64, "report"));
                change("The configuration".to_owned(), format!("was changed: {sources}, {reports}"), None)
            }
            Event::Report { name, rows, rejects, seconds } => {
                let rejects = set_aside(rejects);
                let what = format!("was computed: {}{rejects} in {seconds:.2} s", counted(rows as i64, "row"));
                let link = Some(format!("/reports/{}", encoded(&name)));
                change(name, what, link)
            }
        }
    }
}

/// Words for what a version changed, such as `3 products changed, 1 added in 0.20 s`.
fn words(applied: &AppliedVersion) -> String {
    let AppliedVersion { added, updated, removed, rejected, seconds, .. } = applied;
    let changes = [(updated, "changed"), (added, "added"), (removed, "removed")];
    let mut parts = Vec::new();
    for (count, what) in changes.into_iter().filter(|(count, _)| **count > 0) {
        // Only the first part says of what.
        let count = if parts.is_empty() {
            counted(count.cast_signed(), "product")
        } else {
            tributary_cli_common::text::thousands(*count)
        };
        parts.push(format!("{count} {what}"));
    }
    if parts.is_empty() {
        parts.push("was read again, no product changed".to_owned());
    }
    format!("{}{} in {seconds:.2} s", parts.join(", "), set_aside(*rejected))
}

fn set_aside(rejects: u64) -> String {
    if rejects > 0 { format!(", {} set aside", counted(rejects.cast_signed(), "row")) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_what_it_changed_and_names_some_products() {
        let check = |[updated, added, removed, rejected]: [u64; 4], words: &str, has_more: bool| {
            let skus = vec!["A 1".to_owned()];
            let (source, version, seconds) = ("north".to_owned(), None, 0.2);
            let event = AppliedVersion { source, version, added, updated, removed, rejected, skus, seconds };
            let change = Change::new("2026-11-29T12:00:00Z", Event::Applied(event));
            assert_eq!((change.what.as_str(), change.has_more), (words, has_more));
            assert_eq!(change.skus, [("/products/A%201".to_owned(), "A 1".to_owned())]);
        };
        check([3, 1, 0, 0], "3 products changed, 1 added in 0.20 s", true);
        check([1, 0, 0, 0], "1 product changed in 0.20 s", false);
        check([0, 1_000, 2, 4], "1,000 products added, 2 removed, 4 rows set aside in 0.20 s", true);
        check([0, 0, 0, 1], "was read again, no product changed, 1 row set aside in 0.20 s", false);
    }
}
