//! `processor.CsvProcessor`: totals per department of a CSV file of any size, while it comes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tributary_engine::OnlyReads;
use tributary_grpc::processor::{
    CsvChunk, ProcessSummary, ProcessingStatus, ProgressUpdate, csv_processor_server::CsvProcessor,
    progress_update::Content,
};
use tributary_pace::Pace;
use tributary_sales::Error;

use super::{
    body::{Arrival, check_length},
    call::{Answers, Call, answered},
};
use crate::sales::{Failure, Progress, Stream, Streams, Summary, Waiting};

/// Time between two messages of progress.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// The service.
pub(super) struct Processor {
    /// None in a master that only reads.
    streams: Option<Arc<Streams>>,
    patience: Duration,
    shutdown: CancellationToken,
}

impl Processor {
    pub(super) fn new(streams: Option<Arc<Streams>>, patience: Duration, shutdown: CancellationToken) -> Self {
        Self { streams, patience, shutdown }
    }
}

#[tonic::async_trait]
impl CsvProcessor for Processor {
    type ProcessCsvStream = BoxStream<'static, Result<ProgressUpdate, Status>>;

    async fn process_csv(
        &self,
        request: Request<Streaming<CsvChunk>>,
    ) -> Result<Response<Self::ProcessCsvStream>, Status> {
        let Call { sender, revoked, arrival } = Call::of(&request);
        let streams = self.streams.as_ref().ok_or_else(only_reads)?;
        let waiting = streams.enter(sender).map_err(status)?;
        let pace = Pace::new(self.patience);
        let answer = answered(self.patience, [revoked, self.shutdown.clone()], move |updates| {
            Exchange { arrival, pace, chunks: request.into_inner(), updates }.run(waiting)
        });
        Ok(Response::new(answer))
    }
}

fn only_reads() -> Status {
    Status::unavailable(OnlyReads.to_string())
}

/// The two directions of a call.
struct Exchange {
    arrival: Arrival,
    pace: Pace,
    chunks: Streaming<CsvChunk>,
    updates: Answers<ProgressUpdate>,
}

impl Exchange {
    async fn run(mut self, waiting: Waiting) -> Result<(), Status> {
        let mut stream = waiting.turn().await.map_err(status)?;
        let mut told = Instant::now();
        let mut chunk = self.next().await?;
        while let Some(CsvChunk { data, file_size_bytes }) = chunk {
            if stream.length().0.is_none() {
                stream.expect(file_size_bytes);
            }
            // The next one comes while this one is read.
            let (next, read) = tokio::join!(self.next(), stream.push(data));
            stream = read.map_err(status)?;
            if told.elapsed() >= STATUS_INTERVAL {
                told = Instant::now();
                self.updates.try_send(progress(stream.progress()));
            }
            chunk = next?;
        }
        let (announced, came) = stream.length();
        check_length(announced, came)?;
        self.summarize(stream.finish().await.map_err(status)?).await
    }

    async fn next(&mut self) -> Result<Option<CsvChunk>, Status> {
        self.arrival.next(&mut self.chunks, &mut self.pace).await
    }

    async fn summarize(self, stream: Stream) -> Result<(), Status> {
        self.updates.send(progress(stream.progress())).await?;
        self.updates.send(summary(stream.write().await.map_err(status)?)).await
    }
}

fn progress(Progress { counts, percent, message }: Progress) -> ProgressUpdate {
    let status = ProcessingStatus {
        rows_processed: counts.rows,
        malformed_rows: counts.malformed,
        processed_percentage: percent as f32,
        message,
    };
    ProgressUpdate { content: Some(Content::StatusUpdate(status)) }
}

fn summary(Summary { result, link, counts, departments, seconds }: Summary) -> ProgressUpdate {
    let summary = ProcessSummary {
        result_file_name: result,
        rows_processed: counts.rows,
        malformed_rows: counts.malformed,
        processed_percentage: 100.0,
        total_sales: counts.sales,
        unique_departments: departments,
        processing_time_seconds: seconds,
        storage_result_file_url: link,
    };
    ProgressUpdate { content: Some(Content::Summary(summary)) }
}

fn status(failure: Failure) -> Status {
    let text = failure.to_string();
    match failure {
        Failure::TooMany | Failure::Sales(Error::TooMany(_)) => Status::resource_exhausted(text),
        Failure::Sales(Error::TooLarge) => Status::out_of_range(text),
        Failure::Unwritten(_) | Failure::BrokeOff(_) => Status::internal(text),
        Failure::Stopping => Status::unavailable(text),
    }
}
