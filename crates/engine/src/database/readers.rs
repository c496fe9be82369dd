//! Reading, with a bound on the jobs that run at the same time. Each job sees the tables as they were at one moment, whatever is
//! written meanwhile, and no async worker waits for a disk.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tributary_store::{DatabaseUrl, ReaderPool, Store};

use super::lost_locks;
use crate::supervise::Task;

/// Jobs that read at the same time: more would only take turns on the cores.
const MAX_READS: usize = 4;
/// Streams at the same time. Each lasts as long as its consumer takes, so they are counted apart from other reads.
const MAX_STREAMS: usize = 4;
/// Reads and streams that may wait for their turn. Further ones are refused.
const MAX_WAITING: usize = 256;
/// Batches of a stream that are buffered for a slow consumer.
const MAX_BUFFERED_BATCHES: usize = 2;
/// The longest wait for a consumer to take a batch. A stalled one would hold a thread and a snapshot, which keeps the write-ahead
/// log from shrinking.
const MAX_CONSUMER_PAUSE: Duration = Duration::from_secs(60);

/// Too many others wait for their turn to read or to write.
#[derive(Debug, thiserror::Error)]
#[error("too many others wait for the database")]
pub struct Busy;

/// Time after which a connection that nobody uses is closed. Each holds a cache, which is memory that a burst of reads leaves behind.
const MAX_IDLE_TIME: Duration = Duration::from_secs(10);
/// Time between two looks for such connections.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Batches of rows from one snapshot. The last item is an error if the stream is incomplete.
pub type Batches<T> = BoxStream<'static, Result<Vec<T>>>;

/// Reads one database; clones share connections and bounds.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Shared>);

struct Shared {
    pool: ReaderPool,
    reads: Turns,
    streams: Turns,
}

/// Lets some go on at the same time, and some wait.
struct Turns {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Turns {
    fn new(limit: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(limit)), waiting: Semaphore::new(MAX_WAITING) }
    }

    /// Waits for a turn. Who stops waiting is forgotten.
    async fn next(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
        Arc::clone(&self.running).acquire_owned().await.context("the readers are closed")
    }
}

impl Readers {
    /// Reads a database that is set up.
    pub(crate) fn new(url: DatabaseUrl) -> Self {
        let (reads, streams) = (Turns::new(MAX_READS), Turns::new(MAX_STREAMS));
        Self(Arc::new(Shared { pool: ReaderPool::new(url), reads, streams }))
    }

    /// Runs `job` on a blocking thread, in a snapshot. A job must not call this again: it would wait for a permit while it holds one.
    ///
    /// # Errors
    /// The job's error; the database cannot be opened; [`Busy`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.0.reads.next().await?;
        let pool = self.0.pool.clone();
        let span = tracing::Span::current();
        // What was read counts until it is taken, or a crowd of large results would wait for a thread that answers.
        let work = move || (span.in_scope(|| pool.snapshot(job)), permit);
        let (read, _permit) = tokio::task::spawn_blocking(work)
            .await
            .context("a read panicked; this is a bug, and the log says where")?;
        read.inspect_err(lost_locks::note)
    }

    /// Closes all connections, those that are in use once nobody uses them any more.
    pub(crate) fn close_all(&self) {
        self.0.pool.close_all();
    }

    /// Streams the batches that `next` reads from one snapshot, until one is empty.
    ///
    /// # Errors
    /// [`Busy`]; failures of `next` are items of the stream.
    pub(crate) async fn batches<T: Send + 'static>(
        &self,
        mut next: impl FnMut(&mut Store) -> Result<Vec<T>> + Send + 'static,
    ) -> Result<Batches<T>> {
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<T>) -> Result<()>| {
            loop {
                let batch = next(store)?;
                if batch.is_empty() {
                    return Ok(());
                }
                send(batch)?;
            }
        };
        self.stream(produce).await
    }

    /// Streams the batches that `produce` sends from one snapshot. It runs on a blocking thread, as fast as the consumer takes its
    /// batches. If it fails or panics, the last item is an error.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        produce: impl FnOnce(&mut Store, &mut dyn FnMut(Vec<T>) -> Result<()>) -> Result<()> + Send + 'static,
    ) -> Result<Batches<T>> {
        let permit = self.0.streams.next().await?;
        let pool = self.0.pool.clone();
        let (sender, receiver) = mpsc::channel(MAX_BUFFERED_BATCHES);
        let work = move || {
            let _permit = permit;
            let mut send = |batch| deliver(&sender, Message::Batch(batch));
            let produced = pool.snapshot(|store| produce(store, &mut send)).inspect_err(lost_locks::note);
            // Fails if the consumer has gone, which is fine.
            let _ = deliver(&sender, produced.map_or_else(Message::Failed, |()| Message::Complete));
        };
        tokio::task::spawn_blocking(work);
        Ok(stream::unfold(Some(receiver), received).boxed())
    }
}

/// Closes connections that nobody uses, of the readers that this returns.
pub(crate) struct CloseIdle<F>(pub(crate) F);

impl<F: Fn() -> [Readers; 2] + Send + 'static> Task for CloseIdle<F> {
    async fn run(&mut self) {
        loop {
            tokio::time::sleep(IDLE_CHECK_INTERVAL).await;
            let pools = (self.0)().map(|readers| readers.0.pool.clone());
            let close = move || pools.iter().map(|pool| pool.close_idle(MAX_IDLE_TIME)).sum::<usize>();
            if let Err(error) = tokio::task::spawn_blocking(close).await {
                tracing::error!("closing connections panicked: {error}");
            }
        }
    }
}

/// A message of a producer. A channel that closes without `Complete` means that the producer panicked.
enum Message<T> {
    Batch(Vec<T>),
    Failed(anyhow::Error),
    Complete,
}

fn deliver<T>(sender: &mpsc::Sender<Message<T>>, message: Message<T>) -> Result<()> {
    match Handle::current().block_on(timeout(MAX_CONSUMER_PAUSE, sender.send(message))) {
        Ok(Ok(())) => Ok(()),
        _ => Err(anyhow!("the consumer of a stream has gone or stalled")),
    }
}

type Receiver<T> = mpsc::Receiver<Message<T>>;

async fn received<T>(receiver: Option<Receiver<T>>) -> Option<(Result<Vec<T>>, Option<Receiver<T>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Message::Batch(batch)) => Some((Ok(batch), Some(receiver))),
        Some(Message::Failed(error)) => Some((Err(error), None)),
        Some(Message::Complete) => None,
        None => Some((Err(anyhow!("the producer of a stream panicked; this is a bug, and the log says where")), None)),
    }
}
