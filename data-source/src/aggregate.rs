//! Computes partials of the folder's files for reports, and tells of it in lines while it does. How requests come and how
//! lines go is not known here.

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::{Error as GateError, FileReject};
use tributary_folder_watch::{Entry, Folder};
use tributary_http_common::Sink;
use tributary_protocol::AggregateLine;
use tributary_report::{Error, Partial, Progress, ReportPlan};

use crate::partials::{Key, Partials};

/// Files that are computed at one time. Each takes all cores, so more would only take memory; one alone would let a file of
/// many gigabytes keep all others waiting.
const AT_WORK: usize = 2;
/// Requests that wait for their turn, each with a thread.
const WAITING: usize = 30;
/// How often it is said how far a file was read. This tells the caller that somebody is at work, and us that he is there.
const TELLING: Duration = Duration::from_secs(1);

/// What is computed, and what was.
#[derive(Debug)]
pub(crate) struct Computations {
    at_work: Semaphore,
    /// Those at work included.
    waiting: Arc<Semaphore>,
    /// Held to look up or to keep one partial.
    partials: Mutex<Partials>,
    computed: AtomicU64,
    given_again: AtomicU64,
}

impl Default for Computations {
    fn default() -> Self {
        Self {
            at_work: Semaphore::new(AT_WORK),
            waiting: Arc::new(Semaphore::new(AT_WORK + WAITING)),
            partials: Mutex::default(),
            computed: AtomicU64::default(),
            given_again: AtomicU64::default(),
        }
    }
}

/// One partial that is asked for.
pub(crate) struct Job {
    pub(crate) computations: Arc<Computations>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) entry: Entry,
    pub(crate) plan: ReportPlan,
    /// Cancelled when the server stops.
    pub(crate) shutdown: CancellationToken,
}

impl Computations {
    /// A place for one more request, if there is one.
    pub(crate) fn admit(&self) -> Option<tokio::sync::OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    pub(crate) fn given_again(&self) -> u64 {
        self.given_again.load(Ordering::Relaxed)
    }

    fn kept(&self, key: &Key) -> Option<Arc<Vec<u8>>> {
        self.partials.lock().unwrap_or_else(PoisonError::into_inner).get(key)
    }

    fn keep(&self, key: Key, lines: Vec<u8>) {
        self.partials.lock().unwrap_or_else(PoisonError::into_inner).put(key, lines);
    }
}

impl Job {
    /// Writes all lines of the answer. Must run on a thread that may block, inside of a runtime.
    ///
    /// # Errors
    /// The caller has gone, or the server stops: the answer is cut.
    pub(crate) fn run(self, sink: &mut Sink) -> io::Result<()> {
        let key =
            Key { digest: self.plan.digest().to_owned(), path: self.entry.path.clone(), hash: self.entry.hash.clone() };
        if self.give_again(&key, sink)? {
            return Ok(());
        }
        let computed = {
            let _place = self.wait_for_turn(sink)?;
            // Somebody else may have asked for the same before.
            if self.give_again(&key, sink)? {
                return Ok(());
            }
            self.compute(sink)?
        };
        match computed {
            Ok(partial) => {
                self.computations.computed.fetch_add(1, Ordering::Relaxed);
                if let Some(lines) = write_partial(&partial, sink)? {
                    self.computations.keep(key, lines);
                }
                Ok(())
            }
            Err(line) => write_line(sink, &line),
        }
    }

    /// Gives out the partial if it is kept.
    fn give_again(&self, key: &Key, sink: &mut Sink) -> io::Result<bool> {
        let Some(lines) = self.computations.kept(key) else { return Ok(false) };
        self.computations.given_again.fetch_add(1, Ordering::Relaxed);
        sink.write_all(&lines).map(|()| true)
    }

    fn wait_for_turn(&self, sink: &mut Sink) -> io::Result<tokio::sync::SemaphorePermit<'_>> {
        loop {
            let turn = Handle::current().block_on(timeout(TELLING, self.computations.at_work.acquire()));
            match turn {
                Ok(place) => return place.map_err(io::Error::other),
                Err(_) => self.tell(sink, Progress::default())?,
            }
        }
    }

    /// The partial, or the line that says why there is none.
    fn compute(&self, sink: &mut Sink) -> io::Result<Result<Partial, AggregateLine>> {
        let entry = &self.entry;
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut told = Instant::now();
        let (mut gone, mut is_changed) = (None, false);
        let computed = self.plan.aggregate_file(
            (&entry.path, entry.stat.size),
            || self.folder.open(entry).map_err(io::Error::other),
            threads,
            |progress| {
                if sink.is_abandoned() || self.shutdown.is_cancelled() {
                    gone = Some(io::ErrorKind::BrokenPipe.into());
                } else if told.elapsed() >= TELLING {
                    gone = self.tell(sink, progress).err();
                    is_changed = self.folder.open(entry).is_err();
                    told = Instant::now();
                }
                gone.is_none() && !is_changed
            },
        );
        if let Some(gone) = gone {
            tracing::debug!(file.path = %entry.path, "nobody waits for the partial of `{}` any more", entry.path);
            return Err(gone);
        }
        // A file that changed meanwhile may look like anything.
        if is_changed || self.folder.open(entry).is_err() {
            return Ok(Err(AggregateLine::Changed));
        }
        Ok(computed.map_err(|error| line_of(&error, &entry.path)))
    }

    fn tell(&self, sink: &mut Sink, Progress { bytes, rows }: Progress) -> io::Result<()> {
        if self.shutdown.is_cancelled() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        write_line(sink, &AggregateLine::Progress { bytes, rows })?;
        sink.pass_on()
    }
}

fn line_of(error: &Error, path: &str) -> AggregateLine {
    match error {
        Error::Gate(GateError::Rejected(FileReject { line, reason, raw })) => {
            AggregateLine::Rejected { line: *line, reason: reason.clone(), raw: raw.clone() }
        }
        error => {
            tracing::warn!(file.path = %path, %error, "no partial of `{path}`: {error}");
            AggregateLine::Failed { detail: format!("{error:#}") }
        }
    }
}

/// Writes a partial and gives its lines back if they are few enough to be kept.
fn write_partial(partial: &Partial, sink: &mut Sink) -> io::Result<Option<Vec<u8>>> {
    let mut lines = Vec::new();
    let mut is_kept = true;
    let mut write = |line: &AggregateLine| {
        lines.extend(serde_json::to_vec(line)?);
        lines.push(b'\n');
        if !Partials::has_room_for(lines.len()) {
            is_kept = false;
            sink.write_all(&std::mem::take(&mut lines))?;
        }
        io::Result::Ok(())
    };
    write(&AggregateLine::Partial(partial.head()))?;
    partial.each_group(|group| write(&AggregateLine::Group(group)))?;
    write(&AggregateLine::End)?;
    sink.write_all(&lines)?;
    Ok(is_kept.then_some(lines))
}

fn write_line(sink: &mut Sink, line: &AggregateLine) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, line)?;
    sink.write_all(b"\n")
}
