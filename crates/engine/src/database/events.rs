//! Events, as subscribers receive them. Each is stored in the transaction that causes it: a subscriber never gets an event of
//! something that was rolled back, and one that resumes later misses none. The history counts what they say.

use std::borrow::Borrow;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tributary_store::{Amounts, EventRow, Store};

use crate::clock::{self, now};

/// One event, see `docs/reference/http-api.md#events`. Its kind and fields, as JSON, are stored and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Event {
    /// A version of a source was applied.
    Applied(AppliedVersion),
    /// A version of a source is held: it would take too much away.
    Held(HeldVersion),
    /// A held version was accepted.
    Accepted(AcceptedVersion),
    /// The state of a source changed.
    Source {
        /// The source's name.
        name: String,
        /// `up`, `down`, `rejected` or `held`.
        state: String,
    },
    /// Documents were taken back.
    Removed(RemovedDocuments),
    /// The edit of a sku was set, changed or cleared.
    Edit {
        /// The sku.
        sku: String,
    },
    /// A new configuration is in force; read again what you follow.
    Configuration {
        /// The number of sources.
        sources: u64,
        /// The number of reports.
        reports: u64,
    },
    /// The table of a report was written.
    Report {
        /// The report's name.
        name: String,
        /// Rows of its table.
        rows: u64,
        /// All rejects of its files, including those that were computed before.
        rejects: u64,
        /// Seconds from the first file to the commit.
        seconds: f64,
    },
}

/// The outcome of applying a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedVersion {
    /// The source's name.
    pub source: String,
    /// The version; `None` if only a part of it could be applied.
    pub version: Option<String>,
    /// Products that are new.
    pub added: u64,
    /// Products with another name, description or origin than before.
    pub updated: u64,
    /// Products that are no longer shown.
    pub removed: u64,
    /// Rejected rows of the files that were read.
    pub rejected: u64,
    /// Some of the products that changed, at most five; none in an event of an older program.
    #[serde(default)]
    pub skus: Vec<String>,
    /// Seconds from asking the source to the commit.
    pub seconds: f64,
}

/// A version that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldVersion {
    /// The source's name.
    pub source: String,
    /// Skus that would go.
    pub removes: i64,
    /// Distinct skus that the source offers.
    pub offers: i64,
    /// Reason, for people: what would go and why.
    pub reason: String,
}

/// A held version that someone let pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcceptedVersion {
    /// The source's name.
    pub source: String,
    /// Skus that go.
    pub removes: i64,
    /// The person or program that accepted it; `None`: not known.
    pub by: Option<String>,
}

/// Documents that someone took back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemovedDocuments {
    /// The path in the source `uploads`; one that ends in `/` is a folder.
    pub path: String,
    /// The number of documents.
    pub documents: u64,
    /// The person or program that took them back; `None`: not known.
    pub by: Option<String>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its number; each event has the next one.
    pub id: i64,
    /// The time, RFC 3339 in UTC.
    pub at: String,
    /// Its kind: `applied`, `held`, `accepted`, `source`, `removed`, `edit`, `configuration` or `report`.
    pub kind: String,
    /// Its fields as a JSON object.
    pub data: String,
    /// The same, parsed.
    pub event: Event,
}

/// Stores an event. Call it in the transaction that causes the event.
///
/// # Errors
/// The database fails.
pub(crate) fn put(store: &mut Store, event: &Event) -> Result<()> {
    put_all(store, [event])
}

/// As [`put`], for events that one transaction causes together.
///
/// # Errors
/// The database fails.
pub(crate) fn put_all<E: Borrow<Event>>(store: &mut Store, events: impl IntoIterator<Item = E>) -> Result<()> {
    let (mut rows, mut whole, mut sources) = (Vec::new(), Amounts::default(), Vec::new());
    for event in events {
        let event = event.borrow();
        rows.push(parts(event)?);
        whole.edits += i64::from(matches!(event, Event::Edit { .. }));
        if let Event::Applied(applied) = event {
            whole.add(&amounts(applied));
            sources.push((applied.source.clone(), amounts(applied)));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    store.put_events(&now(), &rows)?;
    sources.push((String::new(), whole));
    for (source, amounts) in sources.iter().filter(|(_, amounts)| *amounts != Amounts::default()) {
        store.add_to_history(source, clock::seconds(), amounts)?;
    }
    Ok(())
}

/// A version as the history counts it.
fn amounts(applied: &AppliedVersion) -> Amounts {
    let AppliedVersion { added, updated, removed, rejected, seconds, .. } = applied;
    let [added, updated, removed, rejected] = [added, updated, removed, rejected].map(|count| count.cast_signed());
    let (apply_seconds, max_apply_seconds) = (*seconds, *seconds);
    Amounts { versions: 1, added, updated, removed, rejected, apply_seconds, max_apply_seconds, ..Amounts::default() }
}

/// The kind of an event, and its fields as JSON.
fn parts(event: &Event) -> Result<(String, String)> {
    // Edits come by the thousand, and making a map of values took longer than storing the event.
    if let Event::Edit { sku } = event {
        return Ok(("edit".to_owned(), format!("{{\"sku\":{}}}", serde_json::to_string(sku)?)));
    }
    let mut data = serde_json::to_value(event).context("failed to serialize an event")?;
    let kind = data.as_object_mut().and_then(|data| data.remove("kind")).unwrap_or_default();
    Ok((kind.as_str().unwrap_or_default().to_owned(), data.to_string()))
}

/// Parses a stored event.
///
/// # Errors
/// The row is damaged, or was written by a later program.
pub(crate) fn read(row: &EventRow) -> Result<StoredEvent> {
    let read = || -> serde_json::Result<Event> {
        let mut data: serde_json::Value = serde_json::from_str(&row.data)?;
        data["kind"] = row.kind.as_str().into();
        serde_json::from_value(data)
    };
    let event = read().with_context(|| format!("failed to parse the stored event {}", row.id))?;
    let EventRow { id, at, kind, data } = row.clone();
    Ok(StoredEvent { id, at, kind, data, event })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_stored_with_its_kind_apart_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let applied = AppliedVersion {
            source: "north".into(),
            version: Some("v".into()),
            added: 1,
            updated: 2,
            removed: 3,
            rejected: 4,
            skus: vec!["a".into()],
            seconds: 0.5,
        };
        let source = Event::Source { name: "north".into(), state: "up".into() };
        let report = Event::Report { name: "sales".into(), rows: 5, rejects: 6, seconds: 0.25 };
        let events = [Event::Applied(applied), source, Event::Edit { sku: "a \"\u{1}ü".into() }, report];
        events.iter().for_each(|event| put(&mut store, event).unwrap());
        let rows = store.events_after(0, 9).unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| (row.id, row.kind.as_str())).collect();
        assert_eq!(kinds, [(1, "applied"), (2, "source"), (3, "edit"), (4, "report")]);
        assert_eq!(rows[1].data, r#"{"name":"north","state":"up"}"#);
        assert_eq!(rows[2].data, r#"{"sku":"a \"\u0001ü"}"#);
        assert_eq!(rows.iter().map(|row| read(row).unwrap().event).collect::<Vec<_>>(), events);
    }
}
