//! State that all requests share. It handles none itself.

use std::{
    io, ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tributary_admission::{Admission, Capabilities};
use tributary_folder_watch::{Entry, Folder, Snapshot, State};
use tributary_format_rules::FormatRules;
use tributary_http_common::{Bodies, RequestMetrics};
use tributary_pace::MAX_PATIENCE;

use super::{body::MAX_BODIES_BYTES, error::ApiError, held::Held, manifest::ManifestPages};
use crate::{config::DEFAULT_REPORT_MEMORY, partials::Computations};

/// Sheets of workbooks that `/read` holds at a time, each as a whole. With more, some clients could use up the memory.
const MAX_SHEETS: usize = 2;
/// Requests that may wait for that. Further ones are refused.
const MAX_WAITING_FOR_SHEET: usize = 32;
/// Requests that may wait until the length of an answer is measured, which one does at a time. Further ones are refused.
const MAX_WAITING_TO_MEASURE: usize = 32;
/// Files that are packed on the way at a time, each with some 4 MiB of memory. Further ones are sent as they are.
const MAX_PACKERS: usize = 8;

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// Its watching thread ends with the last reference.
    pub(crate) folder: Arc<Folder>,
    /// The source's own name, as `/sense` gives it.
    pub(crate) name: String,
    /// The rules by which files are read.
    pub(crate) formats: FormatRules,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Secrets that open files without a token.
    pub(crate) capabilities: Capabilities,
    /// Bodies that are being received.
    pub(crate) bodies: Bodies,
    /// Cancelled when the server stops: held requests are answered, and transfers end.
    pub(crate) shutdown: CancellationToken,
    /// Answers that wait for news.
    pub(crate) held: Held,
    /// Partial results of reports.
    pub(crate) computations: Arc<Computations>,
    /// Permits to hold a sheet.
    pub(crate) sheets: Arc<Semaphore>,
    /// Permits to wait for one of those.
    pub(crate) waiting_for_sheet: Semaphore,
    /// Held by the request that measures the length of `/read`, for itself and all that wait.
    pub(crate) measuring: tokio::sync::Mutex<()>,
    /// Permits to measure it, or to wait for that.
    pub(crate) waiting_to_measure: Semaphore,
    /// Permits to pack a file on the way.
    pub(crate) packers: Arc<Semaphore>,
    /// Set once, when the first scan is complete.
    is_scanned: AtomicBool,
    /// The version whose rows the last complete `GET /read` sent. Held for a clone or a store only.
    last_read: Mutex<Option<String>>,
    /// The version whose `/read` was measured last, and its length. Held for a clone or a store only.
    read_length: Mutex<Option<(String, u64)>>,
    /// The digest of the manifest of a snapshot as it is sent. Held while one is computed, which is once for all who ask.
    manifest_digest: tokio::sync::Mutex<(Weak<Snapshot>, String)>,
    /// Counts and durations of requests.
    pub(crate) requests: RequestMetrics,
}

impl App {
    pub(crate) fn new(
        folder: Folder,
        name: String,
        formats: FormatRules,
        admission: Admission,
        shutdown: CancellationToken,
    ) -> Self {
        let (last_read, read_length) = (Mutex::default(), Mutex::default());
        Self {
            folder: Arc::new(folder),
            name,
            formats,
            admission,
            capabilities: Capabilities::default(),
            bodies: Bodies::new(MAX_BODIES_BYTES, MAX_PATIENCE),
            shutdown,
            held: Held::default(),
            computations: Arc::new(Computations::new(DEFAULT_REPORT_MEMORY)),
            sheets: Arc::new(Semaphore::new(MAX_SHEETS)),
            waiting_for_sheet: Semaphore::new(MAX_WAITING_FOR_SHEET),
            measuring: tokio::sync::Mutex::default(),
            waiting_to_measure: Semaphore::new(MAX_WAITING_TO_MEASURE),
            packers: Arc::new(Semaphore::new(MAX_PACKERS)),
            is_scanned: AtomicBool::default(),
            last_read,
            read_length,
            manifest_digest: tokio::sync::Mutex::default(),
            requests: RequestMetrics::new(false),
        }
    }

    /// Bounds the memory of reports.
    pub(crate) fn with_report_memory(self, bytes: usize) -> Self {
        Self { computations: Arc::new(Computations::new(bytes)), ..self }
    }

    /// Lets the senders of bodies go that do not keep the least speed over `patience`.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { bodies: Bodies::new(MAX_BODIES_BYTES, patience), ..self }
    }

    /// Returns what the folder holds, if that is known.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, ApiError> {
        known(&self.folder.state().borrow())
    }

    /// Returns the digest of the whole manifest, which stands before its first byte. The manifest is written once more for it, and not held.
    pub(crate) async fn manifest_digest(&self, snapshot: &Arc<Snapshot>) -> Result<String, ApiError> {
        let mut kept = self.manifest_digest.lock().await;
        if ptr::eq(kept.0.as_ptr(), Arc::as_ptr(snapshot)) {
            return Ok(kept.1.clone());
        }
        let pages = ManifestPages::new(Arc::clone(snapshot));
        let hashed = tokio::task::spawn_blocking(|| pages.digest()).await.map_err(io::Error::other).flatten();
        let digest = hashed.map_err(|why| ApiError::Unavailable(why.to_string()))?.header();
        // Of a snapshot that is gone its place in memory is not given away as long as this points there.
        *kept = (Arc::downgrade(snapshot), digest.clone());
        Ok(digest)
    }

    /// Returns the manifest's entry of exactly this path.
    pub(crate) fn entry(&self, path: &str) -> Result<Entry, ApiError> {
        let snapshot = self.snapshot()?;
        let missing = || match snapshot.unreadable_reason(path) {
            Some(reason) => ApiError::Unavailable(format!("`{path}` cannot be read: {reason}")),
            None => ApiError::NotFound("no such file; `/sense/files` lists all files".to_owned()),
        };
        snapshot.get(path).cloned().ok_or_else(missing)
    }

    /// Refuses every request before the first scan is complete. If the folder becomes unreadable later, each route decides.
    pub(crate) fn refuse_while_scanning(&self) -> Result<(), ApiError> {
        match self.is_scanned.load(Ordering::Relaxed) {
            true => Ok(()),
            false => self.snapshot().map(drop),
        }
    }

    pub(crate) fn set_scanned(&self) {
        self.is_scanned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn last_read(&self) -> Option<String> {
        lock(&self.last_read).clone()
    }

    /// Returns the length of the `/read` of this version, if it was measured.
    pub(crate) fn read_length(&self, version: &str) -> Option<u64> {
        lock(&self.read_length).as_ref().filter(|(measured, _)| measured == version).map(|(_, length)| *length)
    }

    pub(crate) fn set_read_length(&self, version: String, length: u64) {
        *lock(&self.read_length) = Some((version, length));
    }

    pub(crate) fn set_last_read(&self, version: String) {
        *lock(&self.last_read) = Some(version);
    }
}

/// Returns the snapshot of a state, or the reason for having none.
pub(crate) fn known(state: &State) -> Result<Arc<Snapshot>, ApiError> {
    match state {
        State::Ready(snapshot) => Ok(Arc::clone(snapshot)),
        State::Scanning => Err(ApiError::Unavailable("the first scan of the folder is not complete".to_owned())),
        State::Unreadable(reason) => Err(ApiError::Unavailable(format!("the folder cannot be read: {reason}"))),
    }
}

/// Ignores poisoning: a panic elsewhere cannot leave these plain values half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
