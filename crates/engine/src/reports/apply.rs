//! Writes what an attempt computed of one source's files, and the totals with it, in one transaction: readers see all or nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use anyhow::{Result, ensure};
use tributary_config::ReportConfig;
use tributary_protocol::{CompactManifest, PartialHead, RowReject};
use tributary_report::{Total, TotalRows};
use tributary_store::{FileRow, ReportRow, Store};

use super::{
    content::SourceKey,
    failure::{AttemptOutcome, put_outcome},
    memory::KeptMemory,
    reader::Partials,
    sums::{Kept, Summed},
    total::{add_stored, can_be_summed, each_row, has_partial},
    versions::SourceVersions,
};
use crate::{
    clock::now,
    database::events::{self, Event},
    documents::Documents,
    input::{FileToRead, FileUpdate, Findings, ResultTables, reject_row},
    source::{Answer, GroupLines},
};

/// The partials that an attempt has computed of one source's files for one report.
pub(super) struct SourceUpdate {
    /// The source.
    pub(super) source: SourceKey,
    /// The source's version; `None` if a file of it could not be computed.
    pub(super) version: Option<String>,
    /// The outcome of the attempt.
    pub(super) outcome: AttemptOutcome,
    /// Files with their answers.
    pub(super) computed: Vec<(Arc<FileToRead>, Answer)>,
    /// Files that have their accepted content again.
    pub(super) settled: Vec<FileRow>,
    /// Files that are gone.
    pub(super) removed: Vec<FileRow>,
    /// The start of the attempt.
    pub(super) started: Instant,
}

impl SourceUpdate {
    /// Path and hash of each content that it takes in.
    pub(super) fn contents(&self) -> Vec<(String, String)> {
        let computed = self.computed.iter().map(|(file, _)| (file.entry.path.clone(), file.entry.hash.clone()));
        let settled = self.settled.iter().map(|row| (row.path.clone(), row.hash.clone().unwrap_or_default()));
        computed.chain(settled).collect()
    }

    /// Leaves out documents that their paths no longer stand for, so that they do not hold up the others. `listed` are the paths
    /// that stood for one.
    pub(super) fn leave_out_replaced(&mut self, documents: &Documents, listed: &CompactManifest) {
        let before = self.len();
        let is_standing = |path: &str, hash: &str| documents.is_standing(path, hash);
        self.computed.retain(|(file, _)| is_standing(&file.entry.path, &file.entry.hash));
        self.settled.retain(|row| row.hash.as_ref().is_some_and(|hash| is_standing(&row.path, hash)));
        let listed: HashSet<&str> = listed.files.paths().collect();
        self.removed.retain(|row| listed.contains(row.path.as_str()) || !documents.has(&row.path));
        if self.len() < before {
            self.version = None;
        }
    }

    fn len(&self) -> usize {
        self.computed.len() + self.settled.len() + self.removed.len()
    }
}

/// All that has to be written for a [`SourceUpdate`].
pub(super) struct ReportUpdate {
    source: SourceKey,
    version: Option<String>,
    outcome: AttemptOutcome,
    files: Vec<ComputedFile>,
    removed: Vec<FileRow>,
    /// The new totals; `None` if they stay until stale files have been read again.
    rows: Option<TotalRows>,
    /// All rejects of the report's files.
    rejects: i64,
    /// The names of the sources whose partials were read.
    sources: Vec<String>,
    started: Instant,
}

/// An update that was written.
pub(super) struct AppliedUpdate {
    /// The changed files as they are stored.
    pub(super) files: Vec<FileRow>,
    /// The files that were deleted.
    pub(super) removed: Vec<FileRow>,
    /// Names of the sources that the report has files of.
    pub(super) sources: Vec<String>,
    /// The totals, if they were written.
    pub(super) rows: Option<TotalRows>,
}

/// A file as it is stored from now on.
struct ComputedFile {
    update: FileUpdate,
    /// The groups of its new partial; `None` keeps the stored partial.
    lines: Option<GroupLines>,
}

