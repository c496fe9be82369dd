//! Whether the database can be written: a full disk, a broken or a read-only one is logged once, and so is its end.

use std::sync::{Mutex, PoisonError};

use tributary_store::{Error, Store};

/// Why the database cannot be written.
#[derive(Debug, Default)]
pub(super) struct Unwritable {
    /// Set from the first write that failed until one succeeds. Locked only to set or to copy it.
    reason: Mutex<Option<String>>,
}

impl Unwritable {
    /// The reason; `None` if it can be written, as far as is known.
    pub(super) fn reason(&self) -> Option<String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a job ended. One that went well may have written nothing, so it proves nothing.
    pub(super) fn note(&self, error: Option<&anyhow::Error>) {
        let Some(error) = error else { return };
        let is_it =
            |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<Error>().is_some_and(Error::is_unwritable);
        if error.chain().any(is_it) && self.reason().is_none() {
            let reason = format!("{error:#}");
            tracing::error!(
                "the database cannot be written, and nothing is applied until it can: {reason}; free space on its disk, or make it writable"
            );
            self.set(Some(reason));
        }
    }

    /// Writes something without effect, if nothing could be written before.
    pub(super) fn probe(&self, store: &mut Store) {
        if self.reason().is_some() && store.probe_write().is_ok() {
            tracing::info!("the database can be written again");
            self.set(None);
        }
    }

    fn set(&self, reason: Option<String>) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn only_a_write_that_succeeds_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        let mut store = Store::open(&path.to_str().unwrap().parse().unwrap()).unwrap();
        let unwritable = Unwritable::default();
        unwritable.note(Some(&anyhow!("a row contradicts itself")));
        assert_eq!(unwritable.reason(), None);
        unwritable.note(Some(&anyhow::Error::new(Error::ReadOnly { path }).context("failed to write")));
        assert!(unwritable.reason().unwrap().starts_with("failed to write: "));
        unwritable.note(None);
        assert!(unwritable.reason().is_some());
        unwritable.probe(&mut store);
        assert_eq!(unwritable.reason(), None);
    }
}
