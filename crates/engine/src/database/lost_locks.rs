//! Locks of the database that the system did not take back from a connection. The writer then opens the database anew.

use std::sync::atomic::{AtomicBool, Ordering};

use tributary_store::Error;

use super::unwritable::store_errors;

/// Whether an error has said so since the database was opened.
static LOST: AtomicBool = AtomicBool::new(false);

/// Notes an error that says so.
pub(super) fn note(error: &anyhow::Error) {
    if store_errors(error).any(Error::has_lost_locks) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether some are lost.
pub(super) fn are_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Forgets what was noted.
pub(super) fn forget() {
    LOST.store(false, Ordering::Relaxed);
}
