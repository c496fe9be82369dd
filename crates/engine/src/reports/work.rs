//! Keeps all reports up to date with one source, beside the passes over it: whenever its content changes, what is missing is computed
//! and applied. Failures here affect neither products nor other sources.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::{Stream, StreamExt};
use tributary_budget::Share;
use tributary_http_client::Backoff;
use tributary_protocol::FileList;
use tributary_store::Store;

use super::{
    AppliedContent, PartialFetcher, Report, SourceContent, SourceKey,
    apply::{AppliedUpdate, SourceUpdate, apply, prepare, put_version},
    cluster::{NotByCluster, Routed},
    failure::{AttemptOutcome, put_outcome},
    plain::LostFiles,
    stored::Stored,
    versions::SourceVersions,
};
use crate::{
    database::Writer,
    input::{FileToRead, FilesToRead, Plan},
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
    content: Arc<AppliedContent>,
    /// Rejects of the source's files that are kept, for each report.
    max_rejects: u64,
    /// The source's files as they are stored, by the name of the report. Only this changes them while it runs.
    known: HashMap<String, Stored>,
    lost_files: LostFiles,
    /// The errors of the last attempt, so that each is logged once.
    logged: Vec<String>,
}

/// Files whose partials were asked for.
#[derive(Default)]
struct Computed {
    /// With their answers.
    files: Vec<(Arc<FileToRead>, Answer)>,
    /// Paths and errors of the others.
    failed: Vec<(String, FetchError)>,
    /// The memory of the answers, which counts until they are applied.
    held: Option<Share>,
}

