//! Answers questions about files: computes the partials of reports, or tells whether a file is plain. Writes progress lines meanwhile.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tributary_budget::Budget;
use tributary_csv_gate::{Error as GateError, FileReject};
use tributary_folder_watch::{Content, Entry, Folder};
use tributary_http_common::{Shared, Sink, produced, shared};
use tributary_protocol::{AggregateLine, BodyDigest, FormatSpec, PlainLine};
use tributary_report::{Error, FileFormat, Partial, Progress, ReportPlan, plain_line};

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

/// A question about a file.
pub(crate) enum Question {
    /// Its partial for a report.
    Partial(Box<ReportPlan>),
    /// Whether any CSV reader reads it alike.
    IsPlain,
}

/// A request about one file.
pub(crate) struct PartialJob {
    pub(crate) computations: Arc<Computations>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) entry: Entry,
    pub(crate) question: Question,
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
            digest: match &self.question {
                Question::Partial(plan) => plan.digest().to_owned(),
                Question::IsPlain => "plain".to_owned(),
            },
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
        match &self.question {
            Question::Partial(plan) => self.run_partial(plan, sink),
            Question::IsPlain => self.run_plain(sink),
        }
    }

    fn run_partial(&self, plan: &ReportPlan, sink: &mut Sink) -> io::Result<()> {
        match self.compute(plan, sink)? {
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

    fn run_plain(&self, sink: &mut Sink) -> io::Result<()> {
        let line = self.check_plain(sink)?;
        write_line(sink, &line)?;
        match line {
            PlainLine::Plain(_) | PlainLine::NotPlain { .. } => self.computations.cache().keep(&self.key()),
            _ => self.computations.cache().forget(&self.key()),
        }
        Ok(())
    }

    /// Sends the last lines, which follow these.
    fn send_end(&self, digest: &BodyDigest, sink: &mut Sink) -> io::Result<()> {
        if self.adds_digest {
            write_line(sink, &AggregateLine::Digest(digest.header()))?;
        }
        write_line(sink, &AggregateLine::End)
    }

    /// Computes the partial, or returns the line that says why there is none.
    fn compute(&self, plan: &ReportPlan, sink: &mut Sink) -> io::Result<Result<Partial, AggregateLine>> {
        let line = |Progress { bytes, rows }| AggregateLine::Progress { bytes, rows };
        let computed = self.watched(sink, line, |open, threads, go_on| {
            plan.aggregate_file((&self.entry.path, self.entry.size), open, &self.format, threads, go_on)
        });
        Ok(match computed? {
            Some(computed) => computed.map_err(|error| line_of(&error, &self.entry.path)),
            None => Err(AggregateLine::Changed),
        })
    }

    /// Returns the line that says whether the file is plain.
    fn check_plain(&self, sink: &mut Sink) -> io::Result<PlainLine> {
        let line = |Progress { bytes, .. }| PlainLine::Progress { bytes };
        let path = &self.entry.path;
        let checked = self.watched(sink, line, |open, threads, go_on| {
            let go_on = move |bytes| go_on(Progress { bytes, rows: 0 });
            plain_line((path, self.entry.size), open, &self.format.settings, threads, go_on)
        });
        Ok(checked?.map_or(PlainLine::Changed, |checked| {
            checked.unwrap_or_else(|error| {
                tracing::warn!(file.path = %path, %error, "failed to read `{path}`: {error}");
                PlainLine::Failed { detail: format!("{error:#}") }
            })
        }))
    }

    /// Works on the file, and sends lines of progress meanwhile. If the file changed meanwhile, any result or error may be wrong: `None`.
    fn watched<L: Serialize, T>(
        &self,
        sink: &mut Sink,
        line: impl Fn(Progress) -> L,
        work: impl FnOnce(&dyn Fn() -> io::Result<Content>, usize, &mut dyn FnMut(Progress) -> bool) -> T,
    ) -> io::Result<Option<T>> {
        let entry = &self.entry;
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut last_progress = Instant::now();
        let (mut gone, mut is_changed) = (None, false);
        let open = || self.folder.open(entry).map_err(io::Error::other);
        let done = work(&open, threads, &mut |progress| {
            if sink.is_abandoned() || self.shutdown.is_cancelled() {
                gone = Some(io::ErrorKind::BrokenPipe.into());
            } else if last_progress.elapsed() >= PROGRESS_INTERVAL {
                gone = self.send_progress(sink, &line(progress)).err();
                is_changed = self.folder.check_stat(entry).is_err();
                last_progress = Instant::now();
            }
            gone.is_none() && !is_changed
        });
        if let Some(gone) = gone {
            tracing::debug!(file.path = %entry.path, "nobody waits for an answer about `{}` any more", entry.path);
            return Err(gone);
        }
        Ok((!is_changed && self.folder.open(entry).is_ok()).then_some(done))
    }

    fn send_progress(&self, sink: &mut Sink, line: &impl Serialize) -> io::Result<()> {
        if self.shutdown.is_cancelled() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        write_line(sink, line)?;
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

fn write_line(sink: &mut Sink, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, line)?;
    sink.write_all(b"\n")
}
