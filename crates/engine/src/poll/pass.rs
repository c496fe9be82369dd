//! One pass over one source: list, plan, fetch and gate side by side (all in `list`), apply. Whatever happens to this source,
//! others do not notice. When a source is passed over is not decided here.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::sync::{Semaphore, watch};
use tributary_config::SourceConfig;
use tributary_merge::{MemoryBudget, SpillFiles};
use tributary_protocol::{Manifest, Sense, Unreadable};
use tributary_store::{SourcePass, SourceState, Store};

use super::list::Listed;
use crate::{
    clock::now,
    database::Writer,
    ingest::{self, Applied, FileVersion, Outcome, SourceVersion, Stored},
    progress::ProgressObserver,
    reports::{PartialFetcher, ReportWork, Reports, SourceContent, SourceKey},
    source::{ActiveRead, FetchError, Http, Origin, Spool},
};

/// How often a pass that found nothing is noted in the database; the time in between is known to this process only.
const NOTED: Duration = Duration::from_secs(60);

/// What the polls of all sources share.
#[derive(Clone)]
pub(crate) struct Context {
    /// They keep connections and certificates.
    pub(crate) http: Http,
    /// Where changes are written.
    pub(crate) writer: Writer,
    /// Where bodies lie meanwhile.
    pub(crate) spool: Spool,
    /// Bounds the files that are read at one time, over all sources: it is work for a core each.
    pub(crate) gates: Arc<Semaphore>,
    /// Bounds the bodies that are read while they arrive, over all sources: each takes a thread.
    pub(crate) followers: Arc<Semaphore>,
    /// Bounds the memory of sorted rows that are not applied yet, over all sources.
    pub(crate) memory: MemoryBudget,
    /// Which say of a file whether it is a product feed.
    pub(crate) reports: Reports,
}

/// The polls of one source, one after the other.
pub(crate) struct Poll {
    pub(super) source: SourceConfig,
    /// What the database holds of it. Only this writes that, so it is read once.
    pub(super) stored: Stored,
    /// How its files are read.
    pub(super) reading: String,
    /// Who is asked.
    pub(super) origin: Origin,
    pub(super) context: Context,
    /// Where it shows.
    pub(super) progress: Arc<dyn ProgressObserver>,
    /// Where the rows of this pass lie that memory has no room for.
    pub(super) spill: SpillFiles,
    /// The readings of this pass, held until what was read is committed.
    pub(super) under_way: Mutex<Vec<Arc<ActiveRead>>>,
    /// Tells those who work on reports what the source holds.
    holding: watch::Sender<Option<Arc<SourceContent>>>,
    /// When a pass was last noted in the database by this process.
    noted: Option<Instant>,
    /// What was wrong with files in the last pass, so that it is logged once.
    faults: HashSet<String>,
}

fn new_spill(spool: &Spool) -> SpillFiles {
    let spool = spool.clone();
    SpillFiles::new(move || spool.unnamed())
}

/// What a pass did.
pub(crate) struct Passed {
    /// The version of the source.
    pub(crate) version: String,
    /// Whether all of it was applied. What the source itself cannot read is not part of it.
    pub(crate) is_whole: bool,
    /// Whether any file was another than before.
    pub(crate) changed: bool,
    /// Files that were read.
    pub(crate) read: usize,
    /// Files that have gone.
    pub(crate) removed: usize,
    /// What that changed.
    pub(crate) applied: Applied,
    /// Files that could not be read, here or by the source, as `path: reason`.
    pub(crate) faults: Vec<String>,
}

impl Poll {
    /// Polls of `source`, which is asked at `origin` and of which the database holds `stored`.
    pub(crate) fn new(
        source: SourceConfig,
        origin: Origin,
        stored: Stored,
        context: Context,
        progress: Arc<dyn ProgressObserver>,
    ) -> Self {
        let reading = ingest::reading(&source.columns);
        let spill = new_spill(&context.spool);
        let holding = watch::Sender::new(None);
        Self {
            source,
            stored,
            reading,
            origin,
            context,
            progress,
            spill,
            under_way: Mutex::default(),
            holding,
            noted: None,
            faults: HashSet::new(),
        }
    }

