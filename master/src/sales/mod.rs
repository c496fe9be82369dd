//! Streams of sales, whichever entrance they come through: their turn, their memory, their totals.
//!
//! It belongs here if every protocol of sales needs it. Messages, statuses and the speed of a client belong to the entrances, and the
//! computation to the crate `sales`.

mod keep;
mod results;
mod share;
mod stream;

use std::{fs::File, io, num::NonZeroUsize, sync::Arc, thread::available_parallelism, time::Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_budget::Budget;
use tributary_config::Config;
use tributary_engine::{Engine, Inbox, MAX_UPLOADS};
use tributary_object_storage::ObjectStorage;

pub(crate) use self::results::Results;
pub(crate) use self::stream::{Progress, Stream, Summary};

/// Bytes of the departments of all streams.
const MAX_DEPARTMENT_BYTES: u64 = 128 << 20;
/// Streams that may wait for their turn to be read.
const MAX_WAITING: usize = 192;

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
    /// Inbox of the files themselves; none unless they are kept.
    inbox: Option<Inbox>,
    /// The place that totals are written to besides, if there is one.
    storage: Option<Arc<ObjectStorage>>,
}

impl Streams {
    pub(crate) fn new(
        results: Results,
        storage: Option<Arc<ObjectStorage>>,
        config: &Config,
        engine: &Engine,
    ) -> Arc<Self> {
        let cores = available_parallelism().map_or(2, NonZeroUsize::get);
        let inbox = config.grpc.keep.then(|| engine.inbox().clone());
        // More could not be kept at a time.
        let places = config.grpc.streams.min(if inbox.is_some() { MAX_UPLOADS } else { usize::MAX });
        Arc::new(Self {
            results,
            memory: Arc::new(Budget::new(MAX_DEPARTMENT_BYTES)),
            places: Arc::new(Semaphore::new(places)),
            waiting: Arc::new(Semaphore::new(config.grpc.streams + MAX_WAITING)),
            steps: Semaphore::new(cores),
            inbox,
            storage,
        })
    }

    /// Takes a place among those that wait. `sent_by`: the name of the sender, if it is known.
    ///
    /// # Errors
    /// Too many wait.
    pub(crate) fn enter(self: &Arc<Self>, sent_by: Option<String>) -> Result<Waiting, Failure> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Failure::TooMany)?;
        Ok(Waiting { streams: Arc::clone(self), sent_by, place, since: Instant::now() })
    }

    /// Opens the totals with this name; None if there are none. Call it on a thread that may block.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn result(&self, name: &str) -> io::Result<Option<File>> {
        self.results.read(name)
    }
}

/// A stream that waits for its turn.
pub(crate) struct Waiting {
    streams: Arc<Streams>,
    sent_by: Option<String>,
    place: OwnedSemaphorePermit,
    since: Instant,
}

impl Waiting {
    /// Waits for the turn. Nothing of the stream need be read before.
    pub(crate) async fn turn(self) -> Result<Stream, Failure> {
        let place = Arc::clone(&self.streams.places).acquire_owned().await.map_err(|_| Failure::Stopping)?;
        Ok(Stream::begin(self.streams, self.sent_by, self.since, [self.place, place]).await)
    }
}