impl ReportUpdate {
    /// Number of rows that it writes to the report's table.
    pub(super) fn rows(&self) -> usize {
        self.rows.as_ref().map_or(0, TotalRows::len)
    }
}

/// Reads what is stored of a report and computes the totals with an update. The caller holds the report's turn until the result is
/// written, so nothing of the report changes in between. Returns the sums to keep once the update is committed.
///
/// # Errors
/// The database or the spool fails or is damaged; there are too many groups.
pub(super) fn prepare(
    store: &mut Store,
    report: &ReportConfig,
    (kept, memory): (Kept, &KeptMemory),
    update: SourceUpdate,
) -> Result<(ReportUpdate, Kept)> {
    let SourceUpdate { source, version, outcome, computed, settled, removed, started } = update;
    let sources = store.sources_of_reader(&report.reader())?;
    let mut files = computed_files(store, report, &source, computed)?;
    files.extend(settled.into_iter().map(|row| ComputedFile { update: FileUpdate::settled(row), lines: None }));
    let changed = files.iter_mut().map(|file| (&file.update.row, file.lines.as_mut()));
    let (Summed { rows, rejects }, kept) = match kept.update(store, report, (memory, &sources), (changed, &removed))? {
        (Some(summed), kept) => (summed, kept),
        (None, kept) => (sum_all(store, report, &source, &mut files, &removed)?, kept),
    };
    Ok((ReportUpdate { source, version, outcome, files, removed, rows, rejects, sources, started }, kept))
}

fn computed_files(
    store: &mut Store,
    report: &ReportConfig,
    source: &SourceKey,
    computed: Vec<(Arc<FileToRead>, Answer)>,
) -> Result<Vec<ComputedFile>> {
    let paths: Vec<&str> = computed.iter().map(|(file, _)| file.entry.path.as_str()).collect();
    let known = store.files_at(&report.reader(), source.id, &paths)?;
    let mut known: HashMap<String, FileRow> = known.into_iter().map(|row| (row.path.clone(), row)).collect();
    let update = |(file, answer): (Arc<FileToRead>, Answer)| {
        let row = known.remove(&file.entry.path);
        let row = row.unwrap_or_else(|| FileRow::new(&report.reader(), source.id, &file.entry.path));
        computed_file(row, &file, answer)
    };
    Ok(computed.into_iter().map(update).collect())
}

fn computed_file(row: FileRow, file: &FileToRead, answer: Answer) -> ComputedFile {
    match answer {
        Answer::Partial(head, lines) => {
            ComputedFile { update: FileUpdate::accepted(row, file.into(), findings(&head)), lines: Some(lines) }
        }
        Answer::Rejected(reject) => {
            ComputedFile { update: FileUpdate::rejected(row, file.into(), &reject, Vec::new()), lines: None }
        }
    }
}

fn findings(head: &PartialHead) -> Findings<'_> {
    let row = |reject: &RowReject| reject_row(reject.line, reject.byte, reject.reason.clone(), reject.raw.clone());
    Findings {
        rows: head.rows,
        results: head.groups,
        unused: head.passed_over,
        rejected: head.rejected,
        repaired: head.repaired,
        notes: &head.notes,
        format: head.format.as_deref(),
        rejects: head.rejects.iter().map(row).collect(),
    }
}

/// The rows of a report whose sums are not kept, unless they must stay, and all of its rejects: every partial is read.
fn sum_all(
    store: &mut Store,
    report: &ReportConfig,
    source: &SourceKey,
    updated: &mut [ComputedFile],
    removed: &[FileRow],
) -> Result<Summed> {
    let replaced: HashSet<String> =
        updated.iter().map(|file| &file.update.row).chain(removed).map(|row| row.path.clone()).collect();
    let is_kept = |row: &FileRow| row.source_id != source.id || !replaced.contains(&row.path);
    let stored = store.files_of_reader(&report.reader())?;
    let kept: Vec<FileRow> = stored.into_iter().filter(is_kept).collect();
    let all = || kept.iter().chain(updated.iter().map(|file| &file.update.row));
    let rejects = all().map(|row| row.rejects).sum();
    if !can_be_summed(report, all()) {
        return Ok(Summed { rows: None, rejects });
    }
    let mut total = Total::new(&report.plan);
    for row in kept.iter().filter(|row| has_partial(report, row)) {
        add_stored(store, row, &mut total)?;
    }
    for file in updated.iter_mut().filter(|file| has_partial(report, &file.update.row)) {
        match &mut file.lines {
            Some(lines) => lines.add_to(&mut total)?,
            None => add_stored(store, &file.update.row, &mut total)?,
        }
    }
    Ok(Summed { rows: Some(total.finish()?), rejects })
}

