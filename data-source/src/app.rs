//! What all requests share: the folder, the name, the counts. No request handling.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_folder_watch::{Entry, Folder, Snapshot, State};

use crate::{aggregate::Computations, error::ApiError};

/// Shared by all workers; lives as long as the server.
#[derive(Debug)]
pub(crate) struct App {
    /// Watches in a thread of its own, which ends with the last reference to this.
    pub(crate) folder: Arc<Folder>,
    /// What `/sense` calls the source.
    pub(crate) name: String,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Cancelled when the server stops: held requests are answered, and `/read` stops.
    pub(crate) shutdown: CancellationToken,
    /// What is computed for reports.
    pub(crate) computations: Arc<Computations>,
    /// Set once, when the folder was first known as a whole.
    is_scanned: AtomicBool,
    /// The version whose rows the last complete `GET /read` gave out. Held for a clone or a store only.
    last_read: Mutex<Option<String>>,
    /// Answers given, by route and status. Held for one count or one copy only.
    requests: Mutex<BTreeMap<(String, u16), u64>>,
}

impl App {
    pub(crate) fn new(folder: Folder, name: String, admission: Admission, shutdown: CancellationToken) -> Self {
        let (last_read, requests) = (Mutex::default(), Mutex::default());
        Self {
            folder: Arc::new(folder),
            name,
            admission,
            shutdown,
            computations: Arc::default(),
            is_scanned: AtomicBool::default(),
            last_read,
            requests,
        }
    }

    /// What the folder holds, unless that is not known.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, ApiError> {
        known(&self.folder.state().borrow())
    }

    /// The manifest's entry of exactly this path.
    pub(crate) fn entry(&self, path: &str) -> Result<Entry, ApiError> {
        let snapshot = self.snapshot()?;
        let missing = || match snapshot.unreadable_reason(path) {
            Some(reason) => ApiError::Unavailable(format!("`{path}` cannot be read: {reason}")),
            None => ApiError::NotFound("no such file; `/sense/files` lists those that are there".to_owned()),
        };
        snapshot.get(path).cloned().ok_or_else(missing)
    }

    /// Before the first scan is over nothing can be told. A folder that becomes unreadable later is for each route to judge.
    pub(crate) fn refuse_while_scanning(&self) -> Result<(), ApiError> {
        match self.is_scanned.load(Ordering::Relaxed) {
            true => Ok(()),
            false => self.snapshot().map(drop),
        }
    }

    pub(crate) fn first_scan_is_over(&self) {
        self.is_scanned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn last_read(&self) -> Option<String> {
        lock(&self.last_read).clone()
    }

    pub(crate) fn set_last_read(&self, version: String) {
        *lock(&self.last_read) = Some(version);
    }

    pub(crate) fn count_request(&self, route: String, status: u16) {
        *lock(&self.requests).entry((route, status)).or_default() += 1;
    }

    pub(crate) fn requests(&self) -> BTreeMap<(String, u16), u64> {
        lock(&self.requests).clone()
    }
}

/// The snapshot of a state, or the reason why there is none.
pub(crate) fn known(state: &State) -> Result<Arc<Snapshot>, ApiError> {
    match state {
        State::Ready(snapshot) => Ok(Arc::clone(snapshot)),
        State::Scanning => Err(ApiError::Unavailable("the first scan of the folder is not over".to_owned())),
        State::Unreadable(reason) => Err(ApiError::Unavailable(format!("the folder cannot be read: {reason}"))),
    }
}

/// A panic elsewhere cannot leave these plain values half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
