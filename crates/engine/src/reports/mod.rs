//! Reports: computes a partial of each file that a report claims, where the file lies if possible, and writes the sum of all
//! partials to the table `report_<name>`. This runs beside the passes over products, which never wait for it.
//!
//! It belongs here if it computes or stores what a `[[report]]` declares. What people see of a report is in `views`.

mod adopt;
mod apply;
mod cluster;
mod content;
mod failure;
mod fetch_partial;
mod memory;
mod plain;
mod reader;
mod stored;
mod sums;
mod total;
mod versions;
mod work;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tributary_budget::Budget;
use tributary_config::ReportConfig;
use tributary_store::DatabaseUrl;

use self::sums::Kept;
use crate::database::Readers;

pub(crate) use adopt::adopt;
pub use cluster::EngineCounts;
pub(crate) use cluster::engine_counts;
pub(crate) use content::{AppliedContent, PlainBody, SourceContent, SourceKey};
pub(crate) use failure::joined;
pub(crate) use fetch_partial::PartialFetcher;
pub(crate) use memory::ReportMemory;
pub(crate) use total::{each_row, is_stale, total_of};
pub(crate) use versions::SourceVersions;
pub(crate) use work::ReportWork;

/// Bytes of partials that wait until they are applied, about, over all sources.
const MAX_HELD_BYTES: u64 = 64 << 20;

/// All configured reports; clones share them.
#[derive(Clone)]
pub(crate) struct Reports(Arc<Shared>);

struct Shared {
    configured: Vec<ReportConfig>,
    /// In the order of the configuration.
    all: Vec<Arc<Report>>,
    /// Reads partials. A pool of its own: summing them takes a while, and no request should wait for a place meanwhile.
    readers: Readers,
    /// Bounds the files that this process computes itself: each takes all cores.
    computing: Semaphore,
    /// Memory of partials that are not applied yet.
    held: Arc<Budget>,
    memory: ReportMemory,
}

/// One report.
pub(crate) struct Report {
    pub(crate) config: ReportConfig,
    /// The sums of its partials. Held from reading partials to writing totals: in between, no other source may change them.
    turn: tokio::sync::Mutex<Kept>,
}

impl Reports {
    /// The reports of a database as configured, which take this memory.
    pub(crate) fn new(configured: &[ReportConfig], database: DatabaseUrl, memory: ReportMemory) -> Self {
        let configured = memory.of(configured);
        let report =
            |config: &ReportConfig| Arc::new(Report { config: config.clone(), turn: tokio::sync::Mutex::default() });
        let all = configured.iter().map(report).collect();
        Self(Arc::new(Shared {
            configured,
            all,
            readers: Readers::new(database),
            computing: Semaphore::new(1),
            held: Arc::new(Budget::new(MAX_HELD_BYTES)),
            memory,
        }))
    }

    /// All of them, in the order of the configuration.
    pub(crate) fn all(&self) -> &[Arc<Report>] {
        &self.0.all
    }

    /// All of them as configured, in the same order.
    pub(crate) fn configured(&self) -> &[ReportConfig] {
        &self.0.configured
    }

    /// The number of those that claim a path.
    pub(crate) fn count_claims(&self, path: &str) -> usize {
        self.0.configured.iter().filter(|report| report.claims(path)).count()
    }

    /// Those that read partials.
    pub(crate) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    /// The memory that they take.
    pub(crate) fn memory(&self) -> &ReportMemory {
        &self.0.memory
    }

    fn held(&self) -> &Arc<Budget> {
        &self.0.held
    }

    fn computing(&self) -> &Semaphore {
        &self.0.computing
    }
}