    /// The work on the reports of the source, to go on beside its passes; none if there is no report.
    pub(crate) fn report_work(&self) -> Option<ReportWork> {
        let Context { reports, spool, writer, .. } = self.context.clone();
        if reports.all().is_empty() {
            return None;
        }
        let source = SourceKey { id: self.stored.id, name: self.source.name.clone() };
        let fetcher = PartialFetcher::new(reports, self.origin.clone(), spool);
        Some(ReportWork::new(source, fetcher, writer, self.holding.subscribe()))
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// Asks the source.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Every file of the source that is rejected now: path and reason.
    pub(crate) fn rejected_files(&self) -> impl Iterator<Item = (&str, &str)> {
        ingest::rejected_files(&self.stored.files)
    }

    /// Brings the database up to what the source holds. `sense` is its answer just now.
    ///
    /// # Errors
    /// The source fails, or the spool or the database does. Nothing was applied then.
    pub(crate) async fn pass(&mut self, sense: &Sense) -> Result<Passed> {
        let passed = self.pass_over(sense).await;
        // What this pass has put there takes room until nobody holds it.
        self.spill = new_spill(&self.context.spool);
        self.under_way = Mutex::default();
        passed
    }

    async fn pass_over(&mut self, sense: &Sense) -> Result<Passed> {
        let (started, sensed) = (Instant::now(), now());
        let listed = match sense.version {
            Some(_) => self.list().await?,
            None => self.list_plain().await?,
        };
        let (passed, holding) = self.apply(listed, started, sensed).await?;
        self.holding.send_if_modified(|known| {
            let is_news = known.as_ref().is_none_or(|known| known.manifest.version != holding.manifest.version);
            if is_news {
                *known = Some(Arc::new(holding));
            }
            is_news
        });
        self.progress.finished(&format!("{} files read", passed.read));
        Ok(passed)
    }

    /// Notes that the source is down. A warning if it was not before, or is for another reason.
    pub(crate) async fn note_down(&mut self, error: &anyhow::Error) {
        self.progress.finished("failed");
        let (name, why) = (self.source.name.clone(), format!("{error:#}"));
        if self.stored.state == SourceState::Down && self.stored.error.as_deref() == Some(&why) && self.noted.is_some()
        {
            tracing::debug!(source.id = %name, "source `{name}` is still down: {why}");
            return;
        }
        tracing::warn!(source.id = %name, "source `{name}` is down: {why}");
        let pass = SourcePass {
            state: SourceState::Down,
            error: Some(why.clone()),
            version: None,
            last_sensed: None,
            last_applied: None,
        };
        let (id, before) = (self.stored.id, self.stored.state);
        let note =
            move |store: &mut Store| store.transaction(|store| ingest::note_pass(store, id, &name, before, &pass));
        match self.context.writer.run(format!("the state of {}", self.source.name), note).await {
            Ok(()) => {
                (self.stored.state, self.stored.error) = (SourceState::Down, Some(why));
                self.noted = Some(Instant::now());
            }
            Err(error) => {
                let name = &self.source.name;
                tracing::error!(source.id = %name, "failed to record that source `{name}` is down: {error:#}");
            }
        }
    }

    async fn apply(&mut self, listed: Listed, started: Instant, sensed: String) -> Result<(Passed, SourceContent)> {
        let Listed { plan, read: mut files, unread, holding } = listed;
        let Manifest { version, unreadable, .. } = &holding.manifest;
        let (read, removed) = (files.len(), plan.removed.len());
        let failed = unread.iter().any(|(_, error)| !matches!(error, FetchError::RanAway(_)));
        let is_whole = unread.is_empty();
        let unreadable = unreadable.iter().map(|Unreadable { path, error }| format!("{path} cannot be read: {error}"));
        let faults = unread.iter().map(|(entry, error)| format!("{}: {error:#}", entry.path));
        let faults: Vec<String> = faults.chain(unreadable).collect();
        self.warn(&faults);
        let ran_away = unread.into_iter().filter(|(_, error)| matches!(error, FetchError::RanAway(_)));
        files.extend(ran_away.map(|(entry, _)| FileVersion { entry, outcome: Outcome::Changing }));
        files.sort_unstable_by(|a, b| a.entry.path.cmp(&b.entry.path));
        let new = SourceVersion {
            source: self.stored.id,
            name: self.source.name.clone(),
            before: self.stored.state,
            reading: self.reading.clone(),
            version: is_whole.then(|| version.clone()),
            files,
            settled: plan.settled,
            removed: plan.removed,
            failed,
            faults: faults.clone(),
            sensed,
            started,
        };
        let changed = new.changes_files();
        let applied = match self.nothing_to_note(&new) {
            true => Applied {
                written: ingest::Written::default(),
                rejected: 0,
                state: self.stored.state,
                error: self.stored.error.clone(),
            },
            false => self.write(new).await?,
        };
        let version = version.clone();
        Ok((Passed { version, is_whole, changed, read, removed, applied, faults }, holding))
    }

    /// Logs what is wrong with files, once as long as it lasts.
    fn warn(&mut self, faults: &[String]) {
        let name = &self.source.name;
        for fault in faults.iter().filter(|fault| !self.faults.contains(*fault)) {
            tracing::warn!(source.id = %name, "`{name}`: {fault}");
        }
        self.faults = faults.iter().cloned().collect();
    }

    /// Whether a pass changed nothing and was noted not long ago: then the writer is left alone.
    fn nothing_to_note(&self, new: &SourceVersion) -> bool {
        let is_recent = self.noted.is_some_and(|noted| noted.elapsed() < NOTED);
        let was_down = self.stored.state == SourceState::Down;
        let is_known = new.version.is_some() && new.version == self.stored.version;
        is_recent && !was_down && is_known && !new.changes_files()
    }

    async fn write(&mut self, new: SourceVersion) -> Result<Applied> {
        self.progress.phase("applying");
        let (read, removed) = (new.files.len(), new.removed.len());
        let (version, changes) = (new.version.clone(), new.changes_files());
        let rejected: Vec<_> = new.rejected().map(|(path, reason)| (path.to_owned(), reason)).collect();
        let what = format!("a version of {}", self.source.name);
        let (applied, files) = self.context.writer.run(what, move |store| ingest::apply(store, new)).await?;
        self.stored.files = files;
        (self.stored.state, self.stored.version, self.stored.error) = (applied.state, version, applied.error.clone());
        self.noted = Some(Instant::now());
        let name = &self.source.name;
        for (path, reason) in rejected {
            tracing::warn!(
                source.id = %name, file.path = %path, %reason,
                "`{path}` of `{name}` is rejected and keeps its accepted rows: {reason}"
            );
        }
        if changes {
            let ingest::Written { added, updated, removed: gone } = applied.written;
            tracing::info!(
                source.id = %name, files.read = read, files.removed = removed, products.added = added,
                products.updated = updated, products.removed = gone, rows.rejected = applied.rejected,
                "applied `{name}`: {read} files read, {removed} removed; products +{added} ~{updated} -{gone}"
            );
        }
        Ok(applied)
    }
}
