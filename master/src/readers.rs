//! Connections that read, kept between requests and bounded in number. Every job sees the tables as they stand at one
//! moment, whatever is written meanwhile, and no async worker waits for a disk.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::web::Bytes;
use anyhow::{Context, Result};
use futures_util::Stream;
use tokio::sync::Semaphore;
use tributary_http_common::{Sink, produced};
use tributary_store::{DatabaseUrl, Store};

/// Readers at work at one time: more would only take turns on the cores.
const READERS: usize = 4;
/// Lists that are streamed at one time. Each lasts as long as its client takes, so they have places of their own.
const STREAMS: usize = 4;

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

    /// The body that `write` writes, out of one snapshot.
    ///
    /// # Errors
    /// Never while the process lives: later failures cut the body.
    pub(crate) async fn stream<W>(&self, write: W) -> Result<impl Stream<Item = io::Result<Bytes>> + use<W>>
    where
        W: FnOnce(&mut Store, &mut Sink) -> Result<()> + Send + 'static,
    {
        let place = Arc::clone(&self.0.streams).acquire_owned().await.context("the readers are closed")?;
        let shared = Arc::clone(&self.0);
        let produce = move |sink: &mut Sink| {
            let _place = place;
            shared.read(|store| write(store, sink)).map_err(into_io)
        };
        Ok(produced(produce, || {}))
    }
}

/// An error of a body's producer; that the client has gone must stay recognisable.
fn into_io(error: anyhow::Error) -> io::Error {
    error.downcast::<io::Error>().unwrap_or_else(|error| io::Error::other(format!("{error:#}")))
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
