//! One pass over one source: lists and reads its files ([`super::list`]), applies what has changed, and passes the result on.
//! It does not decide when a pass is due.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::sync::Notify;
use tributary_config::SourceConfig;
use tributary_merge::SpillFiles;
use tributary_protocol::{FileList, Sense};
use tributary_store::{FileState, SourcePass, SourceState, Store};

use super::{
    Context, Turns,
    hold::Hold,
    list::{Listed, Lister},
    notes,
    part::{Parts, Step, changing},
};
use crate::{
    clock::now,
    ingest::{self, Applied, Faults, RowCounts, SourceVersion, StoredSource},
    input::FilesToRead,
    progress::ProgressObserver,
    reports::{AppliedContent, PartialFetcher, ReportWork, SourceContent, SourceKey},
    source::Origin,
};

/// Makes the passes over one source, one after the other.
pub(crate) struct Poll {
    pub(super) source: SourceConfig,
    /// The source as the database has it. Only this writes it, so it is read once.
    pub(super) stored: StoredSource,
    pub(super) origin: Origin,
    pub(super) context: Context,
    pub(super) progress: Arc<dyn ProgressObserver>,
    /// Tells the work on reports what the source holds.
    content: Arc<AppliedContent>,
    /// Rows and rejects of all its files.
    pub(super) counts: RowCounts,
    /// When this process last recorded a pass in the database.
    pub(super) recorded: Option<Instant>,
    /// The faults of files in the last pass, so that each is logged once.
    faults: HashSet<String>,
    /// Whether it was said that the order of its files may not be the one that is meant.
    has_order_hint: bool,
    /// The version of which all is applied; none if the next pass must list everything.
    synced: Option<String>,
    /// The remark on what it offers, of the last time that it was listed as a whole.
    note: Option<String>,
    /// Why the last pass failed, so that an outage is logged once, and its end.
    outage: Option<String>,
    pub(super) hold: Hold,
}

/// The result of one pass.
pub(crate) struct PassOutcome {
    /// The version of the source.
    pub(crate) version: String,
    /// Whether all of it was applied. What the source itself cannot read is not part of it.
    pub(crate) is_whole: bool,
    /// Whether any file differs from before.
    pub(crate) changed: bool,
    /// Number of files that were read.
    pub(crate) read: usize,
    /// Number of files that are gone.
    pub(crate) removed: usize,
    /// The changes in the database.
    pub(crate) applied: Applied,
    /// Files that could not be read, here or by the source.
    pub(crate) faults: Faults,
    /// A remark on what the source offers.
    pub(crate) note: Option<String>,
}

impl PassOutcome {
    /// The rest of a pass and the parts before it.
    fn after(self, Parts { written, rejected, read, faults, .. }: Parts) -> Self {
        let applied = self.applied;
        Self {
            changed: self.changed || read > 0,
            read: read + self.read,
            applied: Applied { written: written + applied.written, rejected: rejected + applied.rejected, ..applied },
            faults,
            ..self
        }
    }

    /// This pass and the one that followed it.
    pub(crate) fn then(self, next: Self) -> Self {
        let written = self.applied.written + next.applied.written;
        let rejected = self.applied.rejected + next.applied.rejected;
        Self {
            changed: self.changed || next.changed,
            read: self.read + next.read,
            removed: self.removed + next.removed,
            applied: Applied { written, rejected, ..next.applied },
            ..next
        }
    }
}

impl Poll {
    /// Polls `source` at `origin`; `stored` is what the database holds of it.
    pub(crate) fn new(
        source: SourceConfig,
        origin: Origin,
        stored: StoredSource,
        context: Context,
        progress: Arc<dyn ProgressObserver>,
    ) -> Self {
        Self {
            source,
            content: Arc::new(AppliedContent::new(!context.reports.all().is_empty())),
            counts: stored.files.rows().map(|file| ingest::counts(&file)).sum(),
            stored,
            origin,
            context,
            progress,
            recorded: None,
            faults: HashSet::new(),
            has_order_hint: false,
            synced: None,
            note: None,
            outage: None,
            hold: Hold::default(),
        }
    }