/// Writes an update, and an event if the totals are written. Call it in a transaction.
///
/// # Errors
/// The database or the spool fails; a source was dropped after its partials were read.
pub(super) fn apply(store: &mut Store, report: &ReportConfig, mut update: ReportUpdate) -> Result<AppliedUpdate> {
    // A reload drops sources without waiting for the report's turn.
    let is_unchanged = update.sources == store.sources_of_reader(&report.reader())?;
    ensure!(is_unchanged, "a source was dropped while the totals were computed; they are computed again");
    for file in &mut update.files {
        file.update.write::<Partials>(store, file.lines.as_mut())?;
    }
    for row in &update.removed {
        Partials::remove(store, row.id)?;
        store.delete_file(row.id)?;
    }
    put_outcome(store, &report.name, update.source.id, &update.outcome)?;
    let mut versions = SourceVersions::read(store, &report.name)?;
    versions.set(&update.source.name, update.version.as_deref());
    let files = update.files.into_iter().map(|file| file.update.row).collect();
    let sources = store.sources_of_reader(&report.reader())?;
    let applied = AppliedUpdate { files, removed: update.removed, sources, rows: update.rows };
    let Some(rows) = &applied.rows else {
        put_versions(store, report, &versions)?;
        return Ok(applied);
    };
    let groups = put_totals(store, report, rows, &versions)?;
    let event = Event::Report {
        name: report.name.clone(),
        rows: groups.unsigned_abs(),
        rejects: update.rejects.unsigned_abs(),
        seconds: update.started.elapsed().as_secs_f64(),
    };
    events::put(store, &event)?;
    Ok(applied)
}

/// Writes the totals of a report with what they were computed from, and returns the number of rows. Call it in a transaction.
///
/// # Errors
/// The database or the spool fails.
pub(super) fn put_totals(
    store: &mut Store,
    report: &ReportConfig,
    rows: &TotalRows,
    versions: &SourceVersions,
) -> Result<i64> {
    let table = report.table();
    let mut writer = store.report_writer(&table)?;
    each_row(report, rows, |row| Ok(writer.push(row)?))?;
    let groups = writer.finish()?;
    store.put_report(&ReportRow {
        name: report.name.clone(),
        digest: report.plan.results_digest().to_owned(),
        groups,
        computed_at: now(),
        standing: versions.to_json()?,
    })?;
    Ok(groups)
}

/// Stores the versions of a report whose totals stay as they are. They must name every source with a share in the partials:
/// `adopt` learns from them that a source was dropped.
fn put_versions(store: &mut Store, report: &ReportConfig, versions: &SourceVersions) -> Result<()> {
    let Some(stored) = store.report(&report.name)? else { return Ok(()) };
    Ok(store.put_report(&ReportRow { standing: versions.to_json()?, ..stored })?)
}

/// Stores that a report is up to date with a version of a source that changes nothing for it. Call it in a transaction.
///
/// # Errors
/// The database fails.
pub(super) fn put_version(store: &mut Store, report: &ReportConfig, source: &SourceKey, version: &str) -> Result<()> {
    put_outcome(store, &report.name, source.id, &AttemptOutcome::Succeeded)?;
    let mut versions = SourceVersions::read(store, &report.name)?;
    if versions.get(&source.name) == Some(version) {
        return Ok(());
    }
    versions.set(&source.name, Some(version));
    put_versions(store, report, &versions)
}

#[cfg(test)]
mod tests;
