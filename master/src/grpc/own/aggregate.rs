//! `Aggregate`: a report over a file that is sent for it. The file goes to a temporary file, because it may have to be read twice.

use std::{
    io::Write,
    num::NonZeroUsize,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use futures_util::stream::BoxStream;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use tributary_budget::Budget;
use tributary_config::{Config, ReportConfig, declared_report};
use tributary_csv_gate::{Error as GateError, FileReject};
use tributary_format_rules::file_format;
use tributary_grpc::tributary_v1::{
    AggregateProgress, AggregateRequest, AggregateResponse, AggregateStart, AggregateSummary, Group, Groups, Reject,
    Value, aggregate_request::Content, aggregate_response::Content as Answer, value::Kind,
};
use tributary_http_common::TempFile;
use tributary_pace::Pace;
use tributary_report::{Error, Number, Partial, Room};

use crate::grpc::{
    body::{Arrival, check_length},
    call::{Answers, Call, answered},
};

/// Reports that are computed at a time, each on all cores; files that are received for one, or wait.
const MAX_RUNNING: usize = 2;
const MAX_WAITING: usize = 64;
/// Bytes of the groups of all of them; others go to temporary files.
const MAX_GROUP_BYTES: u64 = 48 << 20;
/// Groups of a message, and bytes of their keys from which on it is sent.
const GROUPS_PER_MESSAGE: usize = 1_000;
const MESSAGE_BYTES: usize = 64 << 10;
/// Rejects that are sent.
const MAX_REJECTS: usize = 100;
/// Time between two messages of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Places and memory of all reports.
pub(super) struct Aggregations {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    room: Room,
    patience: Duration,
    stop: CancellationToken,
}

impl Aggregations {
    pub(super) fn new(config: &Config, stop: CancellationToken) -> Self {
        Self {
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            room: Room::new(Arc::new(Budget::new(MAX_GROUP_BYTES)), || Ok(Box::new(TempFile::new()))),
            patience: config.patience,
            stop,
        }
    }

    pub(super) async fn aggregate(
        self: &Arc<Self>,
        mut requests: Streaming<AggregateRequest>,
        call: Call,
    ) -> Result<BoxStream<'static, Result<AggregateResponse, Status>>, Status> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| Status::resource_exhausted("too many files wait; try again later"))?;
        let first = call.arrival.next(&mut requests, &mut Pace::new(self.patience)).await?;
        let first = first.and_then(|first| first.content);
        let Some(Content::Start(AggregateStart { report, path, size })) = first else {
            return Err(Status::invalid_argument("the first message must be `start`"));
        };
        let report = declared_report(&report).map_err(|why| Status::invalid_argument(format!("`report`: {why}")))?;
        let path = if path.is_empty() { "stream.csv".to_owned() } else { path };
        let (shared, ends) = (Arc::clone(self), [call.revoked, self.stop.clone()]);
        Ok(answered(self.patience, ends, move |answers| {
            Job { shared, report, path, size, answers }.run(requests, call.arrival, waiting)
        }))
    }
}

/// One file.
struct Job {
    shared: Arc<Aggregations>,
    report: ReportConfig,
    path: String,
    size: Option<u64>,
    answers: Answers<AggregateResponse>,
}

impl Job {
    async fn run(
        self,
        requests: Streaming<AggregateRequest>,
        arrival: Arrival,
        waiting: OwnedSemaphorePermit,
    ) -> Result<(), Status> {
        let (file, bytes) = self.receive(requests, arrival).await?;
        let running = Arc::clone(&self.shared.running).acquire_owned().await;
        let running = running.map_err(|_| stopping())?;
        let computed = spawn_blocking(move || {
            let _places = (waiting, running);
            self.compute(&file, bytes)
        });
        computed.await.unwrap_or_else(|_| Err(Status::internal("computing the report broke off")))
    }

    /// Receives the file, and returns it with its length.
    async fn receive(
        &self,
        mut requests: Streaming<AggregateRequest>,
        arrival: Arrival,
    ) -> Result<(TempFile, u64), Status> {
        let (mut file, mut bytes, mut told) = (TempFile::new(), 0, Instant::now());
        let mut pace = Pace::new(self.shared.patience);
        while let Some(message) = arrival.next(&mut requests, &mut pace).await? {
            let Some(Content::Data(data)) = message.content else {
                return Err(Status::invalid_argument("a message behind `start` is not `data`"));
            };
            bytes += data.len() as u64;
            let written = spawn_blocking(move || file.write_all(&data).map(|()| file)).await;
            let written = written.map_err(|_| Status::internal("writing a temporary file broke off"))?;
            file = written.map_err(|error| Status::resource_exhausted(error.to_string()))?;
            if told.elapsed() >= PROGRESS_INTERVAL {
                told = Instant::now();
                self.answers.try_send(progress(bytes, 0, 0));
            }
        }
        check_length(self.size, bytes)?;
        Ok((file, bytes))
    }

