//! What happened, as those who follow it are told. Each event is stored in the transaction that causes it, so that nobody
//! hears of what did not come to pass and nobody who asks later misses what did.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tributary_store::{EventRow, Store};

use crate::clock::now;

/// One event. The word of its kind and its fields are the JSON that is stored and sent
/// (docs/reference/http-api.md#events).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Event {
    /// A version of a source was applied.
    Applied(AppliedVersion),
    /// A source is in another state than before.
    Source {
        /// The source's name.
        name: String,
        /// `up`, `down` or `rejected`.
        state: String,
    },
    /// A sku's edit was set, changed or cleared.
    Edit {
        /// The sku.
        sku: String,
    },
    /// A new configuration is in force; read again what you follow.
    Configuration {
        /// How many sources it names.
        sources: u64,
        /// How many reports it names.
        reports: u64,
    },
    /// The table of a report was written.
    Report {
        /// The report's name.
        name: String,
        /// Rows of its table.
        rows: u64,
        /// All rejects of its files.
        rejects: u64,
        /// How long it took from the first file to here.
        seconds: f64,
    },
}

/// What applying a version did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedVersion {
    /// The source's name.
    pub source: String,
    /// The version; null if only a part of it could be applied.
    pub version: Option<String>,
    /// Products that were not shown before.
    pub added: u64,
    /// Products that are shown with another name, description or origin.
    pub updated: u64,
    /// Products that are shown no more.
    pub removed: u64,
    /// Rejected rows of the files that were read.
    pub rejected: u64,
    /// How long it took from asking the source to here.
    pub seconds: f64,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Rises by one with each event.
    pub id: i64,
    /// When it happened: RFC 3339, UTC.
    pub at: String,
    /// Its word: `applied`, `source`, `edit`, `report`.
    pub kind: String,
    /// Its fields as a JSON object.
    pub data: String,
    /// What happened.
    pub event: Event,
}

/// Stores an event. Belongs into the transaction of what it tells.
pub(crate) fn put(store: &mut Store, event: &Event) -> Result<()> {
    let mut data = serde_json::to_value(event).context("failed to write an event")?;
    let kind = data.as_object_mut().and_then(|data| data.remove("kind")).unwrap_or_default();
    store.put_event(&now(), kind.as_str().unwrap_or_default(), &data.to_string())?;
    Ok(())
}

/// The event of a stored row.
pub(crate) fn read(row: &EventRow) -> Result<StoredEvent> {
    let read = || -> serde_json::Result<Event> {
        let mut data: serde_json::Value = serde_json::from_str(&row.data)?;
        data["kind"] = row.kind.as_str().into();
        serde_json::from_value(data)
    };
    let event = read().with_context(|| format!("event {} cannot be understood", row.id))?;
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
            seconds: 0.5,
        };
        let source = Event::Source { name: "north".into(), state: "up".into() };
        let report = Event::Report { name: "sales".into(), rows: 5, rejects: 6, seconds: 0.25 };
        let events = [Event::Applied(applied), source, Event::Edit { sku: "a".into() }, report];
        events.iter().for_each(|event| put(&mut store, event).unwrap());
        let rows = store.events_after(0, 9).unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| (row.id, row.kind.as_str())).collect();
        assert_eq!(kinds, [(1, "applied"), (2, "source"), (3, "edit"), (4, "report")]);
        assert_eq!(rows[1].data, r#"{"name":"north","state":"up"}"#);
        assert_eq!(rows.iter().map(|row| read(row).unwrap().event).collect::<Vec<_>>(), events);
    }
}
