//! The most frequent names, kept from one request to the next: finding them among a million names takes a tenth of a second, and an index
//! over the counts would cost every load more than that.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_store::{AggrOrder, AggrRow, Store};

/// Time that a count may take without being left to the background.
const SHORT: Duration = Duration::from_millis(10);

/// The names with the most products; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct MostFrequent {
    /// Held only to copy or to set it.
    last: Arc<Mutex<Option<Count>>>,
    /// One count at a time in the background.
    turns: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Count {
    /// Jobs that the writer had done before.
    version: u64,
    took: Duration,
    names: Arc<[AggrRow]>,
}

impl MostFrequent {
    /// Names that are kept.
    pub(crate) const LIMIT: i64 = 1_000;

    pub(crate) fn new() -> Self {
        Self { last: Arc::default(), turns: Arc::new(Semaphore::new(1)) }
    }

    /// The names as of `version`, if they were counted then.
    pub(crate) fn known(&self, version: u64) -> Option<Arc<[AggrRow]>> {
        self.last().as_ref().filter(|count| count.version == version).map(|count| Arc::clone(&count.names))
    }

    /// The names of an earlier version, if a new count takes long.
    pub(crate) fn stale(&self) -> Option<Arc<[AggrRow]>> {
        self.last().as_ref().filter(|count| count.took > SHORT).map(|count| Arc::clone(&count.names))
    }

    /// The permission to count in the background, unless somebody does. It ends when it is dropped.
    pub(crate) fn begin(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).try_acquire_owned().ok()
    }

    /// Counts and keeps the names. `version` was read before the snapshot of `store` began.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) fn count(&self, store: &mut Store, version: u64) -> Result<Arc<[AggrRow]>> {
        let started = Instant::now();
        let names: Arc<[AggrRow]> = store.aggr_list(None, AggrOrder::MostProducts, Self::LIMIT, 0)?.into();
        *self.last() = Some(Count { version, took: started.elapsed(), names: Arc::clone(&names) });
        Ok(names)
    }

    fn last(&self) -> MutexGuard<'_, Option<Count>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_holds_for_its_version_and_only_a_long_one_is_shown_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        store.transaction(|store| store.add_to_aggr(&[("ink", 2), ("pen", 5)])).unwrap();
        let names = MostFrequent::new();
        assert!(names.known(7).is_none() && names.stale().is_none());
        let counted = names.count(&mut store, 7).unwrap();
        assert_eq!(counted.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["pen", "ink"]);
        assert_eq!(names.known(7), Some(counted.clone()));
        assert!(names.known(8).is_none(), "something may have changed");
        assert!(names.stale().is_none(), "a short count is made again at once");
        names.last().as_mut().unwrap().took = SHORT * 2;
        assert_eq!(names.stale(), Some(counted));
        let turn = names.begin();
        assert!(turn.is_some() && names.begin().is_none(), "one count at a time");
        drop(turn);
        assert!(names.begin().is_some());
    }
}
