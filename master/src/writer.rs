//! The one thread that writes. It owns the store's writing connection; everything that changes the database is a job in
//! its queue, so that no two changes ever meet and no async worker waits for a disk.

use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot};
use tributary_store::{Lock, Store};

/// A bound on waiting jobs: a source gives one at a time, so this is reached only by many sources at once, which then wait.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// A handle to the writer. The thread ends when the last handle is gone and its queue is empty.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

/// The writer's thread, to be waited for once all handles are gone.
pub(crate) struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Waits until the store is closed, which brings all of its write-ahead log into the database file: whoever copies
    /// that file afterwards has everything.
    pub(crate) fn join(self) -> Result<()> {
        self.0.join().ok().context("the writer has stopped in the middle of a job")
    }
}

impl Writer {
    /// Starts the thread. It holds the database's lock to its own end, so that nobody else writes while a last job runs.
    pub(crate) fn start(mut store: Store, lock: Lock) -> Result<(Self, WriterThread)> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut store);
            }
            drop(store);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(work);
        Ok((Self { jobs }, WriterThread(thread.context("failed to start the writer thread")?)))
    }

    /// Runs `job` on the writer thread, after those that wait already.
    ///
    /// # Errors
    /// What the job returns, or that the writer has stopped because a job panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let span = tracing::Span::current();
        let job = Box::new(move |store: &mut Store| {
            // Nobody waits any more if the caller is gone; the change holds all the same.
            let _ = answer.send(span.in_scope(|| job(store)));
        });
        self.jobs.send(job).await.ok().context("the writer has stopped")?;
        answered.await.context("the writer has stopped")?
    }
}
