//! One stream of sales, from its turn to its totals.

use std::{sync::Arc, time::Instant};

use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};
use tonic::codegen::Bytes;
use tributary_budget::Share;
use tributary_sales::{Counts, Error, Sales};
use uuid::Uuid;

use super::{Failure, Streams, keep::Keep, results::name, share::share};

/// A stream that is being read.
pub(crate) struct Stream {
    streams: Arc<Streams>,
    id: Uuid,
    sales: Sales,
    /// None if its file is not kept.
    keep: Option<Keep>,
    /// The length of the file, if the client said it.
    file_bytes: Option<u64>,
    /// Bytes that came.
    bytes: u64,
    is_finished: bool,
    since: Instant,
    _places: [OwnedSemaphorePermit; 2],
}

/// The state of a stream, in numbers and words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    pub(crate) counts: Counts,
    /// The share that was read, in percent with two decimals; 0 if the length is not known.
    pub(crate) percent: f64,
    pub(crate) message: String,
}

/// The end of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// The name of the file of totals.
    pub(crate) result: String,
    /// A link to the same file in S3, if it is written there.
    pub(crate) link: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) departments: u64,
    /// Time since the stream began to wait.
    pub(crate) seconds: f32,
}

impl Stream {
    pub(super) async fn begin(
        streams: Arc<Streams>,
        sent_by: Option<String>,
        since: Instant,
        places: [OwnedSemaphorePermit; 2],
    ) -> Self {
        let (id, sales) = (Uuid::new_v4(), Sales::new(Share::new(Arc::clone(&streams.memory))));
        let keep = match &streams.inbox {
            Some(inbox) => Keep::begin(inbox, &name(id), sent_by).await,
            None => None,
        };
        Self { streams, id, sales, keep, file_bytes: None, bytes: 0, is_finished: false, since, _places: places }
    }

    /// The id of the stream. Its result is named by it.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Takes note of the length of the file, as the client said it; 0 means that it did not.
    pub(crate) fn expect(&mut self, file_bytes: Option<u64>) {
        self.file_bytes = file_bytes.filter(|bytes| *bytes > 0);
    }

    /// The length of the file, if it is known, and the bytes that came.
    pub(crate) fn length(&self) -> (Option<u64>, u64) {
        (self.file_bytes, self.bytes)
    }

    /// Adds up the next bytes.
    ///
    /// # Errors
    /// A sum is too large, or there are too many departments.
    pub(crate) async fn push(mut self, data: Bytes) -> Result<Self, Failure> {
        self.bytes += data.len() as u64;
        let Some(keep) = self.keep.take() else { return self.step(move |sales| sales.push(&data)).await };
        let (keep, stream) = tokio::join!(keep.push(data.clone()), self.step(move |sales| sales.push(&data)));
        Ok(Self { keep, ..stream? })
    }

    /// Adds up what stands behind the last line break. The file is kept then, if it is to be.
    ///
    /// # Errors
    /// As of [`push`](Self::push).
    pub(crate) async fn finish(mut self) -> Result<Self, Failure> {
        self.is_finished = true;
        if let Some(keep) = self.keep.take() {
            keep.finish().await;
        }
        self.step(Sales::finish).await
    }

    /// The progress so far.
    pub(crate) fn progress(&self) -> Progress {
        let counts = self.sales.counts();
        if self.is_finished {
            return Progress { counts, percent: 100.0, message: "Writing the totals".to_owned() };
        }
        let percent = self.file_bytes.map_or(0.0, |all| self.bytes as f64 / all as f64 * 100.0);
        let message = format!("Adding up the sales ({percent:.2}%)");
        Progress { counts, percent: (percent * 100.0).round() / 100.0, message }
    }

    /// Writes the totals.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) async fn write(self) -> Result<Summary, Failure> {
        let Self { streams, id, sales, since, .. } = self;
        let (counts, departments) = (sales.counts(), sales.departments() as u64);
        let storage = streams.storage.clone();
        let write = move || {
            let name = streams.results.write(id, &sales)?;
            Ok((streams.results.read(&name)?, name))
        };
        let written = spawn_blocking(write).await.map_err(|_| Failure::BrokeOff("writing the totals"))?;
        let (file, result) = written.map_err(Failure::Unwritten)?;
        let link = match storage.zip(file) {
            Some((storage, file)) => share(&storage, &result, file).await,
            None => None,
        };
        Ok(Summary { result, link, counts, departments, seconds: since.elapsed().as_secs_f32() })
    }

    /// Works on the sales in a blocking thread, in its turn.
    async fn step(self, work: impl FnOnce(&mut Sales) -> Result<(), Error> + Send + 'static) -> Result<Self, Failure> {
        let streams = Arc::clone(&self.streams);
        let _turn = streams.steps.acquire().await.map_err(|_| Failure::Stopping)?;
        let mut stream = self;
        let worked = spawn_blocking(move || work(&mut stream.sales).map(|()| stream)).await;
        Ok(worked.map_err(|_| Failure::BrokeOff("adding up the sales"))??)
    }
}
