//! Connections that read, kept between requests and bounded in number. Every job sees the tables as they stand at one
//! moment, whatever is written meanwhile, and no async worker waits for a disk.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tributary_store::{DatabaseUrl, Store};

/// Readers at work at one time: more would only take turns on the cores.
const READERS: usize = 4;
/// Lists that are streamed at one time. Each lasts as long as its client takes, so they have places of their own.
const STREAMS: usize = 4;
/// Batches of a stream that wait for a slow consumer.
const BATCHES_WAITING: usize = 4;
/// A consumer that takes no batch for this long is cut off: it would hold a thread and a snapshot, and with that the write-ahead
/// log.
const STALLED: Duration = Duration::from_secs(120);

/// Batches of rows out of one snapshot; the last item is an error if not all of them came.
pub type Batches<T> = BoxStream<'static, Result<Vec<T>>>;

/// The readers of one database; clones share them.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Shared>);

struct Shared {
    url: DatabaseUrl,
    /// Connections that nobody uses. Held only to take one or to put one back.
    idle: Mutex<Vec<Store>>,
    readers: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Readers {
    /// Readers of a database that is set up.
    pub(crate) fn new(url: DatabaseUrl) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self(Arc::new(Shared { url, idle: Mutex::default(), readers: places(READERS), streams: places(STREAMS) }))
    }

    /// Runs `job` on a blocking thread, in a snapshot.
    ///
    /// # Errors
    /// What the job returns, or that the database cannot be opened.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.0.readers).acquire_owned().await.context("the readers are closed")?;
        let shared = Arc::clone(&self.0);
        let span = tracing::Span::current();
        let work = move || {
            let _place = place;
            span.in_scope(|| shared.read(job))
        };
        tokio::task::spawn_blocking(work).await.context("a reader has stopped in its middle")?
    }

    /// Streams the batches that `next` reads out of one snapshot, until one is empty.
    ///
    /// # Errors
    /// Never while the process lives; later failures are items of the stream.
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

    /// Streams what `produce` sends out of one snapshot. It runs on a blocking thread, as fast as the consumer takes its batches. If
    /// it fails or dies the last item is an error.
    ///
    /// # Errors
    /// Never while the process lives.
    pub(crate) async fn stream<T: Send + 'static>(
        &self,
        produce: impl FnOnce(&mut Store, &mut dyn FnMut(Vec<T>) -> Result<()>) -> Result<()> + Send + 'static,
    ) -> Result<Batches<T>> {
        let place = Arc::clone(&self.0.streams).acquire_owned().await.context("the readers are closed")?;
        let shared = Arc::clone(&self.0);
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let work = move || {
            let _place = place;
            let mut send = |batch| deliver(&sender, Message::Batch(batch));
            let produced = shared.read(|store| produce(store, &mut send));
            // Nobody is left to hear of it if the consumer has gone.
            let _ = deliver(&sender, produced.map_or_else(Message::Failed, |()| Message::Complete));
        };
        tokio::task::spawn_blocking(work);
        Ok(stream::unfold(Some(receiver), received).boxed())
    }
}

/// What a producer says. Only `Complete` is a good end: a channel that closes without it means that the producer died.
enum Message<T> {
    Batch(Vec<T>),
    Failed(anyhow::Error),
    Complete,
}

fn deliver<T>(sender: &mpsc::Sender<Message<T>>, message: Message<T>) -> Result<()> {
    match Handle::current().block_on(timeout(STALLED, sender.send(message))) {
        Ok(Ok(())) => Ok(()),
        _ => Err(anyhow!("the consumer of a stream has gone")),
    }
}

type Receiver<T> = mpsc::Receiver<Message<T>>;

async fn received<T>(receiver: Option<Receiver<T>>) -> Option<(Result<Vec<T>>, Option<Receiver<T>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Message::Batch(batch)) => Some((Ok(batch), Some(receiver))),
        Some(Message::Failed(error)) => Some((Err(error), None)),
        Some(Message::Complete) => None,
        None => Some((Err(anyhow!("the producer of a stream has died")), None)),
    }
}

impl Shared {
    fn read<T>(&self, job: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let mut store = match idle {
            Some(store) => store,
            None => Store::open_existing(&self.url)?,
        };
        let read = store.snapshot(job);
        // After an error nobody knows how the connection is; the next reader opens another.
        if read.is_ok() {
            self.idle().push(store);
        }
        read
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Store>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
