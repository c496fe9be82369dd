//! The work on all reports over one source, beside the passes over it: whenever it holds something else, what is missing is asked
//! for and applied. Whatever happens here, products and other sources do not notice.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tributary_protocol::ManifestEntry;
use tributary_store::{ReportFileRow, Store};

use super::{
    Holding, Report, Reports,
    apply::{Change, apply, note_version, prepare},
    ask::Asker,
    failure::{Outcome, put_outcome},
    plan::{Plan, plan},
    versions::SourceVersions,
};
use crate::{
    database::Writer,
    source::{Answer, FetchError, Origin, Spool},
    supervise::{Task, test_panic},
};

/// Partials of one source that are asked for at one time.
const AT_ONE_TIME: usize = 2;
/// The time after which what failed is tried again, at first and at most; it doubles.
const BACK_OFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// Things that are said to be wrong at one time; how many more there are is said too.
const SAID: usize = 3;

/// The reports of one source.
pub(crate) struct ReportWork {
    source: (i64, String),
    asker: Asker,
    writer: Writer,
    holding: watch::Receiver<Option<Arc<Holding>>>,
    /// What was last said to be wrong, so that it is said once.
    said: Vec<String>,
}

/// What is stored of a report over one source.
struct Stored {
    /// The source's files, by path.
    files: Vec<ReportFileRow>,
    /// The source's version that the report is up to date with.
    version: Option<String>,
    /// Whether the last attempt failed.
    has_failed: bool,
}

