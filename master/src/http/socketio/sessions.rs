//! All sessions of the server, which are bounded.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::session::Session;

/// Most sessions at a time.
pub(super) const MAX_SESSIONS: usize = 1_000;

/// The sessions by their ids.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    /// Adds a session. Returns it unless there are too many.
    pub(super) fn add(&self, session: Session) -> Option<Arc<Session>> {
        let mut sessions = self.lock();
        if sessions.len() >= MAX_SESSIONS {
            return None;
        }
        let session = Arc::new(session);
        sessions.insert(session.sid().to_owned(), Arc::clone(&session));
        Some(session)
    }

    pub(super) fn get(&self, sid: &str) -> Option<Arc<Session>> {
        self.lock().get(sid).cloned()
    }

    pub(super) fn remove(&self, sid: &str) {
        self.lock().remove(sid);
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
