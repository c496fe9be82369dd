//! The JSON of the API (docs/reference/http-api.md). Made from what the engine returns; the pages have types of their own.

use std::collections::BTreeMap;

use serde::Serialize;
use tributary_config::{ReportConfig, report_of};
use tributary_engine::{
    AggrRow, FileView, HeldVersionRow, QueueRow, RejectView, ReportSummary, SourceHealth, SourceView,
};
use utoipa::ToSchema;

use crate::http::pages::text::wording::encoded;

/// A list, whole or a part of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Items<T: ToSchema> {
    /// The rows, in the order that the list has.
    pub(crate) items: Vec<T>,
}

/// A page of the names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AggrPage {
    /// In the requested order.
    pub(crate) items: Vec<Aggr>,
    /// Names on all pages.
    pub(crate) total: i64,
}

/// A name and its number of products.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Aggr {
    /// The name, which may be empty.
    pub(crate) name: String,
    /// At least 1.
    pub(crate) no_of_products: i64,
}

/// A source and its health.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    /// Its identity.
    pub(crate) name: String,
    /// Its URL.
    pub(crate) url: String,
    /// `unknown` before the first pass, `down` if the last one failed, `held` if its version waits for a person, `rejected` if a file
    /// is or more rows are than are not, else `up`.
    pub(crate) state: String,
    /// The last version that was applied completely.
    pub(crate) version: Option<String>,
    /// Number of its files.
    pub(crate) files: i64,
    /// Offers of all its files, shown or not.
    pub(crate) offers: i64,
    /// Rejected rows of all its files.
    pub(crate) rejects: i64,
    /// When it last answered, RFC 3339.
    pub(crate) last_sensed: Option<String>,
    /// When a change of it was last applied, RFC 3339.
    pub(crate) last_applied: Option<String>,
    /// Why the last pass failed, which files are rejected, or what is held.
    pub(crate) error: Option<String>,
    /// A remark on what it offers: that it offers no file and why, or which files never rest.
    pub(crate) note: Option<String>,
    /// The version that waits for a person, because it would take too much away; null if none does.
    pub(crate) held: Option<Held>,
}

/// A version that waits for a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Held {
    /// Digest of what is held; the same as long as the same skus would go.
    pub(crate) digest: String,
    /// Number of skus that would go.
    pub(crate) removes: i64,
    /// Distinct skus that the source offers.
    pub(crate) offers: i64,
    /// Reason, for people: what would go and why.
    pub(crate) reason: String,
    /// Since when the same skus would go, RFC 3339.
    pub(crate) since: String,
    /// When it is applied by itself, RFC 3339; null: never.
    pub(crate) until: Option<String>,
    /// Whether it was accepted; then the next pass applies it.
    pub(crate) accepted: bool,
}

/// A queue of the broker.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queue {
    /// Its name.
    pub(crate) name: String,
    /// `operations`, whose messages become edits; `documents`, whose messages relays hand over; `dead letters`, which can never be
    /// used; or `events`, an exchange that events are published to.
    pub(crate) role: String,
    /// `up`, `down` if the broker cannot be used, or `unknown` before the first look.
    pub(crate) state: &'static str,
    /// Messages that wait, of an exchange those that it has not confirmed yet; null before the first look.
    pub(crate) ready: Option<i64>,
    /// Consumers; null before the first look, and for an exchange.
    pub(crate) consumers: Option<i64>,
    /// Messages that this master has in hand; null if others take the messages of this queue.
    pub(crate) unacknowledged: Option<i64>,
    /// Messages of it that this master has made dead letters since its start.
    pub(crate) dead_lettered: i64,
    /// Why the broker cannot be used.
    pub(crate) error: Option<String>,
    /// When one of these last changed, RFC 3339.
    pub(crate) changed_at: String,
}

/// A product feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct File {
    /// The source's name.
    pub(crate) source: String,
    /// Its path.
    pub(crate) path: String,
    /// `applied`, `rejected` or `changing`: the state of its latest content.
    pub(crate) state: String,
    /// Hash of the accepted content; null while none was accepted.
    pub(crate) hash: Option<String>,
    /// Its size.
    pub(crate) size_bytes: i64,
    /// Its rows, rejects included.
    pub(crate) rows: i64,
    /// Distinct skus that it offers.
    pub(crate) offers: i64,
    /// Its rejects.
    pub(crate) rejects: i64,
    /// Rows of it with a stray quote that was read leniently.
    pub(crate) repaired: i64,
    /// Good rows of it that a later row replaces.
    pub(crate) replaced: i64,
    /// Reason why the latest content was rejected.
    pub(crate) reason: Option<String>,
    /// Notes on what was guessed or left out, for people.
    pub(crate) notes: Option<String>,
}

/// A row that could not be used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reject {
    /// The source's name.
    pub(crate) source: String,
    /// The file's path.
    pub(crate) file: String,
    /// The line on which the row begins; the first line is 1.
    pub(crate) line: i64,
    /// Why it could not be used.
    pub(crate) reason: String,
    /// The raw text, cut at 1 KiB.
    pub(crate) raw: String,
    /// The report that could not use the row; null for a row that is no product.
    pub(crate) report: Option<String>,
}

