//! The health of every source since this process started. Poll loops report it, pages and the API read it. The database keeps
//! what must outlive the process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use tributary_store::SourceState;

use super::{
    recent_errors::{RecentError, RecentErrors},
    running::{Noting, Running, RunningPass},
};
use crate::{
    clock,
    history::Meter,
    metrics::Durations,
    progress::{ProgressObserver, Unobserved},
};

/// The health of all sources, by name; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statuses {
    /// Held for one change or one copy only.
    all: Arc<Mutex<BTreeMap<String, SourceStatus>>>,
    durations: Durations,
    meter: Meter,
}

/// The health of one source since this process began.
#[derive(Debug, Clone, Default)]
pub struct SourceStatus {
    /// The result of the last pass; none before the first.
    pub state: Option<SourceState>,
    /// Everything that was wrong in the last pass.
    pub error: Option<String>,
    /// A remark on what it offers: no file, or files that never rest.
    pub note: Option<String>,
    /// When it last answered.
    pub last_sensed: Option<String>,
    /// Successful passes, and answers without news.
    pub good: u64,
    /// Passes that failed.
    pub failed: u64,
    /// The duration of the last pass.
    pub took: Duration,
    /// The time at which it is asked next; `None` while it is being asked, which a source that holds its answer always is.
    pub next_try: Option<String>,
    errors: RecentErrors,
    running: Running,
    /// The work on its reports.
    reporting: Running,
}

/// Time that a pass, or a report, takes from which on its source counts as slow.
const SLOW_AFTER: Duration = Duration::from_secs(10);

impl SourceStatus {
    /// The pass that is under way, or the work on its reports, if it has been for long.
    #[must_use]
    pub fn slow(&self) -> Option<RunningPass> {
        let both = [self.running.copy(), self.reporting.copy()].into_iter().flatten();
        both.filter(|work| work.elapsed() >= SLOW_AFTER).max_by_key(RunningPass::elapsed)
    }

    /// The last distinct errors since this process began, the latest first.
    #[must_use]
    pub fn errors(&self) -> &[RecentError] {
        self.errors.list()
    }

    /// The pass that is under way, or else the work on its reports.
    #[must_use]
    pub fn running(&self) -> Option<RunningPass> {
        self.running.copy().or_else(|| self.reporting.copy())
    }
}

impl Statuses {
    /// Begins with sources of which nothing is known.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>, durations: Durations, meter: Meter) -> Self {
        let all = names.map(|name| (name.to_owned(), SourceStatus::default())).collect();
        Self { all: Arc::new(Mutex::new(all)), durations, meter }
    }

    /// Lists a source of which nothing is known yet.
    pub(crate) fn expect(&self, name: &str) {
        self.all().entry(name.to_owned()).or_default();
    }

    /// An observer that notes the passes over a source, and tells `inner` of them.
    pub(crate) fn observer(&self, name: &str, inner: Arc<dyn ProgressObserver>) -> Arc<dyn ProgressObserver> {
        let running = self.all().entry(name.to_owned()).or_default().running.clone();
        Arc::new(Noting { running, inner })
    }

    /// An observer that notes the work on the reports over a source.
    pub(crate) fn report_observer(&self, name: &str) -> Arc<dyn ProgressObserver> {
        let running = self.all().entry(name.to_owned()).or_default().reporting.clone();
        Arc::new(Noting { running, inner: Arc::new(Unobserved) })
    }

    /// Lists a source no longer.
    pub(crate) fn forget(&self, name: &str) {
        self.all().remove(name);
        self.durations.forget(name);
    }

    /// Notes that a pass over a source begins, which answered at `sensed`: however the pass ends, it has answered.
    pub(crate) fn begins(&self, name: &str, sensed: String) {
        let mut all = self.all();
        let status = all.entry(name.to_owned()).or_default();
        status.last_sensed = Some(sensed);
        status.running.begins();
    }

    /// Notes how a pass ended: when the source had answered, if it did, how long it took, the state and error that it left.
    pub(crate) fn report(
        &self,
        name: &str,
        sensed: Option<String>,
        took: Duration,
        state: SourceState,
        error: Option<String>,
    ) {
        self.durations.pass(name, took);
        self.meter.poll(name, took, state == SourceState::Down);
        let mut all = self.all();
        let status = all.entry(name.to_owned()).or_default();
        if state == SourceState::Down {
            status.failed += 1;
        } else {
            status.good += 1;
        }
        status.last_sensed = sensed.or(status.last_sensed.take());
        error.iter().for_each(|error| status.errors.note(error));
        (status.state, status.error, status.took) = (Some(state), error, took);
        status.running.ends();
    }

    /// Notes in what time a source is asked next; `None`: it is being asked.
    pub(crate) fn next_try(&self, name: &str, left: Option<Duration>) {
        let at = left.and_then(|left| Utc::now().checked_add_signed(TimeDelta::from_std(left).ok()?)).map(clock::text);
        self.all().entry(name.to_owned()).or_default().next_try = at;
    }

    /// Notes a remark on what a source offers, or that there is none.
    pub(crate) fn remark(&self, name: &str, note: Option<String>) {
        self.all().entry(name.to_owned()).or_default().note = note;
    }

    /// Notes that a source answered at `sensed` that nothing had changed.
    pub(crate) fn answered(&self, name: &str, sensed: String) {
        let mut all = self.all();
        let status = all.entry(name.to_owned()).or_default();
        status.good += 1;
        status.last_sensed = Some(sensed);
    }

    /// Whether every source was tried at least once.
    pub(crate) fn all_tried(&self) -> bool {
        self.all().values().all(|status| status.state.is_some())
    }

    /// The durations of passes and applies.
    pub(crate) fn durations(&self) -> &Durations {
        &self.durations
    }

    /// All of it, as it is now.
    pub(crate) fn copy(&self) -> BTreeMap<String, SourceStatus> {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, SourceStatus>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_slow_while_a_pass_takes_long() {
        let began = |ago: Duration| SourceStatus { running: Running::since("then", ago), ..SourceStatus::default() };
        assert_eq!(SourceStatus::default().slow(), None);
        assert_eq!(began(SLOW_AFTER / 2).slow(), None);
        assert_eq!(began(SLOW_AFTER).slow().map(|pass| pass.since).as_deref(), Some("then"));
        let statuses = Statuses::default();
        statuses.all().insert("north".to_owned(), began(SLOW_AFTER));
        statuses.report("north", None, SLOW_AFTER, SourceState::Up, None);
        assert_eq!(statuses.copy()["north"].slow(), None, "it has ended");
        let reporting = SourceStatus { reporting: Running::since("then", SLOW_AFTER), ..SourceStatus::default() };
        assert_eq!(reporting.slow().map(|work| work.since).as_deref(), Some("then"), "so it is for a report");
    }

    /// While nothing could be written, a source that answered every second seemed not to have answered since.
    #[test]
    fn a_source_has_answered_though_its_pass_failed() {
        let statuses = Statuses::default();
        statuses.begins("north", "10:00".to_owned());
        assert_eq!(statuses.copy()["north"].last_sensed.as_deref(), Some("10:00"), "it is being read");
        statuses.report("north", None, SLOW_AFTER, SourceState::Down, Some("the disk is full".to_owned()));
        assert_eq!(statuses.copy()["north"].last_sensed.as_deref(), Some("10:00"));
    }
}
