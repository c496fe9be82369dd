//! Decides when a source is due for a pass: at the start, whenever it reports a change, and again after a failure. Each source
//! has its own loop, so a failure in one does not affect the others.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    panic::AssertUnwindSafe,
    time::Duration,
};

use anyhow::{Result, anyhow};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};
use tributary_http_client::Backoff;
use tributary_protocol::Sense;
use tributary_store::SourceState;

use super::{Poll, Statuses, notes, turn::Turn};
use crate::{
    clock::now,
    ingest::Applied,
    supervise::{Task, test_panic},
};

/// Time that a source is asked to hold its answer.
const MAX_SENSE_WAIT: Duration = Duration::from_secs(10);
/// Limit for the delay after a failure, even if the poll interval is longer: most sources are not polled by it.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(10);
/// Interval in which a plain source is read without news, because it may forget what it gave out.
const PLAIN_READ_INTERVAL: Duration = Duration::from_secs(60);
/// Interval in which a source is listed without news if times decide which file wins.
const RELIST_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between two questions, whatever a source answers.
const MIN_SENSE_INTERVAL: Duration = Duration::from_millis(20);

/// The loop of one source.
pub(super) struct PollLoop {
    poll: Poll,
    statuses: Statuses,
    /// Interval for a source that cannot hold its answer, and the delay after a first failure.
    poll_interval: Duration,
    /// The offset within an interval, so that many sources are not asked all at once.
    first_tick: Instant,
    /// When the last pass began.
    listed_at: Instant,
    /// Delays after failed passes; starts over after a good one.
    backoff: Backoff,
    /// Whether it did not answer last, or its pass failed.
    is_down: bool,
}

/// Knowledge of a source between two requests. It decides how the source is asked next.
#[derive(Debug, Clone)]
enum Known {
    /// Nothing is certain, so a pass is made without asking for news.
    Nothing,
    /// All of this version is applied.
    Version {
        version: String,
        /// Whether the source holds its answer when asked to.
        holds: bool,
        /// Whether the source reported news although no file had changed.
        was_false_alarm: bool,
    },
    /// A plain source, and when it was last read.
    Plain { read_at: Instant },
}

impl Task for PollLoop {
    /// Polls forever. After a panic nothing is known, so the source is asked for everything.
    async fn run(&mut self) {
        let mut known = Known::Nothing;
        loop {
            let asked_at = Instant::now();
            known = self.poll_once(known).await;
            test_panic("poll");
            let released = self.poll.released();
            let due = self.due(&known, asked_at);
            self.announce(due);
            tokio::select! {
                () = sleep_until(due) => {}
                () = released => known = self.known_at_release(),
            }
            self.statuses.next_try(self.poll.name(), None);
        }
    }
}

impl PollLoop {
    /// A loop that asks every `poll_interval` where the source cannot hold its answer.
    pub(super) fn new(poll: Poll, poll_interval: Duration, statuses: Statuses) -> Self {
        let mut hasher = DefaultHasher::new();
        poll.name().hash(&mut hasher);
        let backoff = Backoff::new(poll_interval, MAX_RETRY_DELAY);
        let offset = poll_interval.mul_f64((hasher.finish() % 1000) as f64 / 1000.0);
        let now = Instant::now();
        Self { poll, statuses, poll_interval, first_tick: now + offset, listed_at: now, backoff, is_down: false }
    }

    /// Asks once and makes a pass if there is news. A panic counts as a failed pass.
    async fn poll_once(&mut self, known: Known) -> Known {
        let started = Instant::now();
        let polled = AssertUnwindSafe(self.ask(known)).catch_unwind().await;
        let error = match polled {
            Ok(Ok(known)) => return known,
            Ok(Err(error)) => error,
            Err(_) => anyhow!("the pass panicked; this is a bug, and the log says where"),
        };
        self.is_down = true;
        let reason = notes::reason(&error);
        self.statuses.report(self.poll.name(), None, started.elapsed(), SourceState::Down, Some(reason));
        self.poll.note_down(&error).await;
        Known::Nothing
    }

