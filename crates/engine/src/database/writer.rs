//! The only thread that writes. It owns the writing connection. Every change of the database is a job in one of its two queues, so
//! two changes never overlap and no async worker waits for a disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tributary_store::{DatabaseUrl, Lock, Store, open_anew, open_anew_if_unread};

use super::{
    lost_locks,
    unwritable::{Unwritable, WriteOutage},
};
use crate::supervise::test_panic;

/// Jobs that wait in each queue. A source submits one at a time and a person waits for the answer, so only many of them at once
/// reach this bound; they then wait to submit.
const MAX_QUEUED_JOBS: usize = 64;

/// The interval in which it is tried whether the database can be written again, and looked whether its file is still there.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// The time for which the database may be locked until it is opened anew, in case nobody has this lock; and the tries to open it.
const MAX_LOCKED: Duration = Duration::from_secs(30);
const MAX_OPENINGS: u32 = 3;

/// The size of the write-ahead log above which it is truncated after a job.
const MAX_LOG_BYTES: u64 = 64 << 20;
/// The time for which readers may keep it from that, until the database is opened anew in case that nobody has their locks.
const MAX_LOG_KEPT: Duration = Duration::from_secs(10);

/// Opens a database in place of the connection to it.
type Open = fn(&DatabaseUrl, Store) -> Result<Store, tributary_store::Error>;

type Work = Box<dyn FnOnce(&mut Store) + Send>;

struct QueuedWrite {
    /// Names the job for those who wait for it; `None` for a short one.
    name: Option<String>,
    work: Work,
}

/// This master does not write the database: another one does, or may.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this master only reads; the active one makes changes")]
pub struct OnlyReads;

/// A handle to the writer. The thread ends when the last handle is dropped and its queues are empty.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<QueuedWrite>,
    /// Jobs that run before those in `jobs`: a person waits for each.
    urgent: mpsc::Sender<QueuedWrite>,
    shared: Arc<Shared>,
}

struct Shared {
    /// Guards the name of the running job and the time of its start. Locked only to set or to copy them.
    running: Mutex<Option<(String, Instant)>>,
    /// Counts finished jobs, for subscribers of events.
    done: watch::Sender<u64>,
    /// Whether the database can be written.
    unwritable: Unwritable,
    /// Whether there is no thread, because this master only reads.
    is_absent: bool,
    /// True once another process may write the database in place of this one, or this one does not know what it has written.
    deposed: watch::Sender<bool>,
}

/// The writer's thread, to join after all handles are dropped.
pub(crate) struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until the store is closed. If no reader is left, that moves the write-ahead log into the database file, so that a copy
    /// of the file has everything.
    ///
    /// # Errors
    /// The thread panicked outside a job.
    pub(crate) fn join(self) -> Result<()> {
        self.0.join().ok().context("the writer panicked; this is a bug, and the log says where")
    }
}

