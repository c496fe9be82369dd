//! Keeps all reports up to date with one source, beside the passes over it: whenever its content changes, what is missing is computed
//! and applied. Failures here affect neither products nor other sources.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tributary_http_client::Backoff;
use tributary_store::{FileRow, Store};

use super::{
    PartialFetcher, Report, SourceContent, SourceKey,
    apply::{SourceUpdate, apply, prepare, put_version},
    failure::{AttemptOutcome, put_outcome},
    versions::SourceVersions,
};
use crate::{
    database::Writer,
    input::{FileToRead, Plan, plan},
    source::{Answer, FetchError},
    supervise::{Task, test_panic},
};

/// Partials of one source that are requested at the same time.
const MAX_CONCURRENT_PARTIALS: usize = 2;
/// The pause before the first retry. Each further failure doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest pause before a retry.
const MAX_RETRY: Duration = Duration::from_secs(10);
/// New errors of one attempt that are logged; the others are counted.
const MAX_WARNINGS: usize = 3;

/// The task that keeps all reports up to date with one source.
pub(crate) struct ReportWork {
    source: SourceKey,
    fetcher: PartialFetcher,
    writer: Writer,
    content: watch::Receiver<Option<Arc<SourceContent>>>,
    /// The errors of the last attempt, so that each is logged once.
    logged: Vec<String>,
}

/// The stored part of a report over one source.
struct Stored {
    /// The source's files, by path.
    files: BTreeMap<String, FileRow>,
    /// The source's version that the report is up to date with.
    version: Option<String>,
    /// Whether the last attempt failed.
    has_failed: bool,
}