impl Task for ReportWork {
    /// Runs as long as the source is polled.
    async fn run(&mut self) {
        let mut backoff = Backoff::new(FIRST_RETRY, MAX_RETRY);
        let mut has_failed = false;
        // After a panic nothing is certain.
        self.known.clear();
        let mut news = self.content.news();
        loop {
            news.borrow_and_update();
            test_panic("reports");
            let errors = self.update_all(has_failed).await;
            has_failed = !errors.is_empty();
            self.log(errors);
            let pause = if has_failed {
                backoff.next_delay()
            } else {
                backoff.reset();
                Duration::MAX
            };
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
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
        content: Arc<AppliedContent>,
        max_rejects: u64,
    ) -> Self {
        let (known, logged, lost_files) = (HashMap::new(), Vec::new(), LostFiles::new(fetcher.keeps_findings()));
        Self { source, fetcher, writer, content, max_rejects, known, lost_files, logged }
    }

    /// Brings all reports up to date with the announced content, once. Returns the errors and the rejected files.
    pub(crate) async fn run_once(mut self) -> Vec<String> {
        if *self.content.news().borrow() == 0 {
            return Vec::new();
        }
        // There is no retry that could decide, so a file that changes while it is read fails the attempt.
        let mut errors = self.update_all(true).await;
        for report in self.fetcher.reports().all() {
            let name = &report.config.name;
            match self.stored(report).await {
                Ok(stored) => {
                    errors.extend(stored.files.rows().filter_map(|file| {
                        Some(format!("{name}: {} is rejected: {}", file.path, file.rejected_reason?))
                    }));
                }
                Err(error) => errors.push(format!("{name}: {error:#}")),
            }
        }
        errors
    }

    /// Brings all reports up to date, and returns the errors. `is_retry`: the last attempt failed.
    async fn update_all(&mut self, is_retry: bool) -> Vec<String> {
        let (mut errors, mut body) = (Vec::new(), None);
        let reports = self.fetcher.reports().all().to_vec();
        for report in &reports {
            let known = self.known.get(&report.config.name).and_then(|stored| stored.compared);
            let Some((content, number)) = self.content.since(known) else { return errors };
            let updated = self.update(report, (&content, number), is_retry).await;
            let mut failed = updated.unwrap_or_else(|error| vec![error]);
            body = Some(content.body);
            self.fetcher.end_reads();
            failed.iter_mut().for_each(|error| *error = format!("report `{}`: {error}", report.config.name));
            errors.append(&mut failed);
        }
        self.fetcher.forget_kept();
        let database = (self.fetcher.reports().readers(), &self.writer);
        errors.extend(self.lost_files.forget(database, self.source.id, &self.content).await.err());
        if errors.is_empty()
            && let Some(body) = body
        {
            // It takes room on the disk.
            body.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        errors
    }

    /// Brings one report up to date, and returns the files that could not be computed. An error is stored too.
    async fn update(
        &mut self,
        report: &Arc<Report>,
        content: (&SourceContent, u64),
        is_retry: bool,
    ) -> Result<Vec<String>, String> {
        let error = match self.try_update(report, content, is_retry).await {
            Ok(failed) => return Ok(failed),
            Err(error) => format!("{error:#}"),
        };
        self.known.remove(&report.config.name);
        match self.store_outcome(report, AttemptOutcome::Failed(error.clone())).await {
            Ok(()) => Err(error),
            Err(not_stored) => Err(format!("{error}; this failure could not be stored: {not_stored:#}")),
        }
    }

    async fn try_update(
        &mut self,
        report: &Arc<Report>,
        (content, number): (&SourceContent, u64),
        is_retry: bool,
    ) -> Result<Vec<String>> {
        let started = Instant::now();
        let mut stored = match self.known.remove(&report.config.name) {
            Some(stored) => stored,
            None => self.stored(report).await?,
        };
        let plan = stored.plan(report, content).await?;
        let version = &content.manifest.version;
        if plan.is_empty() {
            if stored.has_failed || stored.version.as_ref() != Some(version) {
                self.store_version(report, content).await?;
            }
            let (version, compared) = (Some(version.clone()), Some(number));
            self.known.insert(report.config.name.clone(), Stored { version, has_failed: false, compared, ..stored });
            return Ok(Vec::new());
        }
        let Plan { read, settled, removed, .. } = plan;
        self.lost_files.add(&removed);
        let Some(computed) = self.compute(report, &read, content, &mut stored).await? else { return Ok(Vec::new()) };
        let Computed { files: computed, failed, held: _held } = computed;
        let outcome = AttemptOutcome::of(&failed, is_retry);
        stored.has_failed |= matches!(outcome, AttemptOutcome::Failed(_));
        if computed.is_empty() && settled.is_empty() && removed.is_empty() {
            self.store_outcome(report, outcome).await?;
        } else {
            let (source, version) = (self.source.clone(), failed.is_empty().then(|| version.clone()));
            let mut update = SourceUpdate { source, version, outcome, computed, settled, removed, started };
            if let Some(documents) = self.fetcher.documents() {
                update.leave_out_replaced(documents, &content.manifest);
            }
            stored.version = update.version.clone();
            // Without its files stored, the next attempt reads them again.
            let Some(applied) = self.apply(report, update).await? else { return Ok(Vec::new()) };
            stored.follow(applied);
        }
        if failed.is_empty() {
            stored.has_failed = false;
            stored.compared = Some(number);
        }
        self.known.insert(report.config.name.clone(), stored);
        Ok(failed.into_iter().map(|(path, error)| format!("{path}: {error:#}")).collect())
    }

    /// Gets the partials of files. If they take much memory, the first are applied meanwhile; `None` if these are no longer those of the source.
    async fn compute(
        &self,
        report: &Arc<Report>,
        read: &FilesToRead,
        content: &SourceContent,
        stored: &mut Stored,
    ) -> Result<Option<Computed>> {
        let _reporting = (!read.is_empty()).then(|| self.fetcher.begin(read.len()));
        let (listed, mut held) = (&content.manifest.files, Share::new(Arc::clone(self.fetcher.reports().held())));
        let mut rejects = self.kept_rejects((read, listed), stored);
        let (mut all, mut started) = (Computed::default(), Instant::now());
        let mut answers = pin!(self.fetch_all(report, read.iter(listed, &report.config), content));
        while let Some((file, answer)) = answers.next().await {
            let is_full = !held.take(answer.as_ref().map_or(0, Answer::held_bytes));
            match answer {
                Ok(mut answer) => {
                    rejects = answer.keep_rejects(rejects);
                    all.files.push((file, answer));
                }
                Err(error) => all.failed.push((file.entry.path.clone(), error)),
            }
            if is_full {
                let (source, computed) = (self.source.clone(), std::mem::take(&mut all.files));
                let (outcome, settled, removed) = (AttemptOutcome::Raced, Vec::new(), Vec::new());
                let mut update = SourceUpdate { source, version: None, outcome, computed, settled, removed, started };
                if let Some(documents) = self.fetcher.documents() {
                    update.leave_out_replaced(documents, &content.manifest);
                }
                let Some(applied) = self.apply(report, update).await? else { return Ok(None) };
                stored.follow(applied);
                held.clear();
                started = Instant::now();
            }
        }
        Ok(Some(Computed { held: Some(held), ..all }))
    }

    /// The number of rejects that may be kept of the files to read: the bound of the source, less those of its other files.
    fn kept_rejects(&self, (read, listed): (&FilesToRead, &FileList), stored: &Stored) -> usize {
        // Of a first list nothing is known yet, and it may have a million files.
        let read: HashSet<&str> = read.paths(listed).filter(|path| stored.files.contains(path)).collect();
        usize::try_from(self.max_rejects.saturating_sub(stored.files.kept_rejects_but(&read))).unwrap_or(usize::MAX)
    }

    /// Asks for partials, in no particular order, until the source stalls. What a cluster does not compute is asked of the source.
    fn fetch_all<'a>(
        &'a self,
        report: &'a Arc<Report>,
        files: impl Iterator<Item = Arc<FileToRead>> + Send + 'a,
        content: &'a SourceContent,
    ) -> impl Stream<Item = (Arc<FileToRead>, Result<Answer, FetchError>)> + Send {
        let stalled = Arc::new(AtomicBool::new(false));
        let fetch = move |(file, routed): (Arc<FileToRead>, Option<Routed>)| {
            let stalled = Arc::clone(&stalled);
            async move {
                let why = match routed {
                    None => NotByCluster::NotAsked,
                    Some(Routed::PushDown(why)) => NotByCluster::Because(why),
                    Some(Routed::FirstReading) => NotByCluster::FirstReading,
                    Some(Routed::Answer(answer)) => return (file, Ok(answer)),
                    Some(Routed::Failed(error)) => return (file, Err(error)),
                };
                // No further file waits for a source that has stalled.
                if stalled.load(Ordering::Relaxed) {
                    let error = "not requested, because another file of this source has stalled".to_owned();
                    return (file, Err(FetchError::Stalled(error)));
                }
                let answer = self.fetcher.fetch(report, &file, content, why).await;
                stalled.fetch_or(matches!(answer, Err(FetchError::Stalled(_))), Ordering::Relaxed);
                (file, answer)
            }
        };
        self.fetcher.routed(report, files, content).map(fetch).buffer_unordered(MAX_CONCURRENT_PARTIALS)
    }

    /// Applies an update. Returns what was written; none if its contents are no longer those of the source.
    async fn apply(&self, report: &Arc<Report>, update: SourceUpdate) -> Result<Option<AppliedUpdate>> {
        let (computed, removed, started) = (update.computed.len(), update.removed.len(), update.started);
        let contents = update.contents();
        let mut turn = report.turn.lock().await;
        // If anything fails, the sums are read again.
        let (of, kept) = (Arc::clone(report), std::mem::take(&mut *turn));
        let memory = self.fetcher.reports().memory().kept().clone();
        let read = move |store: &mut Store| prepare(store, &of.config, (kept, &memory), update);
        let (prepared, kept) = self.fetcher.reports().readers().run(read).await?;
        let (of, rows, documents) = (Arc::clone(report), prepared.rows(), self.fetcher.documents().cloned());
        let (name, findings) = (&report.config.name, self.fetcher.take_findings());
        let write = move |store: &mut Store| {
            // What is no longer stood for is computed again once the source is listed again.
            let is_standing = |(path, hash): &(String, String)| {
                documents.as_ref().is_none_or(|documents| documents.is_standing(path, hash))
            };
            if !contents.iter().all(is_standing) {
                return Ok(None);
            }
            let paths: Vec<&String> = contents.iter().map(|(path, _)| path).collect();
            let written = store.transaction_in_order(rows, |store| {
                let applied = apply(store, &of.config, prepared)?;
                store.put_plain_files(&findings)?;
                let changes = documents.as_ref().map(|documents| documents.settle(store, &paths)).transpose()?;
                anyhow::Ok((applied, changes))
            });
            let (applied, changes) = written?;
            let committed = documents.as_ref().zip(changes).map(|(documents, changes)| documents.committed(changes));
            Ok(Some((applied, committed)))
        };
        let written = self.writer.run(format!("the report {name}"), write).await?;
        let Some((mut applied, committed)) = written else { return Ok(None) };
        if let (Some(documents), Some(committed)) = (self.fetcher.documents(), committed) {
            documents.announce(committed).await;
        }
        *turn = kept.follow(&applied.files, &applied.sources, applied.rows.take());
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let source = &self.source.name;
        tracing::info!(
            source.id = %source, report = %name, files.read = computed, files.removed = removed, groups = rows, duration_ms,
            "updated report `{name}` from `{source}`: {computed} files computed, {removed} removed, {rows} groups"
        );
        Ok(Some(applied))
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
            let files = files.into_iter().collect();
            let version = SourceVersions::read(store, name)?.get(&source.name).map(str::to_owned);
            let failures = store.report_failures(name)?;
            let has_failed = failures.iter().any(|failure| failure.source_id == source.id);
            Ok(Stored { files, version, has_failed, compared: None })
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
