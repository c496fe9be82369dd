//! What all requests share: where to read and where to write, the sources' health, who is let in. No request handling.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;
use tributary_http_common::Token;

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
    /// What requests must bring, if anything.
    pub(crate) token: Option<Token>,
    /// Where the server listens; a connection knows its own address better.
    pub(crate) address: SocketAddr,
    /// What `Host` may say beside that and this machine's own names.
    pub(crate) allowed_hosts: Vec<String>,
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
        (address, token, allowed_hosts): (SocketAddr, Option<Token>, Vec<String>),
        shutdown: CancellationToken,
    ) -> Self {
        let (reports, requests) = (reports.into(), Mutex::default());
        Self { readers, writer, statuses, uploads, reports, token, address, allowed_hosts, shutdown, requests }
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
