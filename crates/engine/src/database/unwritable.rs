//! Whether the database can be written: a full disk, a broken, read-only or locked database is logged once, and so is its end.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use tributary_store::{Error, Store};

use super::lost_locks;
use crate::clock::now;

/// The errors of the database among the causes of an error.
pub(super) fn store_errors(error: &anyhow::Error) -> impl Iterator<Item = &Error> {
    error.chain().filter_map(|cause| cause.downcast_ref())
}

/// Whether an error is due to a database that cannot be opened, or whose server cannot be reached.
#[must_use]
pub fn is_away(error: &anyhow::Error) -> bool {
    store_errors(error).any(Error::is_away)
}

/// Whether an error says that the database cannot be written at the moment, whatever was to be written.
#[must_use]
pub fn is_unwritable(error: &anyhow::Error) -> bool {
    store_errors(error).any(|error| error.unwritable().is_some())
}

/// A time in which the database cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOutage {
    /// Time of the first write that failed, RFC 3339.
    pub since: String,
    /// Its error, and how to change that.
    pub reason: String,
    /// Whether somebody, or nobody any more, holds the lock for writing.
    pub(super) is_locked: bool,
}

/// Nothing was written, because nothing can be written at the moment. The same may succeed later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the database cannot be written: {0}")]
pub struct Unwritten(&'static str);

/// Whether the database can be written, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Unwritable {
    /// Set from the first write that failed until one succeeds. Locked only to set or to copy it.
    outage: Mutex<Option<WriteOutage>>,
    /// Whether a transaction may be committed or not.
    has_unknown_outcome: AtomicBool,
}

impl Unwritable {
    /// The outage; `None` if it can be written, as far as is known.
    pub(super) fn outage(&self) -> Option<WriteOutage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the last transaction may be committed or not. Whatever is remembered of the tables may be wrong from then on.
    pub(super) fn has_unknown_outcome(&self) -> bool {
        self.has_unknown_outcome.load(Ordering::Relaxed)
    }

    /// Notes how a job ended, and returns its error with the reason if it is this. A job that went well may have written nothing, so it
    /// proves nothing.
    pub(super) fn note<T>(&self, done: Result<T>) -> Result<T> {
        let Err(error) = done else { return done };
        lost_locks::note(&error);
        if store_errors(&error).any(Error::has_unknown_outcome) {
            self.has_unknown_outcome.store(true, Ordering::Relaxed);
        }
        let Some(why) = store_errors(&error).find_map(Error::unwritable) else {
            return Err(error);
        };
        if self.outage().is_none() {
            let remedy = store_errors(&error).find_map(Error::remedy).unwrap_or_default();
            let words = format!("{error:#}");
            // Those of a server have several lines.
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let reason = format!("{why}: {words}; {remedy}");
            tracing::error!("the database cannot be written, and nothing is applied until it can: {reason}");
            let is_locked = store_errors(&error).any(Error::is_locked);
            self.set(Some(WriteOutage { since: now(), reason, is_locked }));
        }
        Err(error.context(Unwritten(why)))
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
        let other = unwritable.note::<()>(Err(anyhow!("a row contradicts itself"))).unwrap_err();
        assert_eq!((unwritable.outage(), other.is::<Unwritten>()), (None, false));
        let read_only = anyhow::Error::new(Error::ReadOnly { path }).context("failed to write");
        let error = unwritable.note::<()>(Err(read_only)).unwrap_err();
        assert!(error.is::<Unwritten>(), "{error:#}");
        assert!(unwritable.outage().unwrap().reason.starts_with("it is read-only: failed to write: "));
        unwritable.note(Ok(())).unwrap();
        assert!(unwritable.outage().is_some());
        unwritable.probe(&mut store);
        assert_eq!(unwritable.outage(), None);
    }
}