/// A report without its rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    /// Its identity.
    pub(crate) name: String,
    /// The columns that rows are grouped by.
    pub(crate) group_by: Vec<String>,
    /// The columns that are computed.
    pub(crate) metrics: Vec<String>,
    /// Its groups.
    pub(crate) rows: i64,
    /// Its files.
    pub(crate) files: usize,
    /// All rejects of its files.
    pub(crate) rejects: i64,
    /// When its table was written; null if it never was as it is configured.
    pub(crate) computed_at: Option<String>,
    /// `computing` until its totals over all sources are written as it is configured; `failed` if the last attempt failed;
    /// `rejected` if a file is rejected; `current` otherwise.
    pub(crate) state: &'static str,
    /// Why it failed, or which files are rejected and why; null in the other states.
    pub(crate) error: Option<String>,
    /// The path of its rows.
    pub(crate) href: String,
    /// Heading for people; the name if none is configured.
    pub(crate) title: String,
    /// Text on what it shows, for people; null if nothing is configured.
    pub(crate) description: Option<String>,
    /// Unit per metric that has one.
    pub(crate) units: BTreeMap<String, String>,
}

impl Report {
    pub(crate) fn new(report: &ReportConfig, summary: &ReportSummary) -> Self {
        let ReportConfig { name, display, group_by, metrics, .. } = report.clone();
        Self {
            href: format!("/api/v1/reports/{}", encoded(&name)),
            title: report.title().to_owned(),
            description: display.description,
            units: display.units,
            name,
            group_by,
            metrics,
            rows: summary.groups,
            files: summary.files.len(),
            rejects: summary.rejects,
            computed_at: summary.computed_at.clone(),
            state: summary.state.as_str(),
            error: summary.error.clone(),
        }
    }
}

impl From<AggrRow> for Aggr {
    fn from(AggrRow { name, no_of_products }: AggrRow) -> Self {
        Self { name, no_of_products }
    }
}

impl From<RejectView> for Reject {
    fn from(RejectView { reader, source, file, line, reason, raw, .. }: RejectView) -> Self {
        Self { source, file, line, reason, raw, report: report_of(&reader).map(str::to_owned) }
    }
}

impl From<FileView> for File {
    fn from(row: FileView) -> Self {
        let state = row.state.to_string();
        let FileView { source, path, hash, size_bytes, rows, rejects, repaired, reason, notes, .. } = row;
        let offers = row.results;
        let replaced = row.unused;
        Self { source, path, state, hash, size_bytes, rows, offers, rejects, repaired, replaced, reason, notes }
    }
}

impl From<HeldVersionRow> for Held {
    fn from(row: HeldVersionRow) -> Self {
        let HeldVersionRow { digest, removes, offers, reason, held_since, held_until, accepted, source_id: _ } = row;
        Self { digest, removes, offers, reason, since: held_since, until: held_until, accepted }
    }
}

impl From<QueueRow> for Queue {
    fn from(row: QueueRow) -> Self {
        let QueueRow { name, position: _, role, ready, consumers, unacknowledged, set_aside, error, changed_at } = row;
        let state = match (&error, ready) {
            (Some(_), _) => "down",
            (None, None) => "unknown",
            (None, Some(_)) => "up",
        };
        let dead_lettered = set_aside;
        Self { name, role, state, ready, consumers, unacknowledged, dead_lettered, error, changed_at }
    }
}

impl From<SourceHealth> for Source {
    fn from(SourceHealth { stored, status }: SourceHealth) -> Self {
        let offers = stored.results;
        let SourceView { name, url, state, version, files, rejects, last_sensed, last_applied, error, held, .. } =
            stored;
        let (state, error) = match status.state {
            Some(newer) => (newer, status.error),
            None => (state, error),
        };
        let last_sensed = status.last_sensed.or(last_sensed);
        let note = status.note;
        let state = state.to_string();
        let held = held.map(Held::from);
        Self { name, url, state, version, files, offers, rejects, last_sensed, last_applied, error, note, held }
    }
}

/// An event as it is sent; the schema of [`tributary_engine::Event`].
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schema(as = Event)]
#[allow(dead_code)] // Only its schema is used: the engine stores events in this form.
pub(crate) enum EventView {
    /// A version of a source was applied.
    Applied {
        /// The source's name.
        source: String,
        /// Null if only part of the version could be applied.
        version: Option<String>,
        /// Products that were not shown before.
        added: u64,
        /// Products shown with another name, description or origin.
        updated: u64,
        /// Products that are no longer shown.
        removed: u64,
        /// Rejected rows of the files that were read.
        rejected: u64,
        /// From asking the source to the commit.
        seconds: f64,
    },
    /// A version of a source waits for a person, because it would take too much away.
    Held {
        /// The source's name.
        source: String,
        /// Skus that would go.
        removes: i64,
        /// Distinct skus that the source offers.
        offers: i64,
        /// Reason, for people: what would go and why.
        reason: String,
    },
    /// A source changed its state.
    Source {
        /// The source's name.
        name: String,
        /// `up`, `down`, `rejected` or `held`.
        state: String,
    },
    /// A sku's edit was set, changed or cleared.
    Edit {
        /// The sku.
        sku: String,
    },
    /// A new configuration is in force; read again what you follow.
    Configuration {
        /// Number of its sources.
        sources: u64,
        /// Number of its reports.
        reports: u64,
    },
    /// The table of a report was written.
    Report {
        /// The report's name.
        name: String,
        /// Rows of its table.
        rows: u64,
        /// Rejects of the files that were computed.
        rejects: u64,
        /// From the first file to the commit.
        seconds: f64,
    },
}