impl Writer {
    /// Starts the thread. It holds the database's lock until it ends, so that no other process writes during the last job.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(url: DatabaseUrl, store: Store, lock: Lock) -> Result<(Self, WriterThread)> {
        Self::start_within(url, store, lock, (MAX_LOG_BYTES, MAX_LOG_KEPT))
    }

    fn start_within(
        url: DatabaseUrl,
        store: Store,
        lock: Lock,
        log_bounds: (u64, Duration),
    ) -> Result<(Self, WriterThread)> {
        let (jobs, queue) = mpsc::channel::<QueuedWrite>(MAX_QUEUED_JOBS);
        let (urgent, urgent_queue) = mpsc::channel::<QueuedWrite>(MAX_QUEUED_JOBS);
        let shared = Arc::new(Shared::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .context("failed to start the writer")?;
        let seen = Arc::clone(&shared);
        let work = move || {
            let (urgent, jobs) = (urgent_queue, queue);
            let shared = seen;
            let (is_untrimmed, log_kept, locked_since) = (false, None, None);
            Worker {
                url,
                store,
                lock,
                shared,
                urgent,
                jobs,
                runtime,
                log_bounds,
                is_untrimmed,
                log_kept,
                locked_since,
            }
            .run();
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(work);
        let thread = thread.context("failed to start the writer thread")?;
        Ok((Self { jobs, urgent, shared }, WriterThread(thread)))
    }

    /// The writer of a master that only reads: it refuses every job.
    pub(crate) fn absent() -> Self {
        let (jobs, _) = mpsc::channel(1);
        Self { urgent: jobs.clone(), jobs, shared: Arc::new(Shared::new(true)) }
    }

    /// Refuses what would be written, before anything of it is begun.
    ///
    /// # Errors
    /// [`OnlyReads`].
    pub(crate) fn check_present(&self) -> Result<(), OnlyReads> {
        if self.shared.is_absent { Err(OnlyReads) } else { Ok(()) }
    }

    /// Tells those who follow events that another process has committed.
    pub(crate) fn note_commit(&self) {
        self.shared.done.send_modify(|done| *done += 1);
    }

    /// Waits until another process may write the database in place of this one, or this one does not know what it has written.
    pub(crate) async fn deposed(&self) {
        // The sender is in the same place as the receiver, so this cannot fail.
        let _ = self.shared.deposed.subscribe().wait_for(|deposed| *deposed).await;
    }

    /// Runs `job` on the writer thread, after the jobs that wait already. `name` says what it writes, for those who wait for it.
    ///
    /// # Errors
    /// The job's error; the job panicked; the writer has stopped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        name: impl Into<String>,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.send(&self.jobs, Some(name.into()), job).await
    }

    /// As [`Writer::run`], but before all jobs that wait there. The running job is not interrupted.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub(crate) async fn run_first<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.send(&self.urgent, None, job).await
    }

    async fn send<T: Send + 'static>(
        &self,
        queue: &mpsc::Sender<QueuedWrite>,
        name: Option<String>,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.check_present()?;
        let (answer, answered) = oneshot::channel();
        let (span, shared) = (tracing::Span::current(), Arc::clone(&self.shared));
        let work = Box::new(move |store: &mut Store| {
            // A job that nobody waits for any more is skipped: its caller was never told that it was done.
            if !answer.is_closed() {
                test_panic("writer");
                // What is written to a file that was deleted is lost.
                let placed = store.check_place().map_err(anyhow::Error::new);
                let done = placed.and_then(|()| span.in_scope(|| job(store)));
                let _ = answer.send(shared.unwritable.note(done));
            }
        });
        queue.send(QueuedWrite { name, work }).await.ok().context("the writer has stopped")?;
        answered.await.context("the writer's job panicked; this is a bug, and the log says where")?
    }

    /// The name of the running job, and for how long it has been running; `None` between jobs and during a short one.
    pub(crate) fn running(&self) -> Option<(String, Duration)> {
        self.shared.running().clone().map(|(name, since)| (name, since.elapsed()))
    }

    /// Since when and why the database cannot be written; `None` if it can, as far as is known.
    pub(crate) fn unwritable(&self) -> Option<WriteOutage> {
        self.shared.unwritable.outage()
    }

    /// Changes after every job.
    pub(crate) fn done(&self) -> watch::Receiver<u64> {
        self.shared.done.subscribe()
    }

    /// Waits until the thread has ended. While a handle exists, that means that it could not reopen the database after a panic.
    pub(crate) async fn broken(&self) {
        self.jobs.closed().await;
    }
}

/// The part of a writer that its thread owns.
struct Worker {
    url: DatabaseUrl,
    store: Store,
    /// Held until the last job is done.
    lock: Lock,
    shared: Arc<Shared>,
    urgent: mpsc::Receiver<QueuedWrite>,
    jobs: mpsc::Receiver<QueuedWrite>,
    /// Waits for jobs.
    runtime: Runtime,
    /// Whether the log could not be trimmed after the last job, which is logged once.
    is_untrimmed: bool,
    /// Since when readers keep it, as far as the database was not opened anew since; and whether it was, which is logged once.
    log_kept: Option<(Instant, bool)>,
    /// The largest log, and the longest time for which readers may keep a larger one.
    log_bounds: (u64, Duration),
    /// Since when it is locked, as far as it was not opened anew since.
    locked_since: Option<Instant>,
}

impl Worker {
    /// Works until both queues are closed and empty.
    fn run(mut self) {
        while let Some(QueuedWrite { name, work }) = self.next() {
            self.shared.set_running(name.map(|name| (name, Instant::now())));
            if catch_unwind(AssertUnwindSafe(|| work(&mut self.store))).is_err() {
                tracing::error!("a job of the writer panicked; this is a bug; reopening the database");
                // The old connection may be inside a transaction, which is rolled back with it.
                match self.store.open_again() {
                    Ok(opened) => self.store = opened,
                    Err(error) => {
                        tracing::error!("the writer stops: {:#}", anyhow::Error::new(error));
                        break;
                    }
                }
            }
            self.trim_log();
            self.shared.unwritable.probe(&mut self.store);
            if let Some(open) = self.must_open_anew() {
                match open_patiently(&self.url, self.store, open) {
                    Ok(opened) => self.store = opened,
                    Err(error) => {
                        tracing::error!("the writer stops: {:#}", anyhow::Error::new(error));
                        return;
                    }
                }
                self.shared.unwritable.probe(&mut self.store);
            }
            self.look_at_lock();
            self.shared.set_running(None);
            self.shared.done.send_modify(|done| *done += 1);
        }
    }

