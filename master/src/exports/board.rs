//! The decision of what is to be written, and when. It writes nothing and asks no clock.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use tributary_config::ExportTimes;
use tributary_engine::{Event, ExportRow, ExportState, ExportStatus};
use tributary_http_client::Backoff;

use super::target::Target;

/// The least pause between two times that one thing is written; a longer writing is followed by a pause of its length.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The delay after a first failure, and the longest one. A part of up to a quarter comes on top.
pub(super) const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// The two kinds of things. One of each is written at a time, so that a large list holds up no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Reports.
    Reports,
    /// The products and their names.
    Lists,
}

/// Now, for pauses and for schedules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) wall: SystemTime,
}

/// Everything that is written to one place.
pub(super) struct Board {
    /// The place.
    url: String,
    lists: Option<ExportTimes>,
    /// The last event that was seen.
    seen: i64,
    entries: BTreeMap<String, Entry>,
}

/// One thing that is written.
struct Entry {
    target: Target,
    /// As it was last written to this place.
    row: Option<ExportRow>,
    /// Whether something has changed since.
    is_stale: bool,
    /// Whether its report is not computed yet; the event of it ends that.
    is_uncomputed: bool,
    is_running: bool,
    not_before: Option<Instant>,
    failure: Option<Failure>,
    backoff: Backoff,
    written: u64,
    failed: u64,
}

struct Failure {
    why: String,
    since: String,
}

/// Something to write now.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) target: Target,
    /// The row to store once it is written.
    pub(super) row: ExportRow,
    pub(super) began: Instant,
}

/// The next step of a lane.
pub(super) enum Next {
    Write(Box<Job>),
    /// Nothing before this time, unless something changes.
    Wait(Option<Instant>),
}

impl Board {
    pub(super) fn new(url: String, lists: Option<ExportTimes>) -> Self {
        Self { url, lists, seen: 0, entries: BTreeMap::new() }
    }

    /// Takes what is configured, and what was last written of it. What has other columns than then is stale.
    pub(super) fn adopt(&mut self, targets: Vec<Target>, mut stored: Vec<ExportRow>) {
        let mut old = std::mem::take(&mut self.entries);
        for target in targets {
            let name = target.name();
            let header = target.header();
            let stored = stored.iter().position(|row| row.name == name).map(|at| stored.swap_remove(at));
            let mut entry = old
                .remove(&name)
                .unwrap_or_else(|| Entry::new(target.clone(), stored.filter(|row| row.url == self.url)));
            entry.is_stale |= entry.row.as_ref().is_none_or(|row| row.header != header);
            entry.target = target;
            self.entries.insert(name, entry);
        }
    }

    /// The event after which changes are not known: the one to resume behind. `None` if nothing is known to be current.
    pub(super) fn known_to(&self) -> Option<i64> {
        let rows = self.entries.values().filter(|entry| !entry.is_stale).filter_map(|entry| entry.row.as_ref());
        rows.map(|row| row.event_id).min()
    }

    /// Begins behind an event. If events before it were missed, anything may have changed.
    pub(super) fn start(&mut self, event: i64, missed: bool) {
        self.seen = event;
        if missed {
            self.entries.values_mut().for_each(Entry::touch);
        }
    }

    /// Takes note of an event.
    pub(super) fn see(&mut self, id: i64, event: &Event) {
        self.seen = id;
        let is_new = |entry: &Entry| entry.row.as_ref().is_none_or(|row| row.event_id < id);
        for entry in self.entries.values_mut() {
            let concerns = match (&entry.target, event) {
                (Target::Report(report), Event::Report { name, .. }) => report.name == *name,
                (Target::Products(_) | Target::Aggr, Event::Applied(applied)) => {
                    // Parts and versions without a change are events, too.
                    applied.added + applied.updated + applied.removed > 0
                }
                (Target::Products(_) | Target::Aggr, Event::Edit { .. } | Event::Configuration { .. }) => true,
                _ => false,
            };
            if concerns && is_new(entry) {
                entry.touch();
            }
        }
    }

    /// Returns what a lane does next.
    pub(super) fn next(&mut self, lane: Lane, now: Now) -> Next {
        let (url, seen, lists) = (self.url.clone(), self.seen, self.lists);
        let due = |entry: &Entry| Some((entry.due(lists, now)?, entry.target.name()));
        let of_lane = self.entries.values().filter(|entry| entry.lane() == lane);
        let Some((at, name)) = of_lane.filter_map(due).min() else { return Next::Wait(None) };
        if at > now.instant {
            return Next::Wait(Some(at));
        }
        let Some(entry) = self.entries.get_mut(&name) else { return Next::Wait(None) };
        entry.is_running = true;
        entry.is_stale = false;
        // What is read from now on has all changes up to the last event that was seen.
        let row =
            ExportRow { name, url, header: entry.target.header(), event_id: seen, bytes: 0, written_at: String::new() };
        Next::Write(Box::new(Job { target: entry.target.clone(), row, began: now.instant }))
    }

