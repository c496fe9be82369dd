//! Streams of sales, whichever entrance they come through: their turn, their memory, their totals.
//!
//! It belongs here if every protocol of sales needs it. Messages, statuses and the speed of a client belong to the entrances, and the
//! computation to the crate `sales`.

mod results;
mod stream;

use std::{io, num::NonZeroUsize, path::PathBuf, sync::Arc, thread::available_parallelism, time::Instant};

use anyhow::{Context, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_budget::Budget;
use tributary_config::Config;

use self::results::Results;
pub(crate) use self::stream::{Progress, Stream, Summary};

/// Bytes of the departments of all streams.
const MAX_DEPARTMENT_BYTES: u64 = 128 << 20;
/// Streams that may wait for their turn to be read.
const MAX_WAITING: usize = 1_000;

/// Reason for which a stream has no totals.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("too many streams wait; try again later")]
    TooMany,
    #[error(transparent)]
    Sales(#[from] tributary_sales::Error),
    #[error("failed to write the totals: {0}")]
    Unwritten(#[source] io::Error),
    #[error("{0} broke off")]
    BrokeOff(&'static str),
    #[error("the server stops")]
    Stopping,
}

/// Folder, places and memory of all streams.
pub(crate) struct Streams {
    results: Results,
    memory: Arc<Budget>,
    /// Streams that are read.
    places: Arc<Semaphore>,
    /// Streams that are read, or wait.
    waiting: Arc<Semaphore>,
    /// Chunks that are added up at a time: more would only take turns on the cores.
    steps: Semaphore,
}

impl Streams {
    /// Makes the folder of results.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn open(config: &Config) -> Result<Arc<Self>> {
        let folder: PathBuf = config.grpc.results(&config.database);
        let results = Results::new(folder.clone())
            .with_context(|| format!("failed to make the folder of results {}; see --results-dir", folder.display()))?;
        let cores = available_parallelism().map_or(2, NonZeroUsize::get);
        Ok(Arc::new(Self {
            results,
            memory: Arc::new(Budget::new(MAX_DEPARTMENT_BYTES)),
            places: Arc::new(Semaphore::new(config.grpc.streams)),
            waiting: Arc::new(Semaphore::new(config.grpc.streams + MAX_WAITING)),
            steps: Semaphore::new(cores),
        }))
    }

    /// Takes a place among those that wait.
    ///
    /// # Errors
    /// Too many wait.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Waiting, Failure> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Failure::TooMany)?;
        Ok(Waiting { streams: Arc::clone(self), place, since: Instant::now() })
    }
}

/// A stream that waits for its turn.
pub(crate) struct Waiting {
    streams: Arc<Streams>,
    place: OwnedSemaphorePermit,
    since: Instant,
}

impl Waiting {
    /// Waits for the turn. Nothing of the stream need be read before.
    pub(crate) async fn turn(self) -> Result<Stream, Failure> {
        let place = Arc::clone(&self.streams.places).acquire_owned().await.map_err(|_| Failure::Stopping)?;
        Ok(Stream::new(self.streams, self.since, [self.place, place]))
    }
}