    /// Returns the work on the reports over this source, which runs beside its passes and tells `observer`; none if there are no reports.
    pub(crate) fn report_work(&self, observer: Arc<dyn ProgressObserver>) -> Option<ReportWork> {
        let Context { reports, spool, writer, .. } = self.context.clone();
        if reports.all().is_empty() {
            return None;
        }
        let source = SourceKey { id: self.stored.id, name: self.source.name.clone() };
        let fetcher = PartialFetcher::new(reports, (source.id, self.origin.clone()), spool, observer);
        let max_rejects = self.source.limits.max_rejects;
        Some(ReportWork::new(source, fetcher, writer, Arc::clone(&self.content), max_rejects))
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// The turns of all sources.
    pub(crate) fn turns(&self) -> Turns {
        self.context.turns.clone()
    }

    /// Interval of questions if it cannot hold its answer; `of_all` is that of sources without one of their own.
    pub(super) fn interval(&self, of_all: Duration) -> Duration {
        self.source.interval(of_all)
    }

    /// The source's origin.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Every file of the source that is rejected now, with the reason.
    pub(crate) fn rejected_files(&self) -> impl Iterator<Item = (String, String)> {
        let rejected = self.stored.files.rows().filter(|file| file.state == FileState::Rejected);
        rejected.filter_map(|file| Some((file.path, file.rejected_reason?)))
    }

    /// Words for a source of which more rows are rejected than not.
    pub(crate) fn mostly_rejects(&self) -> Option<String> {
        self.counts.mostly_rejects()
    }

    /// Brings the database up to date with the source. `sense` is its answer just now.
    ///
    /// # Errors
    /// The source, the spool or the database fails. Then nothing was applied, or only parts of very many files.
    pub(crate) async fn pass(&mut self, sense: &Sense) -> Result<PassOutcome> {
        self.progress.phase("listing");
        let mut parts = Parts::begin(now());
        let since = self.synced.take();
        let listed = loop {
            match self.lister(since.as_deref()).list(sense, parts.unfinished.take()).await? {
                Step::Part(part) => self.apply_part(*part, &mut parts).await?,
                Step::Rest(listed) => break *listed,
            }
        };
        parts.add_unread(&listed.unread, listed.skipped);
        parts.faults.extend(listed.unreadable());
        self.log_faults(&parts.faults);
        let documents = listed.documents(&self.origin);
        let Listed { mut plan, mut read, unread, skipped: _, mut content, active_reads, is_held, digest, order_hint } =
            listed;
        let version = content.manifest.version.clone();
        self.remark(order_hint, &mut content);
        // What was read holds them, too, and is let go of file by file.
        plan.read = FilesToRead::default();
        let note = self.note.clone();
        if is_held {
            self.progress.finished("held");
            return Ok(self.still_held(version, parts.faults, note));
        }
        let (files_read, files_removed, is_whole) = (read.len(), plan.removed.len(), parts.is_whole);
        read.extend(changing(unread));
        let unchanged = self.unchanged(&read, &plan);
        let new = SourceVersion {
            version: is_whole.then(|| version.clone()),
            failed: parts.failed,
            faults: parts.faults.clone(),
            ..self.version(read, unchanged, plan, &parts)
        };
        let changes = new.changes_files();
        let applied = self.apply(new, documents).await?;
        self.say_it_is_back();
        self.hold.note(applied.held.as_ref(), digest, &self.source.brake);
        drop(active_reads);
        let is_applied = applied.held.is_none();
        if is_applied {
            let allows_delta = is_whole && self.allows_delta(&content);
            self.synced = allows_delta.then(|| version.clone());
            // Reports would lose the same rows, so they wait for what is held, too.
            self.content.publish(content);
        }
        self.progress.finished(&format!("{} files read", parts.read + files_read));
        let (read, removed) = if is_applied { (files_read, files_removed) } else { (0, 0) };
        let changed = changes && is_applied;
        let rest = PassOutcome { version, is_whole, changed, read, removed, applied, faults: Faults::default(), note };
        Ok(rest.after(parts))
    }

    /// Logs the end of an outage.
    fn say_it_is_back(&mut self) {
        if self.outage.take().is_some() {
            let name = &self.source.name;
            tracing::info!(source.id = %name, "source `{name}` is back");
        }
    }

    /// Whether the next pass may list only what has changed since this version. If times rank its files, they are all looked at.
    fn allows_delta(&self, SourceContent { manifest, formats, .. }: &SourceContent) -> bool {
        let is_remarkable = self.note.is_some() || !manifest.unreadable.is_empty();
        manifest.deltas && !is_remarkable && !formats.rank_by_time()
    }

    /// Whether the winner depends on times. They are not part of a version, so a source does not report that one has changed.
    pub(crate) fn ranks_by_time(&self) -> bool {
        self.content.ranks_by_time()
    }

    /// Resolves once the version that is held may be applied: someone has accepted it, or it was held for long enough. Never if
    /// nothing is held.
    pub(crate) fn released(&self) -> impl Future<Output = ()> + use<> {
        self.hold.released()
    }

    /// Makes the next pass read again what is held.
    pub(crate) fn read_held(&mut self) {
        self.hold.plan = None;
    }

    /// Wakes the loop of this source, once what is held was accepted.
    pub(crate) fn accepted(&self) -> Arc<Notify> {
        Arc::clone(&self.hold.accepted)
    }

    /// The outcome of a pass that found the held version again.
    fn still_held(&self, version: String, faults: Faults, note: Option<String>) -> PassOutcome {
        let applied = self.as_before();
        PassOutcome { version, is_whole: true, changed: false, read: 0, removed: 0, applied, faults, note }
    }

    /// Records that the source is down, and logs it if it was not down before for the same reason.
    pub(crate) async fn note_down(&mut self, error: &anyhow::Error) {
        // The pass after an outage records the state again, so it must not be skipped.
        self.read_held();
        self.progress.finished("failed");
        let name = self.source.name.clone();
        let reason = notes::reason(error);
        let is_known = self.outage.as_ref() == Some(&reason);
        let is_recorded = self.stored.state == SourceState::Down && self.stored.error.as_ref() == Some(&reason);
        if is_known {
            tracing::debug!(source.id = %name, "source `{name}` is still down: {reason}");
        } else {
            tracing::warn!(source.id = %name, "source `{name}` is down: {reason}");
        }
        self.outage = Some(reason.clone());
        if is_recorded && self.recorded.is_some() {
            return;
        }
        let pass = SourcePass {
            state: SourceState::Down,
            error: Some(reason.clone()),
            version: None,
            last_sensed: None,
            last_applied: None,
        };
        let (id, before) = (self.stored.id, self.stored.state);
        let note =
            move |store: &mut Store| store.transaction(|store| ingest::note_pass(store, id, &name, before, &pass));
        match self.context.writer.run(format!("the state of {}", self.source.name), note).await {
            Ok(()) => {
                self.stored.state = SourceState::Down;
                self.stored.error = Some(reason);
                self.recorded = Some(Instant::now());
            }
            // A full disk fails again and again; it is said once.
            Err(_) if is_known => {}
            Err(error) => {
                let name = &self.source.name;
                tracing::error!(source.id = %name, "failed to record that source `{name}` is down: {error:#}");
            }
        }
    }

    /// Whether others ask for the files of a list.
    pub(super) fn keeps_files(&self) -> bool {
        !self.context.reports.all().is_empty()
    }

    fn lister<'a>(&'a self, since: Option<&'a str>) -> Lister<'a> {
        let spool = self.context.spool.clone();
        Lister {
            source: &self.source,
            stored: &self.stored.files,
            rejects: self.counts.rejects,
            feeds: &self.stored.feeds,
            origin: &self.origin,
            context: &self.context,
            since,
            wants_order_hint: !self.has_order_hint,
            held_plan: self.hold.plan.as_deref(),
            progress: &self.progress,
            spill: SpillFiles::new(move || spool.unnamed()),
            active_reads: Mutex::default(),
        }
    }

    /// Logs what is wrong with files, once as long as it lasts.
    fn log_faults(&mut self, faults: &Faults) {
        let name = &self.source.name;
        let is_news = |fault: &&String| !self.faults.contains(*fault);
        let count =
            faults.named.iter().filter(is_news).map(|fault| tracing::warn!(source.id = %name, "`{name}`: {fault}"));
        if count.count() > 0 && faults.more > 0 {
            tracing::warn!(source.id = %name, "`{name}`: and {} more files like these", faults.more);
        }
        self.faults = faults.named.iter().cloned().collect();
    }

    /// Notes what people are told about a listing. If there are no reports, nobody else asks for its files: the memory of an apply is the
    /// peak of a pass.
    fn remark(&mut self, order_hint: Option<String>, content: &mut SourceContent) {
        if let Some(hint) = order_hint {
            let name = &self.source.name;
            tracing::warn!(source.id = %name, "`{name}`: {hint}");
            self.has_order_hint = true;
        }
        if content.manifest.since.is_none() {
            // Often there is no document.
            let has_page = self.origin.bucket().is_none();
            self.note = notes::note(&content.manifest, has_page).filter(|_| self.source.folder.is_none());
        }
        if !self.keeps_files() {
            content.manifest.files = FileList::default();
            content.share = None;
        }
    }
}
