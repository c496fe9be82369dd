//! The sources that are being polled: each has a loop and the work on its reports, and can be stopped alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Poll, Statuses, poll_loop::PollLoop};
use crate::supervise::Tasks;

/// Starts and stops the polling of sources; clones share it.
#[derive(Clone)]
pub(crate) struct PollManager(Arc<Shared>);

struct Shared {
    tasks: Tasks,
    statuses: Statuses,
    /// The sources that are polled, by name. Held only to add or to remove one.
    running: Mutex<HashMap<String, RunningSource>>,
}

struct RunningSource {
    stop: CancellationToken,
    /// Told when what it holds was accepted.
    accepted: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl PollManager {
    /// Polls nothing yet.
    pub(crate) fn new(statuses: &Statuses, tasks: &Tasks) -> Self {
        Self(Arc::new(Shared { tasks: tasks.clone(), statuses: statuses.clone(), running: Mutex::default() }))
    }

    /// Starts to poll one more source, and to work on its reports.
    pub(crate) fn add(&self, mut poll: Poll, poll_interval: Duration) {
        let Shared { tasks, statuses, .. } = &*self.0;
        let (stop, name) = (CancellationToken::new(), poll.name().to_owned());
        statuses.expect(&name);
        poll.progress = statuses.observer(&name, poll.progress);
        let (work, accepted) = (poll.report_work(statuses.report_observer(&name)), poll.accepted());
        let mut handles: Vec<_> =
            work.into_iter().map(|work| tasks.spawn(format!("reports of {name}"), stop.clone(), work)).collect();
        let poll_interval = poll.interval(poll_interval);
        let poll_loop = PollLoop::new(poll, poll_interval, statuses.clone());
        handles.push(tasks.spawn(format!("poll of {name}"), stop.clone(), poll_loop));
        self.running().insert(name, RunningSource { stop, accepted, tasks: handles });
    }

    /// Makes a source apply what it holds, now that it was accepted.
    pub(crate) fn release(&self, name: &str) {
        if let Some(source) = self.running().get(name) {
            source.accepted.notify_one();
        }
    }

    /// Stops polling a source and waits until nothing works on it any more. What its last pass has begun to write is finished.
    pub(crate) async fn remove(&self, name: &str) {
        let removed = self.running().remove(name);
        let Some(RunningSource { stop, tasks, .. }) = removed else { return };
        stop.cancel();
        futures_util::future::join_all(tasks).await;
        self.0.statuses.forget(name);
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, RunningSource>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
