//! Background tasks: each has a name, is restarted after a panic, and is reported under its own name.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::{runtime::Handle, task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tributary_http_client::Backoff;

/// First delay before a restart; each further panic doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Limit for the delay before a restart.
const MAX_DELAY: Duration = Duration::from_secs(30);
/// A task that ran this long without a panic starts over with the first delay.
const STABLE: Duration = Duration::from_secs(60);

/// A task that runs until the engine stops. Its state outlives a panic, so that a restart goes on where the task was.
pub(crate) trait Task: Send + 'static {
    /// Works until there is nothing more to do. Called again after a panic.
    fn run(&mut self) -> impl Future<Output = ()> + Send;
}

/// The background tasks of one engine; clones share them.
#[derive(Clone)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    /// Runs them. A task that a request starts must not run where requests are answered.
    runtime: Handle,
    shutdown: CancellationToken,
}

impl Tasks {
    /// No task yet. All of them will run on the current runtime, and end once `shutdown` is cancelled.
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        Self { tracker: TaskTracker::new(), runtime: Handle::current(), shutdown }
    }

    /// Starts a task. `name` says in the log which one panicked, such as `poll of north`. The task ends when it returns, when
    /// `stop` is cancelled, or when the engine stops.
    pub(crate) fn spawn(&self, name: String, stop: CancellationToken, mut task: impl Task) -> JoinHandle<()> {
        let shutdown = self.shutdown.clone();
        let supervised = async move {
            // Boxed, because each of those who wait for it would hold its state twice: there may be ten thousand tasks.
            let until_stopped = stop.run_until_cancelled(Box::pin(supervise(&name, &mut task)));
            // Whatever ends it, there is nothing to report: a panic was.
            let _ = shutdown.run_until_cancelled(until_stopped).await;
        };
        self.tracker.spawn_on(supervised, &self.runtime)
    }

    /// Waits until all tasks have ended.
    pub(crate) async fn stopped(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

async fn supervise(name: &str, task: &mut impl Task) {
    let mut backoff = Backoff::new(FIRST_DELAY, MAX_DELAY);
    loop {
        let started = Instant::now();
        if AssertUnwindSafe(task.run()).catch_unwind().await.is_ok() {
            return;
        }
        if started.elapsed() > STABLE {
            backoff.reset();
        }
        let delay = backoff.next_delay();
        tracing::error!(task = %name, "the task `{name}` panicked; this is a bug; restarting it in {delay:?}");
        tokio::time::sleep(delay).await;
    }
}

/// Panics the first time it is reached after a test has asked for it by this name. Does nothing outside tests.
#[inline]
pub(crate) fn test_panic(_name: &str) {
    #[cfg(test)]
    if tests::take_panic(_name) {
        panic!("a test wants `{_name}` to panic");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        collections::HashSet,
        sync::{
            Arc, Mutex, PoisonError,
            atomic::{AtomicU32, Ordering},
        },
    };

    use tokio::sync::RwLock;

    use super::*;

    static WANTED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

    /// Held by tests that run an engine, and alone by one that makes tasks panic: whichever engine comes first would take the panic.
    pub(crate) static ENGINES: RwLock<()> = RwLock::const_new(());

    /// Makes the task called `name` panic once.
    pub(crate) fn want_panic(name: &str) {
        let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.get_or_insert_default().insert(name.to_owned());
    }

    /// Whether a panic is wanted that has not happened; it is forgotten.
    pub(crate) fn take_panic(name: &str) -> bool {
        let mut wanted = WANTED.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.as_mut().is_some_and(|wanted| wanted.remove(name))
    }

    struct Shaky(Arc<AtomicU32>);

    impl Task for Shaky {
        async fn run(&mut self) {
            let runs = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            assert!(runs > 2, "the first two runs panic");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_restarted_until_it_ends() {
        let (runs, tasks) = (Arc::new(AtomicU32::new(0)), Tasks::new(CancellationToken::new()));
        tasks.spawn("shaky".to_owned(), CancellationToken::new(), Shaky(Arc::clone(&runs)));
        tasks.stopped().await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    struct Endless;

    impl Task for Endless {
        async fn run(&mut self) {
            std::future::pending::<()>().await;
        }
    }

    #[tokio::test]
    async fn a_stop_ends_one_task_and_a_shutdown_all() {
        let (shutdown, stop) = (CancellationToken::new(), CancellationToken::new());
        let tasks = Tasks::new(shutdown.clone());
        tasks.spawn("one".to_owned(), stop.clone(), Endless);
        tasks.spawn("other".to_owned(), CancellationToken::new(), Endless);
        stop.cancel();
        while tasks.tracker.len() > 1 {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
        tasks.stopped().await;
    }
}
