//! What all requests share: where to read and where to write, the sources' health, who is let in. No request handling.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;

use crate::{config::ReportConfig, poll::Statuses, readers::Readers, uploads::Uploads, writer::Writer};

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// Where requests read.
    pub(crate) readers: Readers,
    /// Where edits are written.
    pub(crate) writer: Writer,
    /// The sources' health, reported by their loops.
    pub(crate) statuses: Statuses,
    /// Files that are sent here.
    pub(crate) uploads: Uploads,
    /// The configured reports, in their order; shared with jobs that outlive a request.
    pub(crate) reports: Arc<[ReportConfig]>,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Cancelled when the server stops: held answers end then.
    pub(crate) shutdown: CancellationToken,
    /// Answers given, by route, method and status. Held for one count or one copy only.
    requests: Mutex<Requests>,
}

/// Answers by route, method and status.
pub(crate) type Requests = BTreeMap<(String, &'static str, u16), u64>;

impl App {
    pub(crate) fn new(
        (readers, writer, statuses, uploads): (Readers, Writer, Statuses, Uploads),
        reports: Vec<ReportConfig>,
        admission: Admission,
        shutdown: CancellationToken,
    ) -> Self {
        let (reports, requests) = (reports.into(), Mutex::default());
        Self { readers, writer, statuses, uploads, reports, admission, shutdown, requests }
    }

    pub(crate) fn count_request(&self, route: String, method: &'static str, status: u16) {
        *self.all().entry((route, method, status)).or_default() += 1;
    }

    pub(crate) fn requests(&self) -> Requests {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
