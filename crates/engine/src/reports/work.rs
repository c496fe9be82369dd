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
use tributary_http_client::Backoff;
use tributary_protocol::ManifestEntry;
use tributary_store::{ReportFileRow, Store};

use super::{
    Holding, Report, Reports,
    apply::{Change, apply, note_version, prepare, standing},
    ask::Asker,
    plan::{Plan, plan},
};
use crate::{
    database::Writer,
    source::{Answer, FetchError, Origin, Spool},
    supervise::{Task, test_panic},
};

/// Partials of one source that are asked for at one time.
const AT_ONE_TIME: usize = 2;
/// First and longest delay before a retry.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

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

impl Task for ReportWork {
    /// Works as long as the source is polled.
    async fn run(&mut self) {
        let [first, longest] = RETRY_DELAYS;
        let mut backoff = Backoff::new(first, longest);
        loop {
            let current = self.holding.borrow_and_update().clone();
            test_panic("reports");
            let wrong = match &current {
                Some(current) => self.bring_up(current).await,
                None => Vec::new(),
            };
            let pause = if wrong.is_empty() {
                backoff.reset();
                Duration::MAX
            } else {
                backoff.next_delay()
            };
            self.say(wrong);
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
        let mut wrong = self.bring_up(&current).await;
        for report in self.asker.reports.all() {
            match self.stored(report).await {
                Ok((files, _)) => wrong.extend(files.into_iter().filter_map(|file| {
                    Some(format!("{}: {} is rejected: {}", report.config.name, file.path, file.rejected_reason?))
                })),
                Err(error) => wrong.push(format!("{}: {error:#}", report.config.name)),
            }
        }
        wrong
    }

    /// What could not be done, a text each.
    async fn bring_up(&self, current: &Holding) -> Vec<String> {
        let mut wrong = Vec::new();
        for report in self.asker.reports.all() {
            let name = &report.config.name;
            let brought_up = self.bring_up_one(report, current).await;
            self.asker.under_way.lock().unwrap_or_else(PoisonError::into_inner).clear();
            match brought_up {
                Ok(unread) => wrong.extend(unread.into_iter().map(|why| format!("report `{name}`: {why}"))),
                Err(error) => wrong.push(format!("report `{name}`: {error:#}")),
            }
        }
        if wrong.is_empty() {
            // It takes room on the disk.
            current.body().take();
        }
        wrong
    }

    /// The files that could not be computed, and why.
    async fn bring_up_one(&self, report: &Arc<Report>, current: &Holding) -> Result<Vec<String>> {
        let started = Instant::now();
        let (stored, stands_at) = self.stored(report).await?;
        let Plan { compute, settled, removed } = match plan(&report.config, &current.files, &stored) {
            plan if plan.is_nothing() => {
                if stands_at.as_ref() != Some(&current.version) {
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
                Err(error) => unread.push(format!("{}: {error:#}", entry.path)),
            }
        }
        if !computed.is_empty() || !settled.is_empty() || !removed.is_empty() {
            let (source, version) = (self.source.clone(), current.version.clone());
            self.apply(report, Change { source, version, computed, settled, removed, started }).await?;
        }
        Ok(unread)
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
        let (of, source, version) = (Arc::clone(report), self.source.1.clone(), current.version.clone());
        let _turn = report.turn.lock().await;
        let note =
            move |store: &mut Store| store.transaction(|store| note_version(store, &of.config, &source, &version));
        self.writer.run(format!("the report {}", report.config.name), note).await
    }

    /// What is stored of this source's files, and at which of its versions the report stands.
    async fn stored(&self, report: &Arc<Report>) -> Result<(Vec<ReportFileRow>, Option<String>)> {
        let ((source, source_name), of) = (self.source.clone(), Arc::clone(report));
        let database = self.asker.reports.0.database.clone();
        let read = move || -> Result<_> {
            Store::open_existing(&database)?.snapshot(|store| {
                let mut files = store.report_files(&of.config.name)?;
                files.retain(|file| file.source_id == source);
                Ok((files, standing(store, &of.config)?.remove(&source_name)))
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
