//! The one thread that writes. It owns the store's writing connection; everything that changes the database is a job in
//! one of its two queues, so that no two changes ever meet and no async worker waits for a disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot, watch};
use tributary_store::{DatabaseUrl, Lock, Store};

use crate::supervise::test_panic;

/// A bound on waiting jobs of each kind: a source gives one at a time and a person waits for the answer, so this is
/// reached only by many at once, which then wait for a place.
const QUEUE: usize = 64;

/// How long the write-ahead log may stay behind a large version.
const LOG_BYTES: u64 = 64 << 20;

type Work = Box<dyn FnOnce(&mut Store) + Send>;

struct Job {
    /// What is being done, for whoever has to wait for it; none for what is over at once.
    what: Option<String>,
    work: Work,
}

/// A handle to the writer. The thread ends when the last handle is gone and its queues are empty.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// Jobs that go before those of `jobs`: a person waits for each.
    urgent: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

struct Shared {
    /// What the thread is doing, and since when. Held only to set or to copy it.
    doing: Mutex<Option<(String, Instant)>>,
    /// Moves after every job, for those who follow what is committed.
    done: watch::Sender<u64>,
}

/// The writer's thread, to be waited for once all handles are gone.
pub(crate) struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until the store is closed, which brings all of its write-ahead log into the database file if nobody reads any
    /// more: whoever copies that file afterwards has everything.
    pub(crate) fn join(self) -> Result<()> {
        self.0.join().ok().context("the writer has stopped in the middle of a job")
    }
}

impl Writer {
    /// Starts the thread. It holds the database's lock to its own end, so that nobody else writes while a last job runs.
    pub(crate) fn start(url: DatabaseUrl, mut store: Store, lock: Lock) -> Result<(Self, WriterThread)> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let (urgent, mut urgent_queue) = mpsc::channel::<Job>(QUEUE);
        let shared = Arc::new(Shared { doing: Mutex::default(), done: watch::Sender::new(0) });
        let runtime = tokio::runtime::Builder::new_current_thread().build().context("failed to start the writer")?;
        let seen = Arc::clone(&shared);
        let work = move || {
            // Both queues are asked each time, the urgent one first; the end has come when both are closed and empty.
            let mut next = || {
                runtime.block_on(async {
                    tokio::select! {
                        biased;
                        Some(job) = urgent_queue.recv() => Some(job),
                        Some(job) = queue.recv() => Some(job),
                        else => None,
                    }
                })
            };
            while let Some(Job { what, work }) = next() {
                seen.set_doing(what.map(|what| (what, Instant::now())));
                if catch_unwind(AssertUnwindSafe(|| work(&mut store))).is_err() {
                    tracing::error!("a job of the writer panicked; this is a bug; opening the database again");
                    // The old connection may be inside a transaction, which ends with it.
                    match Store::open(&url) {
                        Ok(opened) => store = opened,
                        Err(error) => {
                            tracing::error!("the writer stops: {:#}", anyhow::Error::new(error));
                            break;
                        }
                    }
                }
                if let Err(error) = store.trim_log(LOG_BYTES) {
                    tracing::warn!("{:#}", anyhow::Error::new(error));
                }
                seen.set_doing(None);
                seen.done.send_modify(|done| *done += 1);
            }
            drop(store);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(work);
        let thread = thread.context("failed to start the writer thread")?;
        Ok((Self { jobs, urgent, shared }, WriterThread(thread)))
    }

    /// Runs `job` on the writer thread, after those that wait already. `what` says what it does, for those who wait for it.
    ///
    /// # Errors
    /// What the job returns, or that the writer has stopped because a job panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        what: impl Into<String>,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        send(&self.jobs, Some(what.into()), job).await
    }

    /// As [`Writer::run`], but before every job of that kind that waits; the one that runs is not disturbed.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub(crate) async fn run_first<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        send(&self.urgent, None, job).await
    }

    /// What is being written now, and for how long already.
    pub(crate) fn doing(&self) -> Option<(String, Duration)> {
        self.shared.doing().clone().map(|(what, since)| (what, since.elapsed()))
    }

    /// Changes after every job.
    pub(crate) fn done(&self) -> watch::Receiver<u64> {
        self.shared.done.subscribe()
    }

    /// Waits until the thread has ended, which while a handle is there means that a job has panicked.
    pub(crate) async fn broken(&self) {
        self.jobs.closed().await;
    }
}

async fn send<T: Send + 'static>(
    queue: &mpsc::Sender<Job>,
    what: Option<String>,
    job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    let span = tracing::Span::current();
    let work = Box::new(move |store: &mut Store| {
        // What nobody waits for any more is not begun: nobody was told that it was done. Once begun, it holds.
        if !answer.is_closed() {
            test_panic("writer");
            let _ = answer.send(span.in_scope(|| job(store)));
        }
    });
    queue.send(Job { what, work }).await.ok().context("the writer has stopped")?;
    answered.await.context("the writer's job panicked; this is a bug, and the log says where")?
}

impl Shared {
    fn doing(&self) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_doing(&self, doing: Option<(String, Instant)>) {
        *self.doing() = doing;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn urgent_jobs_go_before_those_that_wait() {
        let folder = tempfile::tempdir().unwrap();
        let url: tributary_store::DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        let (writer, thread) =
            Writer::start(url.clone(), Store::open(&url).unwrap(), Lock::acquire(&url, "a test").unwrap()).unwrap();
        let (release, held) = channel::<()>();
        let (order, done) = channel();
        let job = |what: &'static str| {
            let order = order.clone();
            move |_: &mut Store| Ok(order.send(what)?)
        };
        let first = writer.run("long", move |_| Ok(held.recv()?));
        let (plain, urgent) = (writer.run("plain", job("plain")), writer.run_first(job("urgent")));
        let check = async {
            while writer.doing().is_none_or(|(what, _)| what != "long") {
                tokio::task::yield_now().await;
            }
            // Both others wait by now, since `join` polls them in turn before this.
            release.send(()).unwrap();
        };
        let (first, plain, urgent, ()) = tokio::join!(first, plain, urgent, check);
        first.and(plain).and(urgent).unwrap();
        assert_eq!(done.try_iter().collect::<Vec<_>>(), ["urgent", "plain"]);
        assert!(writer.doing().is_none());
        drop(writer);
        thread.join().unwrap();
    }
}