impl Task for ReportWork {
    /// Works as long as the source is polled.
    async fn run(&mut self) {
        let mut failures = 0_u32;
        loop {
            let current = self.holding.borrow_and_update().clone();
            test_panic("reports");
            let wrong = match &current {
                Some(current) => self.bring_up(current, failures > 0).await,
                None => Vec::new(),
            };
            failures = if wrong.is_empty() { 0 } else { failures + 1 };
            self.say(wrong);
            let pause = match failures {
                0 => Duration::MAX,
                failures => BACK_OFF[0].saturating_mul(1 << (failures - 1).min(8)).min(BACK_OFF[1]),
            };
            tokio::select! {
                changed = self.holding.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl ReportWork {
    /// The work on what `holding` will be told.
    pub(crate) fn new(
        source: (i64, String),
        reports: Reports,
        (origin, spool, writer): (Origin, Spool, Writer),
        holding: watch::Receiver<Option<Arc<Holding>>>,
    ) -> Self {
        Self {
            source,
            asker: Asker { reports, origin, spool, under_way: Mutex::default() },
            writer,
            holding,
            said: Vec::new(),
        }
    }

    /// Brings all reports up to what the source was last known to hold, once. Returns what could not be done, and which files
    /// cannot be used.
    pub(crate) async fn run_once(self) -> Vec<String> {
        let current = self.holding.borrow().clone();
        let Some(current) = current else { return Vec::new() };
        // It is not tried again, so whatever fails now is a failure.
        let mut wrong = self.bring_up(&current, true).await;
        for report in self.asker.reports.all() {
            match self.stored(report).await {
                Ok(stored) => wrong.extend(stored.files.into_iter().filter_map(|file| {
                    Some(format!("{}: {} is rejected: {}", report.config.name, file.path, file.rejected_reason?))
                })),
                Err(error) => wrong.push(format!("{}: {error:#}", report.config.name)),
            }
        }
        wrong
    }

    /// What could not be done, a text each. `is_retry`: the attempt before this one failed.
    async fn bring_up(&self, current: &Holding, is_retry: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        for report in self.asker.reports.all() {
            let name = &report.config.name;
            let brought_up = self.bring_up_one(report, current, is_retry).await;
            self.asker.under_way.lock().unwrap_or_else(PoisonError::into_inner).clear();
            match brought_up {
                Ok(unread) => wrong.extend(unread.into_iter().map(|why| format!("report `{name}`: {why}"))),
                Err(error) => {
                    wrong.push(format!("report `{name}`: {error:#}"));
                    if let Err(error) = self.note_outcome(report, Outcome::Failed(format!("{error:#}"))).await {
                        wrong.push(format!("report `{name}`: failed to record that it failed: {error:#}"));
                    }
                }
            }
        }
        if wrong.is_empty() {
            // It takes room on the disk.
            current.body().take();
        }
        wrong
    }

    /// The files that could not be computed, and why.
    async fn bring_up_one(&self, report: &Arc<Report>, current: &Holding, is_retry: bool) -> Result<Vec<String>> {
        let started = Instant::now();
        let stored = self.stored(report).await?;
        let Plan { compute, settled, removed } = match plan(&report.config, &current.files, &stored.files) {
            plan if plan.is_nothing() => {
                if stored.version.as_ref() != Some(&current.version) || stored.has_failed {
                    self.note_version(report, current).await?;
                }
                return Ok(Vec::new());
            }
            plan => plan,
        };
        let (mut computed, mut unread) = (Vec::new(), Vec::new());
        for (entry, answer) in self.ask_all(report, compute, current).await {
            match answer {
                Ok(answer) => computed.push((entry, answer)),
                Err(error) => unread.push((entry.path, error)),
            }
        }
        let outcome = Outcome::of(&unread, is_retry);
        if computed.is_empty() && settled.is_empty() && removed.is_empty() {
            self.note_outcome(report, outcome).await?;
        } else {
            let (source, version) = (self.source.clone(), unread.is_empty().then(|| current.version.clone()));
            self.apply(report, Change { source, version, outcome, computed, settled, removed, started }).await?;
        }
        Ok(unread.into_iter().map(|(path, error)| format!("{path}: {error:#}")).collect())
    }

    async fn ask_all(
        &self,
        report: &Arc<Report>,
        entries: Vec<ManifestEntry>,
        current: &Holding,
    ) -> Vec<(ManifestEntry, Result<Answer, FetchError>)> {
        // What has come is applied only when all were asked, so a source that stands still is not waited for again and again.
        let stalled = &AtomicBool::new(false);
        let ask = |entry: ManifestEntry| async move {
            if stalled.load(Ordering::Relaxed) {
                let why = "not asked for after another file of this source stood still".to_owned();
                return (entry, Err(FetchError::Stalled(why)));
            }
            let answer = self.asker.ask(report, &entry, current).await;
            stalled.fetch_or(matches!(answer, Err(FetchError::Stalled(_))), Ordering::Relaxed);
            (entry, answer)
        };
        stream::iter(entries).map(ask).buffer_unordered(AT_ONE_TIME).collect().await
    }

    async fn apply(&self, report: &Arc<Report>, change: Change) -> Result<()> {
        let (computed, removed, started) = (change.computed.len(), change.removed.len(), change.started);
        let _turn = report.turn.lock().await;
        let (of, database) = (Arc::clone(report), self.asker.reports.0.database.clone());
        let prepare = tokio::task::spawn_blocking(move || prepare(&database, &of.config, change));
        let prepared = prepare.await.context("a report broke off; this is a defect of the master")??;
        let (of, rows) = (Arc::clone(report), prepared.rows());
        let name = &report.config.name;
        let write = move |store: &mut Store| store.transaction_of(rows, |store| apply(store, &of.config, prepared));
        self.writer.run(format!("the report {name}"), write).await?;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            source.id = %self.source.1, report = %name, files.read = computed, files.removed = removed, groups = rows, duration_ms,
            "report `{name}` over `{}`: {computed} files computed, {removed} removed; {rows} groups", self.source.1
        );
        Ok(())
    }

    async fn note_version(&self, report: &Arc<Report>, current: &Holding) -> Result<()> {
        let (of, source, version) = (Arc::clone(report), self.source.clone(), current.version.clone());
        let _turn = report.turn.lock().await;
        let note =
            move |store: &mut Store| store.transaction(|store| note_version(store, &of.config, &source, &version));
        self.writer.run(format!("the report {}", report.config.name), note).await
    }

    async fn note_outcome(&self, report: &Arc<Report>, outcome: Outcome) -> Result<()> {
        let (name, source) = (report.config.name.clone(), self.source.0);
        let note = move |store: &mut Store| store.transaction(|store| put_outcome(store, &name, source, &outcome));
        self.writer.run(format!("the report {}", report.config.name), note).await
    }

    /// What is stored of the report over this source.
    async fn stored(&self, report: &Arc<Report>) -> Result<Stored> {
        let ((source, source_name), of) = (self.source.clone(), Arc::clone(report));
        let database = self.asker.reports.0.database.clone();
        let read = move || -> Result<_> {
            Store::open_existing(&database)?.snapshot(|store| {
                let files = store.report_files_of(&of.config.name, source)?;
                let version = SourceVersions::read(store, &of.config.name)?.get(&source_name).map(str::to_owned);
                let failures = store.report_failures(&of.config.name)?;
                let has_failed = failures.iter().any(|failure| failure.source_id == source);
                Ok(Stored { files, version, has_failed })
            })
        };
        tokio::task::spawn_blocking(read).await.context("a report broke off; this is a defect of the master")?
    }

    fn say(&mut self, wrong: Vec<String>) {
        let source = &self.source.1;
        let said: HashSet<&String> = self.said.iter().collect();
        let news: Vec<_> = wrong.iter().filter(|why| !said.contains(why)).collect();
        for why in news.iter().take(SAID) {
            tracing::warn!(source.id = %source, "`{source}`: {why}");
        }
        if let Some(more) = news.len().checked_sub(SAID + 1) {
            tracing::warn!(source.id = %source, "`{source}`: and {} more like these", more + 1);
        }
        self.said = wrong;
    }
}
