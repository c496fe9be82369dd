//! Reports: of every file that one claims, a partial is asked for where the file lies, and what all partials come to is written
//! to the table `report_<name>`. This goes on beside the passes over products, which never wait for it.

mod adopt;
mod apply;
mod ask;
mod failure;
mod plan;
mod total;
mod versions;
mod work;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tributary_config::ReportConfig;
use tributary_protocol::ManifestEntry;
use tributary_store::DatabaseUrl;

use crate::source::Spooled;

pub(crate) use adopt::adopt;
pub(crate) use failure::joined;
pub(crate) use total::{is_stale, rows_of};
pub(crate) use versions::SourceVersions;
pub(crate) use work::ReportWork;

/// All configured reports; clones share them.
#[derive(Clone)]
pub(crate) struct Reports(Arc<Shared>);

struct Shared {
    /// In the order of the configuration.
    all: Vec<Arc<Report>>,
    /// Where partials and totals are read from.
    database: DatabaseUrl,
    /// Bounds the files that this process computes itself. Each takes all cores.
    computing: Semaphore,
}

/// One report.
pub(crate) struct Report {
    pub(crate) config: ReportConfig,
    /// Held from reading its partials to writing its totals: between the two no other source may change them.
    turn: tokio::sync::Mutex<()>,
}

/// What a source holds.
pub(crate) struct Holding {
    /// Its version.
    pub(crate) version: String,
    /// All of its files.
    pub(crate) files: Vec<ManifestEntry>,
    /// The bytes of its one file, of a source of the plain protocol, until all reports over it are computed.
    pub(crate) body: Mutex<Option<Arc<Spooled>>>,
}

impl Holding {
    fn body(&self) -> MutexGuard<'_, Option<Arc<Spooled>>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports {
    /// The configured reports of a database.
    pub(crate) fn new(configured: &[ReportConfig], database: DatabaseUrl) -> Self {
        let report =
            |config: &ReportConfig| Arc::new(Report { config: config.clone(), turn: tokio::sync::Mutex::default() });
        let all = configured.iter().map(report).collect();
        Self(Arc::new(Shared { all, database, computing: Semaphore::new(1) }))
    }

    /// All of them, in the order of the configuration.
    pub(crate) fn all(&self) -> &[Arc<Report>] {
        &self.0.all
    }

    /// Those that claim a file.
    pub(crate) fn claiming<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a ReportConfig> {
        self.all().iter().map(|report| &report.config).filter(move |report| report.claims(path))
    }

    /// Whether a file is a product feed.
    pub(crate) fn is_feed(&self, path: &str) -> bool {
        self.claiming(path).all(|report| report.feed)
    }
}
