//! The columns of each list: the members of its items in JSON, under the same names and in the same order.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Cell;
use crate::http::api::{
    exports::ExportedFile,
    history::HistoryView,
    product_changes::Change,
    source_views::{File, Held, Reject, Running, Source, SourceError},
    suggestions::Suggestion,
    upload_view::{ResultLink, UploadView},
    views::{Aggr, Engines, Queue, Report},
};

/// An item of a list as a row.
pub(crate) trait Columns {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// Returns a cell for each column.
    fn cells(&self) -> Vec<Cell<'_>>;
}

/// Makes a row of an item. It does not compile without all of the item's members.
macro_rules! columns {
    ($item:ident: $($member:ident),*) => {
        impl Columns for $item {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($member)),*];

            fn cells(&self) -> Vec<Cell<'_>> {
                let Self { $($member),* } = self;
                vec![$(Cell::from($member)),*]
            }
        }
    };
}

columns!(Aggr: name, no_of_products);
columns!(
    Source: name, url, state, version, files, offers, rejects, last_sensed, last_applied, error, note, held, rows,
    report_files, report_rows, report_rejects, took_seconds, slow_since, next_try, errors, rejected_files, running
);
columns!(Queue: name, role, state, ready, consumers, unacknowledged, dead_lettered, error, changed_at);
columns!(Change: id, at, cause, source, file, entrance, who, columns, edit, undoable);
columns!(
    HistoryView: at, products, versions, added, updated, removed, rejected, edits, apply_seconds, max_apply_seconds, polls,
    failed_polls, poll_seconds, max_poll_seconds, requests, request_seconds, max_request_seconds
);
columns!(
    File: source, path, state, hash, size_bytes, rows, offers, rejects, repaired, replaced, reason, notes, reader, format,
    applied_at
);
columns!(Reject: source, file, line, reason, raw, report, cure, byte_offset);
columns!(Report: name, group_by, metrics, rows, files, rejects, computed_at, state, error, href, title, description, units, failing_since,
    result_url, engines);
columns!(ExportedFile: key, url, state, written_at, result_url, error, failing_since);
columns!(
    UploadView: id, filename, state, bytes, total, rows, percent, rejects, error, results, created_at, finished_at,
    suggestions, sent_by
);

/// The numbers of files are a JSON object.
impl From<&Option<Engines>> for Cell<'_> {
    fn from(engines: &Option<Engines>) -> Self {
        match engines {
            Some(engines) => json(engines),
            None => Self::Null,
        }
    }
}

/// A held version is a JSON object.
impl From<&Option<Held>> for Cell<'_> {
    fn from(held: &Option<Held>) -> Self {
        match held {
            Some(held) => json(held),
            None => Self::Null,
        }
    }
}

/// So is a pass that is under way.
impl From<&Option<Running>> for Cell<'_> {
    fn from(running: &Option<Running>) -> Self {
        match running {
            Some(running) => json(running),
            None => Self::Null,
        }
    }
}

/// Units are a JSON object.
impl From<&BTreeMap<String, String>> for Cell<'_> {
    fn from(units: &BTreeMap<String, String>) -> Self {
        let units: serde_json::Map<_, _> =
            units.iter().map(|(metric, unit)| (metric.clone(), unit.clone().into())).collect();
        Self::Text(serde_json::Value::Object(units).to_string().into())
    }
}

/// Errors are JSON objects.
impl From<&Vec<SourceError>> for Cell<'_> {
    fn from(errors: &Vec<SourceError>) -> Self {
        json(errors)
    }
}

impl From<&Vec<Suggestion>> for Cell<'_> {
    fn from(suggestions: &Vec<Suggestion>) -> Self {
        json(suggestions)
    }
}

/// Structs of texts and numbers, which can always be written.
fn json(structs: &impl Serialize) -> Cell<'static> {
    Cell::Text(serde_json::to_string(structs).unwrap_or_default().into())
}

/// Links are JSON, as lists of texts are.
impl From<&Vec<ResultLink>> for Cell<'_> {
    fn from(links: &Vec<ResultLink>) -> Self {
        let links = links.iter().map(|ResultLink { title, href }| serde_json::json!({ "title": title, "href": href }));
        Self::Text(links.collect::<serde_json::Value>().to_string().into())
    }
}
