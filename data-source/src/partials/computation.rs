//! Computes the partials of reports, file by file, and writes progress lines meanwhile.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tributary_budget::Budget;
use tributary_csv_gate::{Error as GateError, FileReject};
use tributary_folder_watch::{Entry, Folder};
use tributary_http_common::{Shared, Sink, produced, shared};
use tributary_protocol::{AggregateLine, BodyDigest, FormatSpec};
use tributary_report::{Error, FileFormat, Partial, Progress, ReportPlan};

use super::cache::{PartialCache, PartialKey};

/// Files computed at the same time. Each uses all cores, so more would only need memory; with one, a file of many gigabytes
/// would keep all others waiting.
const MAX_RUNNING: usize = 2;
/// Requests that may wait for their turn, and how long. Further ones are refused, and asked to come again.
const MAX_WAITING: usize = 30;
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Time between two progress lines. They show callers that work goes on.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Running computations, their answers, and counters.
pub(crate) struct Computations {
    running: Arc<Semaphore>,
    /// Permits of waiting and running requests together.
    waiting: Arc<Semaphore>,
    /// Held to look up or to note one answer.
    cache: Mutex<PartialCache>,
    /// Memory of the groups of all computations.
    room: Arc<Budget>,
    computed: AtomicU64,
    sent_again: AtomicU64,
}

impl Computations {
    /// Groups of all computations may take `memory` bytes together.
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            waiting: Arc::new(Semaphore::new(MAX_RUNNING + MAX_WAITING)),
            cache: Mutex::default(),
            room: Arc::new(Budget::new(memory as u64)),
            computed: AtomicU64::default(),
            sent_again: AtomicU64::default(),
        }
    }

    /// Memory of the groups of all computations.
    pub(crate) fn room(&self) -> Arc<Budget> {
        Arc::clone(&self.room)
    }
}

/// A request for one partial.
pub(crate) struct PartialJob {
    pub(crate) computations: Arc<Computations>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) entry: Entry,
    pub(crate) plan: ReportPlan,
    /// The format of the file, as typed.
    pub(crate) spec: FormatSpec,
    /// The same, checked.
    pub(crate) format: FileFormat,
    /// Whether the digest of the lines follows them.
    pub(crate) adds_digest: bool,
    /// Cancelled when the server stops.
    pub(crate) shutdown: CancellationToken,
}

