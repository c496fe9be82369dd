//! Reading connections that are kept open between uses.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{error::Error, store::Store, url::DatabaseUrl};

/// Connections that are kept open while nobody uses them; one more than that is closed after use. Each may hold a cache of 16 MiB.
const MAX_IDLE: usize = 8;

/// Connections for reading, opened when needed and kept for the next use. Clones share them. The pool does not bound how many are
/// in use at a time; the caller does.
///
/// The schema is checked once, by the first connection. So the process should hold the [`crate::Lock`] as long as it uses the pool.
#[derive(Clone)]
pub struct ReaderPool(Arc<Shared>);

struct Shared {
    url: DatabaseUrl,
    /// True once a connection has found the schema to be this program's.
    checked: AtomicBool,
    /// Guards the idle connections and since when they are idle, the longest first; held only to take some or to put one back.
    idle: Mutex<Vec<(Instant, Store)>>,
}

impl ReaderPool {
    /// A pool for a database, which need not exist before the first use.
    pub fn new(url: DatabaseUrl) -> Self {
        Self(Arc::new(Shared { url, checked: AtomicBool::new(false), idle: Mutex::default() }))
    }

    /// Runs `f` in a [`Store::snapshot`] on an idle connection, or on a new one if there is none. Blocks the thread.
    ///
    /// # Errors
    /// The error of `f`; those of [`Store::open_existing`].
    pub fn snapshot<T, E: From<Error>>(&self, f: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        let idle = self.idle().pop();
        let mut store = match idle {
            Some((_, store)) => store,
            None => self.connect()?,
        };
        let read = store.snapshot(f)?;
        // After an error the connection's state is unknown: it was dropped, and the next reader opens another.
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push((Instant::now(), store));
        }
        Ok(read)
    }

    /// Closes the connections that nobody has used for this long, and so gives the memory of their caches back. Returns how many.
    pub fn close_idle(&self, unused_for: Duration) -> usize {
        let closed: Vec<_> = {
            let mut idle = self.idle();
            // The last one used is the first one taken, so those that are not needed are in front.
            let old = idle.partition_point(|(since, _)| since.elapsed() >= unused_for);
            idle.drain(..old).collect()
        };
        closed.len()
    }

    fn connect(&self) -> Result<Store, Error> {
        if self.0.checked.load(Ordering::Relaxed) {
            return Store::open_unchecked(&self.0.url);
        }
        let store = Store::open_existing(&self.0.url)?;
        self.0.checked.store(true, Ordering::Relaxed);
        Ok(store)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Store)>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
