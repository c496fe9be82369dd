//! When a source is passed over: at the start, whenever it says that something has changed, and again after a failure. One
//! loop a source; whatever happens in one, the others do not notice.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    panic::AssertUnwindSafe,
    time::Duration,
};

use anyhow::{Result, anyhow};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tributary_http_client::Backoff;
use tributary_protocol::Sense;
use tributary_store::SourceState;

use super::{Poll, Statuses};
use crate::{
    clock::now,
    supervise::{Task, Tasks, test_panic},
};

/// How long a source is asked to hold its answer.
const HOLD: Duration = Duration::from_secs(10);
/// Limit for the delay after a failure, even if the poll interval is longer: most sources are not polled by it.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(10);
/// A source of the plain protocol may forget what it gave out, so it is read at least so often.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// The least time between two questions, whatever a source answers.
const BREATH: Duration = Duration::from_millis(20);

/// Starts the loops of sources; clones do the same.
#[derive(Clone)]
pub(crate) struct PollManager {
    tasks: Tasks,
    poll_interval: Duration,
    statuses: Statuses,
}

impl PollManager {
    /// No loop yet.
    pub(crate) fn new(poll_interval: Duration, statuses: &Statuses, tasks: &Tasks) -> Self {
        Self { tasks: tasks.clone(), poll_interval, statuses: statuses.clone() }
    }

    /// Starts the loop of one more source, and the work on its reports.
    pub(crate) fn add(&self, poll: Poll) {
        let stop = CancellationToken::new();
        let name = poll.name().to_owned();
        if let Some(work) = poll.report_work() {
            self.tasks.spawn(format!("reports of {name}"), stop.clone(), work);
        }
        let poll_loop = PollLoop::new(poll, self.poll_interval, self.statuses.clone());
        self.tasks.spawn(format!("poll of {name}"), stop, poll_loop);
    }
}

/// The loop of one source.
struct PollLoop {
    poll: Poll,
    statuses: Statuses,
    /// Interval for a source that cannot hold its answer, and the delay after a first failure.
    poll_interval: Duration,
    /// When this source is asked within an interval, so that many sources are not asked all at once.
    first_tick: Instant,
    /// Delays after failed passes; starts over after a good one.
    backoff: Backoff,
}

/// What is known of a source between two questions, which decides how it is asked next.
#[derive(Debug, Clone)]
enum Known {
    /// Nothing for certain: it is passed over without asking whether anything changed.
    Nothing,
    /// All of this version is applied. A source that has a version may be asked to hold its answer. `in_vain`: it was said to be
    /// new, and nothing had changed.
    Version { version: String, holds: bool, in_vain: bool },
    /// A source of the plain protocol, last read then.
    Plain { read_at: Instant },
}

impl Task for PollLoop {
    /// Polls for ever. After a panic nothing is known, so the source is asked for everything.
    async fn run(&mut self) {
        let mut known = Known::Nothing;
        loop {
            let asked_at = Instant::now();
            known = self.turn(known).await;
            test_panic("poll");
            self.rest(&known, asked_at).await;
        }
    }
}

impl PollLoop {
    fn new(poll: Poll, poll_interval: Duration, statuses: Statuses) -> Self {
        let mut hasher = DefaultHasher::new();
        poll.name().hash(&mut hasher);
        let backoff = Backoff::new(poll_interval, MAX_RETRY_DELAY);
        let offset = poll_interval.mul_f64((hasher.finish() % 1000) as f64 / 1000.0);
        Self { poll, statuses, poll_interval, first_tick: Instant::now() + offset, backoff }
    }

    /// One question and what follows from the answer. A defect of ours is a failed pass, and stops no other source.
    async fn turn(&mut self, known: Known) -> Known {
        let started = Instant::now();
        let turned = AssertUnwindSafe(self.ask(known)).catch_unwind().await;
        let error = match turned {
            Ok(Ok(known)) => return known,
            Ok(Err(error)) => error,
            Err(_) => anyhow!("the pass broke off; this is a defect of the master, and the log says where"),
        };
        let why = format!("{error:#}");
        self.statuses.report(self.poll.name(), None, started.elapsed(), SourceState::Down, Some(why));
        self.poll.note_down(&error).await;
        Known::Nothing
    }

    async fn ask(&mut self, known: Known) -> Result<Known> {
        let asked_at = Instant::now();
        let (sense, is_news) = match &known {
            Known::Nothing => (self.poll.origin().sense().await?, true),
            Known::Version { version, holds, .. } => {
                let wait = if *holds { HOLD } else { Duration::ZERO };
                let sense = self.poll.origin().sense_change(version, wait).await?;
                let is_news = sense.version.as_ref() != Some(version);
                (sense, is_news)
            }
            Known::Plain { read_at } => {
                let sense = self.poll.origin().sense().await?;
                let is_news = sense.status == 1 || sense.version.is_some() || read_at.elapsed() >= READ_AGAIN;
                (sense, is_news)
            }
        };
        if is_news {
            let in_vain = matches!(known, Known::Version { .. });
            return self.pass(&sense, in_vain).await;
        }
        self.statuses.answered(self.poll.name(), now());
        Ok(match known {
            // It answered long before the time was up, though nothing had changed.
            Known::Version { version, holds, .. } => {
                Known::Version { version, holds: holds && asked_at.elapsed() >= HOLD / 2, in_vain: false }
            }
            other => other,
        })
    }

    /// `in_vain`: it was said that there is something new, so there should be.
    async fn pass(&mut self, sense: &Sense, in_vain: bool) -> Result<Known> {
        let (started, sensed) = (Instant::now(), now());
        let passed = self.poll.pass(sense).await?;
        let error = (!passed.unread.is_empty()).then(|| passed.unread.join("; "));
        let is_whole = error.is_none();
        self.statuses.report(self.poll.name(), Some(sensed), started.elapsed(), passed.applied.state, error);
        if !is_whole {
            return Ok(Known::Nothing);
        }
        self.backoff.reset();
        Ok(match sense.version {
            Some(_) => Known::Version { version: passed.version, holds: true, in_vain: in_vain && !passed.changed },
            None => Known::Plain { read_at: started },
        })
    }

    /// Waits until it is time to ask again. A question that is held is a rest in itself.
    async fn rest(&mut self, known: &Known, asked_at: Instant) {
        match known {
            Known::Nothing => sleep(self.backoff.next_delay()).await,
            Known::Version { holds: true, in_vain: false, .. } => sleep_until(asked_at + BREATH).await,
            Known::Version { .. } | Known::Plain { .. } => sleep_until(self.next_tick()).await,
        }
    }

    fn next_tick(&self) -> Instant {
        let interval = self.poll_interval.as_nanos().max(1);
        let since = Instant::now().saturating_duration_since(self.first_tick).as_nanos();
        let left = interval - since % interval;
        Instant::now() + Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }
}