    async fn ask(&mut self, known: Known) -> Result<Known> {
        let asked_at = Instant::now();
        let (sense, is_news) = match &known {
            Known::Nothing if !self.is_down => return Box::pin(self.ask_in_turn()).await,
            Known::Nothing => (self.poll.origin().sense().await?, true),
            Known::Version { version, holds, .. } => {
                let wait = if *holds { self.longest_wait() } else { Duration::ZERO };
                let sense = tokio::select! {
                    sense = self.poll.origin().sense_change(version, wait) => sense?,
                    () = self.poll.released() => {
                        let known = self.known_at_release();
                        return Box::pin(self.ask(known)).await;
                    }
                };
                let is_news = sense.version.as_ref() != Some(version);
                (sense, is_news)
            }
            Known::Plain { read_at } => {
                let sense = self.poll.origin().sense().await?;
                let is_news = sense.status == 1 || sense.version.is_some() || read_at.elapsed() >= PLAIN_READ_INTERVAL;
                (sense, is_news)
            }
        };
        let must_relist = self.must_look_at_times() && self.listed_at.elapsed() >= RELIST_INTERVAL;
        if is_news || must_relist {
            let expects_change = is_news && matches!(known, Known::Version { .. });
            return self.pass_in_turn(&sense, expects_change).await;
        }
        self.statuses.answered(self.poll.name(), now());
        Ok(match known {
            // A source that answers early without news does not hold its answers.
            Known::Version { version, holds, .. } => {
                let holds = holds && asked_at.elapsed() >= self.longest_wait() / 2;
                Known::Version { version, holds, was_false_alarm: false }
            }
            other => other,
        })
    }

    fn longest_wait(&self) -> Duration {
        if self.must_look_at_times() { RELIST_INTERVAL } else { MAX_SENSE_WAIT }
    }

    /// Whether times of files decide, of which the source does not tell that they have changed.
    fn must_look_at_times(&self) -> bool {
        self.poll.ranks_by_time() && !self.poll.origin().versions_times()
    }

    /// Makes the next pass read what was held.
    fn known_at_release(&mut self) -> Known {
        self.poll.read_held();
        Known::Nothing
    }

    /// Asks and makes a pass in one turn. At a start all sources have news: of thousands that were asked at once, each would hold a
    /// connection until it is its turn. One that is down is asked without a turn, so that it takes none from others.
    async fn ask_in_turn(&mut self) -> Result<Known> {
        let mut turn = self.next_turn().await;
        // Boxed as a pass is: thousands wait here for their turn.
        let sense = Box::pin(turn.ask(self.poll.origin().sense())).await?;
        if turn.is_over() {
            turn = self.next_turn().await;
        }
        Box::pin(turn.give(self.pass(&sense, false))).await
    }

    async fn next_turn(&self) -> Turn {
        match self.poll.origin().documents() {
            // Someone waits for each, and they come in parts of their own.
            Some(_) => Turn::default(),
            None => self.poll.turns().next().await,
        }
    }

    /// Makes a pass as [`PollLoop::pass`] does, once it is its turn.
    async fn pass_in_turn(&mut self, sense: &Sense, expects_change: bool) -> Result<Known> {
        let turn = self.next_turn().await;
        // Boxed here, so that a source in which nothing happens does not hold the state of a pass: it is most of that of its task.
        Box::pin(turn.give(self.pass(sense, expects_change))).await
    }

    /// Makes a pass. `expects_change` says that the source has reported news.
    async fn pass(&mut self, sense: &Sense, expects_change: bool) -> Result<Known> {
        let started = Instant::now();
        self.listed_at = started;
        let sensed = now();
        self.statuses.begins(self.poll.name(), sensed.clone());
        let passed = self.poll.pass(sense).await?;
        let Applied { state, error, .. } = passed.applied;
        self.statuses.report(self.poll.name(), Some(sensed), started.elapsed(), state, error);
        self.statuses.remark(self.poll.name(), passed.note);
        if !passed.is_whole {
            return Ok(Known::Nothing);
        }
        self.backoff.reset();
        self.is_down = false;
        Ok(match sense.version {
            Some(_) => Known::Version {
                version: passed.version,
                holds: self.poll.origin().may_hold(),
                was_false_alarm: expects_change && !passed.changed,
            },
            None => Known::Plain { read_at: started },
        })
    }

    /// The time at which the next question is due. A held question is a wait in itself.
    fn due(&mut self, known: &Known, asked_at: Instant) -> Instant {
        match known {
            Known::Nothing => Instant::now() + self.backoff.next_delay(),
            // Documents answer truly, and someone waits for each.
            Known::Version { .. } if self.poll.origin().documents().is_some() => Instant::now(),
            Known::Version { holds: true, was_false_alarm: false, .. } => asked_at + MIN_SENSE_INTERVAL,
            Known::Version { .. } | Known::Plain { .. } => self.next_tick(),
        }
    }

    /// Tells people when the next question is due, unless that is at once.
    fn announce(&self, due: Instant) {
        let left = due.saturating_duration_since(Instant::now());
        self.statuses.next_try(self.poll.name(), (left > MIN_SENSE_INTERVAL).then_some(left));
    }

    fn next_tick(&self) -> Instant {
        let interval = self.poll_interval.as_nanos().max(1);
        let since = Instant::now().saturating_duration_since(self.first_tick).as_nanos();
        let left = interval - since % interval;
        Instant::now() + Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }
}