impl Computations {
    /// Returns a permit for one more request, unless too many are waiting.
    pub(crate) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    /// Waits for the turn to compute; `None` if that takes too long.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        timeout(MAX_WAIT, Arc::clone(&self.running).acquire_owned()).await.ok()?.ok()
    }

    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    pub(crate) fn sent_again(&self) -> u64 {
        self.sent_again.load(Ordering::Relaxed)
    }

    fn cache(&self) -> MutexGuard<'_, PartialCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialJob {
    /// The answer, if another caller has asked the same, and it is computed or kept.
    pub(crate) fn found(&self) -> Option<Shared> {
        self.found_in(&mut self.computations.cache())
    }

    fn found_in(&self, cache: &mut PartialCache) -> Option<Shared> {
        let found = cache.get(&self.key())?;
        self.computations.sent_again.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// Begins to compute the answer, for all who ask the same, unless another caller has begun meanwhile. The permits are for one more
    /// request, and for the turn.
    pub(crate) fn begin(self, permits: [OwnedSemaphorePermit; 2]) -> Shared {
        let (computations, key) = (Arc::clone(&self.computations), self.key());
        let mut cache = computations.cache();
        self.found_in(&mut cache).unwrap_or_else(|| {
            let lines = produced(move |sink| {
                let _permits = permits;
                self.run(sink)
            });
            let answer = shared(lines.map_err(anyhow::Error::from));
            cache.begin(key, &answer);
            answer
        })
    }

    fn key(&self) -> PartialKey {
        PartialKey {
            digest: self.plan.digest().to_owned(),
            format: self.spec.clone(),
            path: self.entry.path.clone(),
            hash: self.entry.hash.clone(),
            adds_digest: self.adds_digest,
        }
    }

    /// Writes all lines of the answer. Call it on a thread that may block.
    ///
    /// # Errors
    /// The callers are gone, or the server is stopping: the answer is cut.
    fn run(self, sink: &mut Sink) -> io::Result<()> {
        match self.compute(sink)? {
            Ok(partial) => {
                self.computations.computed.fetch_add(1, Ordering::Relaxed);
                let digest = write_partial(partial, sink)?;
                self.send_end(&digest, sink)?;
                self.computations.cache().keep(&self.key());
                Ok(())
            }
            Err(line) => {
                self.computations.cache().forget(&self.key());
                write_line(sink, &line)
            }
        }
    }

    /// Sends the last lines, which follow these.
    fn send_end(&self, digest: &BodyDigest, sink: &mut Sink) -> io::Result<()> {
        if self.adds_digest {
            write_line(sink, &AggregateLine::Digest(digest.header()))?;
        }
        write_line(sink, &AggregateLine::End)
    }

    /// Computes the partial, or returns the line that says why there is none.
    fn compute(&self, sink: &mut Sink) -> io::Result<Result<Partial, AggregateLine>> {
        let entry = &self.entry;
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut last_progress = Instant::now();
        let (mut gone, mut is_changed) = (None, false);
        let computed = self.plan.aggregate_file(
            (&entry.path, entry.size),
            || self.folder.open(entry).map_err(io::Error::other),
            &self.format,
            threads,
            |progress| {
                if sink.is_abandoned() || self.shutdown.is_cancelled() {
                    gone = Some(io::ErrorKind::BrokenPipe.into());
                } else if last_progress.elapsed() >= PROGRESS_INTERVAL {
                    gone = self.send_progress(sink, progress).err();
                    is_changed = self.folder.check_stat(entry).is_err();
                    last_progress = Instant::now();
                }
                gone.is_none() && !is_changed
            },
        );
        if let Some(gone) = gone {
            tracing::debug!(file.path = %entry.path, "nobody waits for the partial of `{}` any more", entry.path);
            return Err(gone);
        }
        // If the file changed meanwhile, any result or error may be wrong.
        if is_changed || self.folder.open(entry).is_err() {
            return Ok(Err(AggregateLine::Changed));
        }
        Ok(computed.map_err(|error| line_of(&error, &entry.path)))
    }

    fn send_progress(&self, sink: &mut Sink, Progress { bytes, rows }: Progress) -> io::Result<()> {
        if self.shutdown.is_cancelled() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        write_line(sink, &AggregateLine::Progress { bytes, rows })?;
        sink.pass_on()
    }
}

fn line_of(error: &Error, path: &str) -> AggregateLine {
    match error {
        Error::Gate(GateError::Rejected(FileReject { line, reason, raw, .. })) => {
            AggregateLine::Rejected { line: *line, reason: reason.clone(), raw: raw.clone() }
        }
        error => {
            tracing::warn!(file.path = %path, %error, "failed to compute the partial of `{path}`: {error}");
            AggregateLine::Failed { detail: format!("{error:#}") }
        }
    }
}

/// Writes a partial but for its end, and returns the digest of its lines.
fn write_partial(partial: Partial, sink: &mut Sink) -> io::Result<BodyDigest> {
    let (mut digest, mut text) = (BodyDigest::default(), Vec::new());
    let mut write = |line: &AggregateLine| {
        text.clear();
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
        digest.update(&text);
        sink.write_all(&text)
    };
    write(&AggregateLine::Partial(partial.head()))?;
    partial.each_group(|group| write(&AggregateLine::Group(group)))?;
    Ok(digest)
}

fn write_line(sink: &mut Sink, line: &AggregateLine) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, line)?;
    sink.write_all(b"\n")
}