impl Task for ReportWork {
    /// Runs as long as the source is polled.
    async fn run(&mut self) {
        let mut backoff = Backoff::new(FIRST_RETRY, MAX_RETRY);
        let mut has_failed = false;
        loop {
            let content = self.content.borrow_and_update().clone();
            test_panic("reports");
            let errors = match &content {
                Some(content) => self.update_all(content, has_failed).await,
                None => Vec::new(),
            };
            has_failed = !errors.is_empty();
            self.log(errors);
            let pause = if has_failed {
                backoff.next_delay()
            } else {
                backoff.reset();
                Duration::MAX
            };
            tokio::select! {
                changed = self.content.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl ReportWork {
    /// Works on whatever `content` announces.
    pub(crate) fn new(
        source: SourceKey,
        fetcher: PartialFetcher,
        writer: Writer,
        content: watch::Receiver<Option<Arc<SourceContent>>>,
    ) -> Self {
        Self { source, fetcher, writer, content, logged: Vec::new() }
    }

    /// Brings all reports up to date with the announced content, once. Returns the errors and the rejected files.
    pub(crate) async fn run_once(self) -> Vec<String> {
        let content = self.content.borrow().clone();
        let Some(content) = content else { return Vec::new() };
        // There is no retry that could decide, so a file that changes while it is read fails the attempt.
        let mut errors = self.update_all(&content, true).await;
        for report in self.fetcher.reports().all() {
            let name = &report.config.name;
            match self.stored(report).await {
                Ok(stored) => {
                    errors.extend(stored.files.into_values().filter_map(|file| {
                        Some(format!("{name}: {} is rejected: {}", file.path, file.rejected_reason?))
                    }));
                }
                Err(error) => errors.push(format!("{name}: {error:#}")),
            }
        }
        errors
    }

    /// Brings all reports up to date, and returns the errors. `is_retry`: the last attempt failed.
    async fn update_all(&self, content: &SourceContent, is_retry: bool) -> Vec<String> {
        let mut errors = Vec::new();
        for report in self.fetcher.reports().all() {
            let mut failed = self.update(report, content, is_retry).await.unwrap_or_else(|error| vec![error]);
            self.fetcher.end_reads();
            failed.iter_mut().for_each(|error| *error = format!("report `{}`: {error}", report.config.name));
            errors.append(&mut failed);
        }
        if errors.is_empty() {
            // It takes room on the disk.
            content.body().take();
        }
        errors
    }

    /// Brings one report up to date, and returns the files that could not be computed. An error is stored too.
    async fn update(
        &self,
        report: &Arc<Report>,
        content: &SourceContent,
        is_retry: bool,
    ) -> Result<Vec<String>, String> {
        let error = match self.try_update(report, content, is_retry).await {
            Ok(failed) => return Ok(failed),
            Err(error) => format!("{error:#}"),
        };
        match self.store_outcome(report, AttemptOutcome::Failed(error.clone())).await {
            Ok(()) => Err(error),
            Err(not_stored) => Err(format!("{error}; this failure could not be stored: {not_stored:#}")),
        }
    }

    async fn try_update(&self, report: &Arc<Report>, content: &SourceContent, is_retry: bool) -> Result<Vec<String>> {
        let started = Instant::now();
        let stored = self.stored(report).await?;
        let plan = plan(&report.config, (&content.manifest, &content.formats), &stored.files);
        if plan.is_empty() {
            if stored.has_failed || stored.version.as_ref() != Some(&content.manifest.version) {
                self.store_version(report, content).await?;
            }
            return Ok(Vec::new());
        }
        let Plan { read, settled, removed, .. } = plan;
        let (mut computed, mut failed) = (Vec::new(), Vec::new());
        for (file, answer) in self.fetch_all(report, read, content).await {
            match answer {
                Ok(answer) => computed.push((file, answer)),
                Err(error) => failed.push((file.entry.path, error)),
            }
        }
        let outcome = AttemptOutcome::of(&failed, is_retry);
        if computed.is_empty() && settled.is_empty() && removed.is_empty() {
            self.store_outcome(report, outcome).await?;
        } else {
            let (source, version) = (self.source.clone(), failed.is_empty().then(|| content.manifest.version.clone()));
            self.apply(report, SourceUpdate { source, version, outcome, computed, settled, removed, started }).await?;
        }
        Ok(failed.into_iter().map(|(path, error)| format!("{path}: {error:#}")).collect())
    }

    async fn fetch_all(
        &self,
        report: &Arc<Report>,
        files: Vec<FileToRead>,
        content: &SourceContent,
    ) -> Vec<(FileToRead, Result<Answer, FetchError>)> {
        // Partials are applied once all are here, so no further file waits for a source that has stalled.
        let stalled = &AtomicBool::new(false);
        let fetch = |file: FileToRead| async move {
            if stalled.load(Ordering::Relaxed) {
                let error = "not requested, because another file of this source has stalled".to_owned();
                return (file, Err(FetchError::Stalled(error)));
            }
            let answer = self.fetcher.fetch(report, &file, content).await;
            stalled.fetch_or(matches!(answer, Err(FetchError::Stalled(_))), Ordering::Relaxed);
            (file, answer)
        };
        stream::iter(files).map(fetch).buffer_unordered(MAX_CONCURRENT_PARTIALS).collect().await
    }

    async fn apply(&self, report: &Arc<Report>, update: SourceUpdate) -> Result<()> {
        let (computed, removed, started) = (update.computed.len(), update.removed.len(), update.started);
        let entries = update.computed.iter().map(|(file, _)| (file.entry.path.clone(), file.entry.hash.clone()));
        let settled = update.settled.iter().map(|row| (row.path.clone(), row.hash.clone().unwrap_or_default()));
        let contents: Vec<(String, String)> = entries.chain(settled).collect();
        let _turn = report.turn.lock().await;
        let of = Arc::clone(report);
        let read = move |store: &mut Store| prepare(store, &of.config, update);
        let prepared = self.fetcher.reports().readers().run(read).await?;
        let (of, rows) = (Arc::clone(report), prepared.rows());
        let name = &report.config.name;
        let documents = self.fetcher.documents().cloned();
        let write = move |store: &mut Store| match documents {
            None => store.transaction_of(rows, |store| apply(store, &of.config, prepared)).map(|()| None),
            Some(documents) => {
                // What is no longer stood for is computed again once the source is listed again.
                if !contents.iter().all(|(path, hash)| documents.is_standing(path, hash)) {
                    return Ok(None);
                }
                let paths: Vec<&String> = contents.iter().map(|(path, _)| path).collect();
                let changes = store.transaction_of(rows, |store| {
                    apply(store, &of.config, prepared)?;
                    documents.settle(store, &paths)
                })?;
                Ok(Some(documents.committed(changes)))
            }
        };
        let committed = self.writer.run(format!("the report {name}"), write).await?;
        if let (Some(documents), Some(committed)) = (self.fetcher.documents(), committed) {
            documents.announce(committed).await;
        }
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let source = &self.source.name;
        tracing::info!(
            source.id = %source, report = %name, files.read = computed, files.removed = removed, groups = rows, duration_ms,
            "updated report `{name}` from `{source}`: {computed} files computed, {removed} removed, {rows} groups"
        );
        Ok(())
    }

    async fn store_version(&self, report: &Arc<Report>, content: &SourceContent) -> Result<()> {
        let (of, source, version) = (Arc::clone(report), self.source.clone(), content.manifest.version.clone());
        let _turn = report.turn.lock().await;
        let write =
            move |store: &mut Store| store.transaction(|store| put_version(store, &of.config, &source, &version));
        self.writer.run(format!("the report {}", report.config.name), write).await
    }

    async fn store_outcome(&self, report: &Arc<Report>, outcome: AttemptOutcome) -> Result<()> {
        if outcome == AttemptOutcome::Raced {
            return Ok(());
        }
        let (name, id) = (report.config.name.clone(), self.source.id);
        let write = move |store: &mut Store| store.transaction(|store| put_outcome(store, &name, id, &outcome));
        self.writer.run(format!("the report {}", report.config.name), write).await
    }

    async fn stored(&self, report: &Arc<Report>) -> Result<Stored> {
        let (source, of) = (self.source.clone(), Arc::clone(report));
        let read = move |store: &mut Store| {
            let name = &of.config.name;
            let files = store.files(&of.config.reader(), source.id)?;
            let files = files.into_iter().map(|file| (file.path.clone(), file)).collect();
            let version = SourceVersions::read(store, name)?.get(&source.name).map(str::to_owned);
            let failures = store.report_failures(name)?;
            let has_failed = failures.iter().any(|failure| failure.source_id == source.id);
            Ok(Stored { files, version, has_failed })
        };
        self.fetcher.reports().readers().run(read).await
    }

    /// Logs the errors that the last attempt did not have.
    fn log(&mut self, errors: Vec<String>) {
        let source = &self.source.name;
        let logged: HashSet<&String> = self.logged.iter().collect();
        let new: Vec<_> = errors.iter().filter(|error| !logged.contains(error)).collect();
        for error in new.iter().take(MAX_WARNINGS) {
            tracing::warn!(source.id = %source, "`{source}`: {error}");
        }
        if let Some(more) = new.len().checked_sub(MAX_WARNINGS + 1) {
            tracing::warn!(source.id = %source, "`{source}`: and {} more like these", more + 1);
        }
        self.logged = errors;
    }
}
