//! The JSON of the API (docs/reference/http-api.md). Made from what the engine returns; the pages have types of their own.

use std::collections::BTreeMap;

use serde::Serialize;
use tributary_config::ReportConfig;
use tributary_engine::{AggrRow, EngineCounts, QueueRow, ReportSummary};
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
    /// `rejected` if a file is rejected or more rows are than are not; `current` otherwise.
    pub(crate) state: &'static str,
    /// Why it failed, which files are rejected and why, or that more rows are rejected than not; null in the other states.
    pub(crate) error: Option<String>,
    /// Since when it fails, RFC 3339; null unless it is `failed`, and while it only waits for a source that is down.
    pub(crate) failing_since: Option<String>,
    /// The path of its rows.
    pub(crate) href: String,
    /// Heading for people; the name if none is configured.
    pub(crate) title: String,
    /// Text on what it shows, for people; null if nothing is configured.
    pub(crate) description: Option<String>,
    /// Unit per metric that has one.
    pub(crate) units: BTreeMap<String, String>,
    /// A link to its rows as CSV in S3, with which anyone can read them for 12 hours; null if they are not written there.
    pub(crate) result_url: Option<String>,
    /// Its files by the engine that has computed them; null for a report without `engine = "ballista"`.
    pub(crate) engines: Option<Engines>,
}

/// Files of a report by the engine that has computed them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Engines {
    /// The Ballista cluster.
    pub(crate) ballista: u64,
    /// Their source, or this master. A note on each says why.
    pub(crate) push_down: u64,
}

impl Report {
    pub(crate) fn new(report: &ReportConfig, summary: &ReportSummary, result_url: Option<String>) -> Self {
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
            failing_since: summary.failing_since.clone(),
            result_url,
            engines: summary.engines.map(Engines::from),
        }
    }
}

impl From<EngineCounts> for Engines {
    fn from(EngineCounts { cluster, push_down }: EngineCounts) -> Self {
        Self { ballista: cluster, push_down }
    }
}

impl From<AggrRow> for Aggr {
    fn from(AggrRow { name, no_of_products }: AggrRow) -> Self {
        Self { name, no_of_products }
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
