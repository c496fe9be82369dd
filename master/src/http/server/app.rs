//! What all requests share: the engine, who is let in, and the count of answers. No request handling.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tributary_admission::Admission;
use tributary_engine::Engine;

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// What answers every request.
    pub(crate) engine: Engine,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Answers given, by route, method and status. Held for one count or one copy only.
    requests: Mutex<Requests>,
}

/// Answers by route, method and status.
pub(crate) type Requests = BTreeMap<(String, &'static str, u16), u64>;

impl App {
    pub(crate) fn new(engine: Engine, admission: Admission) -> Self {
        Self { engine, admission, requests: Mutex::default() }
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
