//! `processor.CsvProcessor`: totals per department of a CSV file of any size, while it comes.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use futures_util::stream::BoxStream;
use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tributary_budget::{Budget, Share};
use tributary_config::Config;
use tributary_grpc::processor::{
    CsvChunk, ProcessSummary, ProcessingStatus, ProgressUpdate, csv_processor_server::CsvProcessor,
    progress_update::Content,
};
use tributary_pace::Pace;
use tributary_sales::Sales;

use super::{
    body::{Arrival, check_length},
    call::{Answers, Call, answered},
    results::Results,
};

/// Bytes of the departments of all streams.
const MAX_DEPARTMENT_BYTES: u64 = 128 << 20;
/// Streams that may wait for their turn to be read.
const MAX_WAITING: usize = 1_000;
/// Time between two messages of progress.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// The service.
pub(super) struct Processor(Arc<Shared>);

struct Shared {
    results: Results,
    memory: Arc<Budget>,
    /// Streams that are read.
    places: Semaphore,
    /// Streams that are read, or wait.
    waiting: Arc<Semaphore>,
    /// Chunks that are added up at a time: more would only take turns on the cores.
    steps: Semaphore,
    patience: Duration,
    shutdown: CancellationToken,
}

impl Processor {
    pub(super) fn new(results: Results, config: &Config, shutdown: CancellationToken) -> Self {
        let cores = available_parallelism().map_or(2, NonZeroUsize::get);
        Self(Arc::new(Shared {
            results,
            memory: Arc::new(Budget::new(MAX_DEPARTMENT_BYTES)),
            places: Semaphore::new(config.grpc.streams),
            waiting: Arc::new(Semaphore::new(config.grpc.streams + MAX_WAITING)),
            steps: Semaphore::new(cores),
            patience: config.patience,
            shutdown,
        }))
    }
}

#[tonic::async_trait]
impl CsvProcessor for Processor {
    type ProcessCsvStream = BoxStream<'static, Result<ProgressUpdate, Status>>;

    async fn process_csv(
        &self,
        request: Request<Streaming<CsvChunk>>,
    ) -> Result<Response<Self::ProcessCsvStream>, Status> {
        let waiting = Arc::clone(&self.0.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| Status::resource_exhausted("too many streams wait; try again later"))?;
        let (shared, Call { revoked, arrival, .. }) = (Arc::clone(&self.0), Call::of(&request));
        let (patience, ends) = (shared.patience, [revoked, shared.shutdown.clone()]);
        let answer = answered(patience, ends, move |updates| async move {
            let _waiting = waiting;
            let pace = Pace::new(patience);
            let (chunks, began) = (request.into_inner(), Instant::now());
            Stream { shared, arrival, pace, chunks, updates, file_bytes: None, bytes: 0, began }.run().await
        });
        Ok(Response::new(answer))
    }
}

/// One stream of sales.
struct Stream {
    shared: Arc<Shared>,
    arrival: Arrival,
    pace: Pace,
    chunks: Streaming<CsvChunk>,
    updates: Answers<ProgressUpdate>,
    /// The length of the file, if the client said it.
    file_bytes: Option<u64>,
    /// Bytes that came.
    bytes: u64,
    began: Instant,
}

impl Stream {
    async fn run(mut self) -> Result<(), Status> {
        let shared = Arc::clone(&self.shared);
        let _place = shared.places.acquire().await.map_err(|_| Status::unavailable("the server stops"))?;
        let mut sales = Sales::new(Share::new(Arc::clone(&shared.memory)));
        let mut told = Instant::now();
        let mut chunk = self.next().await?;
        self.file_bytes = chunk.as_ref().and_then(|first| first.file_size_bytes).filter(|bytes| *bytes > 0);
        while let Some(CsvChunk { data, .. }) = chunk {
            self.bytes += data.len() as u64;
            // The next one comes while this one is read.
            let (next, read) = tokio::join!(self.next(), step(&shared, sales, move |sales| sales.push(&data)));
            sales = read?;
            if told.elapsed() >= STATUS_INTERVAL {
                told = Instant::now();
                self.updates.try_send(self.status(&sales));
            }
            chunk = next?;
        }
        check_length(self.file_bytes, self.bytes)?;
        sales = step(&shared, sales, Sales::finish).await?;
        self.summarize(sales).await
    }

    async fn next(&mut self) -> Result<Option<CsvChunk>, Status> {
        self.arrival.next(&mut self.chunks, &mut self.pace).await
    }

    async fn summarize(self, sales: Sales) -> Result<(), Status> {
        let (counts, departments) = (sales.counts(), sales.departments());
        let last = ProcessingStatus {
            rows_processed: counts.rows,
            malformed_rows: counts.malformed,
            processed_percentage: 100.0,
            message: "Writing the totals".to_owned(),
        };
        self.send(Content::StatusUpdate(last)).await?;
        let results = self.shared.results.clone();
        let written = spawn_blocking(move || results.write(&sales)).await;
        let written = written.map_err(|_| Status::internal("writing the totals broke off"))?;
        let name = written.map_err(|error| Status::internal(format!("failed to write the totals: {error}")))?;
        let summary = ProcessSummary {
            result_file_name: name,
            rows_processed: counts.rows,
            malformed_rows: counts.malformed,
            processed_percentage: 100.0,
            total_sales: counts.sales,
            unique_departments: departments as u64,
            processing_time_seconds: self.began.elapsed().as_secs_f32(),
            storage_result_file_url: None,
        };
        self.send(Content::Summary(summary)).await
    }

    /// The progress so far.
    fn status(&self, sales: &Sales) -> ProgressUpdate {
        let counts = sales.counts();
        let percent = self.file_bytes.map_or(0.0, |all| self.bytes as f64 / all as f64 * 100.0);
        let status = ProcessingStatus {
            rows_processed: counts.rows,
            malformed_rows: counts.malformed,
            processed_percentage: ((percent * 100.0).round() / 100.0) as f32,
            message: format!("Adding up the sales ({percent:.2}%)"),
        };
        ProgressUpdate { content: Some(Content::StatusUpdate(status)) }
    }

    async fn send(&self, content: Content) -> Result<(), Status> {
        self.updates.send(ProgressUpdate { content: Some(content) }).await
    }
}

/// Works on the sales in a blocking thread, in its turn.
async fn step(
    shared: &Shared,
    mut sales: Sales,
    work: impl FnOnce(&mut Sales) -> Result<(), tributary_sales::Error> + Send + 'static,
) -> Result<Sales, Status> {
    let _turn = shared.steps.acquire().await.map_err(|_| Status::unavailable("the server stops"))?;
    let worked = spawn_blocking(move || work(&mut sales).map(|()| sales)).await;
    let worked = worked.map_err(|_| Status::internal("adding up the sales broke off"))?;
    worked.map_err(|error| match error {
        tributary_sales::Error::TooLarge => Status::out_of_range(error.to_string()),
        tributary_sales::Error::TooMany(_) => Status::resource_exhausted(error.to_string()),
    })
}