    /// Notes that something was written, and returns whether it had failed before.
    pub(super) fn written(&mut self, row: ExportRow, began: Instant, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(&row.name) else { return false };
        entry.is_running = false;
        // Columns may have changed meanwhile.
        entry.is_stale |= row.header != entry.target.header();
        entry.row = Some(row);
        entry.written += 1;
        entry.backoff.reset();
        entry.not_before = Some(now + now.saturating_duration_since(began).max(MIN_PAUSE));
        entry.failure.take().is_some()
    }

    /// Notes that a report is not computed yet, so that there is nothing to write.
    pub(super) fn not_computed(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.is_running = false;
            // An event may have said meanwhile that it is.
            entry.is_uncomputed = !entry.is_stale;
            entry.is_stale = true;
        }
    }

    /// Notes that something could not be written, and returns whether the reason is another one than before. `at` is now, for people;
    /// `jitter` is between 0 and 1.
    pub(super) fn failed(&mut self, name: &str, why: String, at: String, jitter: f64, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(name) else { return false };
        entry.is_running = false;
        entry.is_stale = true;
        entry.failed += 1;
        entry.not_before = Some(now + entry.backoff.next_delay().mul_f64(1.0 + jitter / 4.0));
        let is_other = entry.failure.as_ref().is_none_or(|failure| failure.why != why);
        let since = entry.failure.take().map_or(at, |failure| failure.since);
        entry.failure = Some(Failure { why, since });
        is_other
    }

    /// The names of all that have every change that was seen, but this one, and the last event.
    pub(super) fn current(&self, but: Option<&str>) -> (Vec<String>, i64) {
        let is_current = |entry: &&Entry| !entry.is_stale && !entry.is_running && entry.row.is_some();
        let names = self.entries.values().filter(is_current).map(|entry| entry.target.name());
        (names.filter(|name| Some(name.as_str()) != but).collect(), self.seen)
    }

    /// Everything, for people. `url_of` makes the URL of a key.
    pub(super) fn status(&self, url_of: impl Fn(&str) -> String) -> Vec<ExportStatus> {
        let status = |entry: &Entry| {
            let keys = entry.target.keys();
            ExportStatus {
                name: entry.target.name(),
                urls: keys.iter().map(|key| url_of(key)).collect(),
                keys,
                state: match (&entry.failure, entry.is_stale || entry.is_running) {
                    (Some(_), _) => ExportState::Failed,
                    (None, true) => ExportState::Waiting,
                    (None, false) => ExportState::Current,
                },
                written_at: entry.row.as_ref().map(|row| row.written_at.clone()),
                bytes: entry.row.as_ref().map_or(0, |row| row.bytes),
                error: entry.failure.as_ref().map(|failure| failure.why.clone()),
                failing_since: entry.failure.as_ref().map(|failure| failure.since.clone()),
                written: entry.written,
                failed: entry.failed,
            }
        };
        self.entries.values().map(status).collect()
    }
}

impl Entry {
    fn new(target: Target, row: Option<ExportRow>) -> Self {
        Self {
            target,
            is_stale: row.is_none(),
            row,
            is_uncomputed: false,
            is_running: false,
            not_before: None,
            failure: None,
            backoff: Backoff::new(DELAYS.0, DELAYS.1),
            written: 0,
            failed: 0,
        }
    }

    fn touch(&mut self) {
        self.is_stale = true;
        self.is_uncomputed = false;
    }

    fn lane(&self) -> Lane {
        if matches!(self.target, Target::Report(_)) { Lane::Reports } else { Lane::Lists }
    }

    /// When it is to be written; `None` if it need not be.
    fn due(&self, lists: Option<ExportTimes>, now: Now) -> Option<Instant> {
        if !self.is_stale || self.is_running || self.is_uncomputed {
            return None;
        }
        let rested = self.not_before.unwrap_or(now.instant);
        let (Lane::Lists, Some(ExportTimes::Every(interval)), Some(row)) = (self.lane(), lists, &self.row) else {
            return Some(rested);
        };
        let last = humantime::parse_rfc3339_weak(&row.written_at).unwrap_or(SystemTime::UNIX_EPOCH);
        // A clock that was set back must not put it off for longer.
        let passed = now.wall.duration_since(last).unwrap_or_default();
        Some(rested.max(now.instant + interval.saturating_sub(passed)))
    }
}

#[cfg(test)]
mod tests;