    /// Computes the report, and sends it. Call it on a thread that may block.
    fn compute(&self, file: &TempFile, bytes: u64) -> Result<(), Status> {
        let plan = (*self.report.plan).clone().within(self.shared.room.clone());
        let threads = available_parallelism().map_or(2, NonZeroUsize::get);
        let format = file_format(&self.report.formats.spec(&self.path));
        let format = format.map_err(|why| Status::invalid_argument(format!("`report`: {why}")))?;
        let mut told = Instant::now();
        let partial = plan.aggregate_file(
            (&self.path, bytes),
            || file.reader(),
            &format,
            threads,
            |read| {
                if told.elapsed() >= PROGRESS_INTERVAL {
                    told = Instant::now();
                    self.answers.try_send(progress(bytes, read.bytes, read.rows));
                }
                !self.answers.is_closed() && !self.shared.stop.is_cancelled()
            },
        );
        let partial =
            partial.map_err(|error| if self.shared.stop.is_cancelled() { stopping() } else { status(error) })?;
        self.send(Answer::Summary(self.summary(&partial)))?;
        let (mut groups, mut length) = (Vec::new(), 0);
        partial.into_rows().each(&plan, |key, values| {
            length += key.iter().map(String::len).sum::<usize>();
            groups.push(Group { key, values: values.into_iter().map(value).collect() });
            if groups.len() < GROUPS_PER_MESSAGE && length < MESSAGE_BYTES {
                return Ok(());
            }
            length = 0;
            self.send(Answer::Groups(Groups { groups: std::mem::take(&mut groups) }))
        })?;
        if !groups.is_empty() {
            self.send(Answer::Groups(Groups { groups }))?;
        }
        Ok(())
    }

    fn summary(&self, partial: &Partial) -> AggregateSummary {
        let head = partial.head();
        let rejects = head.rejects.into_iter().take(MAX_REJECTS);
        AggregateSummary {
            rows: head.rows,
            passed_over: head.passed_over,
            rejected: head.rejected,
            rejects: rejects
                .map(|reject| Reject { line: reject.line, reason: reject.reason, raw: reject.raw })
                .collect(),
            notes: head.notes,
            group_by: self.report.group_by.clone(),
            metrics: self.report.metrics.clone(),
            groups: head.groups,
        }
    }

    /// Sends what must not be left out, to a client that takes it.
    fn send(&self, content: Answer) -> Result<(), Failed> {
        let message = AggregateResponse { content: Some(content) };
        Handle::current().block_on(self.answers.send(message)).map_err(Failed)
    }
}

/// The status of a report whose groups could not be read or sent.
struct Failed(Status);

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(Status::internal(format!("the groups cannot be read from a temporary file: {error}")))
    }
}

impl From<Failed> for Status {
    fn from(Failed(status): Failed) -> Self {
        status
    }
}

fn progress(received: u64, read: u64, rows: u64) -> AggregateResponse {
    AggregateResponse { content: Some(Answer::Progress(AggregateProgress { received, read, rows })) }
}

fn value(number: Option<Number>) -> Value {
    let kind = number.map(|number| match (number, number.to_i64()) {
        (_, Some(integer)) => Kind::Integer(integer),
        (Number::Float(real), None) => Kind::Real(real),
        (exact, None) => Kind::Decimal(exact.to_string()),
    });
    Value { kind }
}

fn stopping() -> Status {
    Status::unavailable("the master stops; send the file again in a moment")
}

fn status(error: Error) -> Status {
    match error {
        Error::Gate(GateError::Rejected(FileReject { line, reason, .. })) => Status::invalid_argument(match line {
            0 => format!("the file cannot be used: {reason}"),
            line => format!("the file cannot be used: line {line}: {reason}"),
        }),
        error => {
            tracing::warn!(%error, "failed to compute the report of a stream: {error}");
            Status::internal(format!("{error}"))
        }
    }
}
