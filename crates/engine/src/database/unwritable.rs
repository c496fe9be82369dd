//! Whether the database can be written: a full disk, a broken or a read-only one is logged once, and so is its end.

use std::sync::{Mutex, PoisonError};

use tributary_store::{Error, Store};

use crate::clock::now;

/// A time in which the database cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOutage {
    /// Time of the first write that failed, RFC 3339.
    pub since: String,
    /// Its error.
    pub reason: String,
}

/// Whether the database can be written, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Unwritable {
    /// Set from the first write that failed until one succeeds. Locked only to set or to copy it.
    outage: Mutex<Option<WriteOutage>>,
}

impl Unwritable {
    /// The outage; `None` if it can be written, as far as is known.
    pub(super) fn outage(&self) -> Option<WriteOutage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a job ended. One that went well may have written nothing, so it proves nothing.
    pub(super) fn note(&self, error: Option<&anyhow::Error>) {
        let Some(error) = error else { return };
        let is_it =
            |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<Error>().is_some_and(Error::is_unwritable);
        if error.chain().any(is_it) && self.outage().is_none() {
            let reason = format!("{error:#}");
            tracing::error!(
                "the database cannot be written, and nothing is applied until it can: {reason}; free space on its disk, or make it writable"
            );
            self.set(Some(WriteOutage { since: now(), reason }));
        }
    }

    /// Writes something without effect, if nothing could be written before.
    pub(super) fn probe(&self, store: &mut Store) {
        if self.outage().is_some() && store.probe_write().is_ok() {
            tracing::info!("the database can be written again");
            self.set(None);
        }
    }

    fn set(&self, outage: Option<WriteOutage>) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
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
        assert_eq!(unwritable.outage(), None);
        unwritable.note(Some(&anyhow::Error::new(Error::ReadOnly { path }).context("failed to write")));
        assert!(unwritable.outage().unwrap().reason.starts_with("failed to write: "));
        unwritable.note(None);
        assert!(unwritable.outage().is_some());
        unwritable.probe(&mut store);
        assert_eq!(unwritable.outage(), None);
    }
}