    /// Looks into both queues, the urgent one first. `None` once both are closed and empty. Between jobs it looks whether the file is
    /// still in place, or its server answers.
    fn next(&mut self) -> Option<QueuedWrite> {
        loop {
            self.look_at_lock();
            let job = async {
                tokio::select! {
                    biased;
                    Some(job) = self.urgent.recv() => Some(job),
                    Some(job) = self.jobs.recv() => Some(job),
                    else => None,
                }
            };
            // Closed queues end the wait at once: a stop must not depend on a disk that fails.
            match self.runtime.block_on(async { timeout(PROBE_INTERVAL, job).await }) {
                Ok(job) => return job,
                // A job without work finds out whether the database can be written again, or has it opened anew.
                Err(_) if self.shared.unwritable.outage().is_some() || lost_locks::are_lost() => {
                    return Some(QueuedWrite { name: None, work: Box::new(|_| {}) });
                }
                Err(_) => {
                    let placed = self.store.check_place().and_then(|()| self.store.check_server());
                    let _ = self.shared.unwritable.note(placed.map_err(anyhow::Error::new));
                }
            }
        }
    }

    /// Returns the way to open the database anew if locks may be held that nobody has. Notes that it is opened.
    fn must_open_anew(&mut self) -> Option<Open> {
        let is_locked = self.shared.unwritable.outage().is_some_and(|outage| outage.is_locked);
        self.locked_since = is_locked.then(|| self.locked_since.unwrap_or_else(Instant::now));
        let is_overdue = self.locked_since.is_some_and(|since| since.elapsed() >= MAX_LOCKED);
        let is_lost = lost_locks::are_lost() || is_overdue;
        // One that is not in its place would be created.
        if !(is_lost || self.is_log_kept()) || self.store.check_place().is_err() {
            return None;
        }
        if let Some((since, is_logged)) = self.log_kept.as_mut().filter(|_| !is_lost) {
            if !*is_logged {
                tracing::warn!(
                    "the write-ahead log cannot be trimmed for those who read it; opening the database anew"
                );
            }
            (*since, *is_logged) = (Instant::now(), true);
            return Some(open_anew_if_unread);
        }
        if lost_locks::are_lost() {
            tracing::warn!("locks of the database are held that nobody has; opening it anew");
        }
        lost_locks::forget();
        self.locked_since = None;
        Some(open_anew)
    }

    fn look_at_lock(&self) {
        // Who does not know what is stored begins anew, as if another had written meanwhile.
        let is_deposed = self.lock.watch().is_deposed() || self.shared.unwritable.has_unknown_outcome();
        self.shared.deposed.send_if_modified(|known| !std::mem::replace(known, is_deposed) && is_deposed);
    }

    fn is_log_kept(&self) -> bool {
        self.log_kept.is_some_and(|(since, _)| since.elapsed() >= self.log_bounds.1)
    }

    fn trim_log(&mut self) {
        let trimmed = self.store.trim_log(self.log_bounds.0).map_err(anyhow::Error::new);
        if let (Err(error), false) = (&trimmed, self.is_untrimmed) {
            tracing::warn!("{error:#}; this is tried again after each write");
        }
        self.is_untrimmed = trimmed.is_err();
        self.log_kept = matches!(trimmed, Ok(false)).then(|| self.log_kept.unwrap_or_else(|| (Instant::now(), false)));
    }
}

/// Opens the database anew. Whoever has locked it may go on for a while.
fn open_patiently(url: &DatabaseUrl, old: Store, open: Open) -> Result<Store, tributary_store::Error> {
    let mut opened = open(url, old);
    for _ in 1..MAX_OPENINGS {
        if opened.is_ok() {
            break;
        }
        std::thread::sleep(PROBE_INTERVAL);
        opened = Store::open(url);
    }
    opened
}

impl Shared {
    fn new(is_absent: bool) -> Self {
        Self {
            running: Mutex::default(),
            done: watch::Sender::new(0),
            unwritable: Unwritable::default(),
            is_absent,
            deposed: watch::Sender::new(false),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_running(&self, running: Option<(String, Instant)>) {
        *self.running() = running;
    }
}

#[cfg(test)]
mod tests;
