//! What a source's files give to a report, and what that makes of its totals, into the database: in one transaction, which
//! nobody sees a half of.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_protocol::{ManifestEntry, PartialHead, RowReject};
use tributary_report::Total;
use tributary_store::{DatabaseUrl, FileState, GroupRow, RejectRow, ReportFileRow, ReportRow, Store};

use super::{
    failure::{Outcome, put_outcome},
    total::{add_stored, are_current, is_current, rows},
    versions::SourceVersions,
};
use crate::{
    clock::now,
    database::events::{self, Event},
    source::{Answer, Lines},
};

/// What one source brings for one report.
pub(super) struct Change {
    /// The source's number and name.
    pub(super) source: (i64, String),
    /// Its version; none if not all files of it could be computed.
    pub(super) version: Option<String>,
    /// Whether it is all that the source holds, else why not.
    pub(super) outcome: Outcome,
    /// Files that were computed.
    pub(super) computed: Vec<(ManifestEntry, Answer)>,
    /// Files that hold their accepted content again.
    pub(super) settled: Vec<ReportFileRow>,
    /// Files that are gone.
    pub(super) removed: Vec<ReportFileRow>,
    /// When it was begun.
    pub(super) started: Instant,
}

/// What is stored of a file from now on: its row, its partial if that is another, and the rejects of the content that was looked at.
type FileChange = (ReportFileRow, Option<(PartialHead, Lines)>, Vec<RejectRow>);

/// A change with all that has to be written.
pub(super) struct Prepared {
    files: Vec<FileChange>,
    removed: Vec<ReportFileRow>,
    /// The totals; none while they have to stay.
    rows: Option<Vec<GroupRow>>,
    source: (i64, String),
    version: Option<String>,
    outcome: Outcome,
    started: Instant,
}

impl Prepared {
    /// How many rows it writes to the table.
    pub(super) fn rows(&self) -> usize {
        self.rows.as_ref().map_or(0, Vec::len)
    }
}

/// Reads what is stored of a report, and computes the totals with the change. Whoever holds the report's turn knows that nothing
/// of it changes until the change is written.
///
/// # Errors
/// The database fails or is damaged; there are too many groups.
pub(super) fn prepare(database: &DatabaseUrl, report: &ReportConfig, change: Change) -> Result<Prepared> {
    let mut store = Store::open_existing(database)?;
    store.snapshot(|store| prepare_in(store, report, change))
}

fn prepare_in(store: &mut Store, report: &ReportConfig, change: Change) -> Result<Prepared> {
    let Change { source: (source, name), version, outcome, computed, settled, removed, started } = change;
    let stored = store.report_files(&report.name)?;
    let of_source = stored.iter().filter(|file| file.source_id == source);
    let known: HashMap<&str, &ReportFileRow> = of_source.map(|file| (file.path.as_str(), file)).collect();
    let mut files = Vec::new();
    for (entry, answer) in computed {
        let known = known.get(entry.path.as_str()).map(|file| (*file).clone());
        let row = known.unwrap_or_else(|| ReportFileRow::new(&report.name, source, &entry.path));
        files.push(row_of(report, row, &entry, answer));
    }
    for row in settled {
        let settled = ReportFileRow {
            state: FileState::Applied,
            rejected_hash: None,
            rejected_reading: None,
            rejected_reason: None,
            ..row
        };
        files.push((settled, None, Vec::new()));
    }
    let replaced: HashSet<&str> =
        files.iter().map(|(file, ..)| file).chain(&removed).map(|file| file.path.as_str()).collect();
    let is_replaced = |file: &ReportFileRow| file.source_id == source && replaced.contains(file.path.as_str());
    let others: Vec<_> = stored.iter().filter(|file| !is_replaced(file)).cloned().collect();
    let after: Vec<_> = others.iter().cloned().chain(files.iter().map(|(file, ..)| file.clone())).collect();
    let rows = are_current(report, &after).then(|| total(store, report, &others, &mut files)).transpose()?;
    Ok(Prepared { files, removed, rows, source: (source, name), version, outcome, started })
}

fn total(
    store: &mut Store,
    report: &ReportConfig,
    others: &[ReportFileRow],
    files: &mut [FileChange],
) -> Result<Vec<GroupRow>> {
    let mut total = Total::new(&report.plan);
    for file in others.iter().filter(|file| is_current(report, file)) {
        add_stored(store, file, &mut total)?;
    }
    for (file, partial, _) in files.iter_mut().filter(|(file, ..)| is_current(report, file)) {
        match partial {
            Some((_, lines)) => lines.add_to(&mut total)?,
            None => add_stored(store, file, &mut total)?,
        }
    }
    Ok(rows(&total))
}

/// What is stored of a file from now on.
fn row_of(report: &ReportConfig, mut row: ReportFileRow, entry: &ManifestEntry, answer: Answer) -> FileChange {
    let reading = report.plan.digest().to_owned();
    match answer {
        Answer::Partial(head, lines) => {
            row.hash = Some(entry.hash.clone());
            row.reading = Some(reading);
            row.row_count = number(head.rows);
            row.passed_over = number(head.passed_over);
            row.rejects = number(head.rejected);
            row.groups = number(head.groups);
            row.state = FileState::Applied;
            (row.rejected_hash, row.rejected_reading, row.rejected_reason) = (None, None, None);
            let rejects = head.rejects.iter().map(reject_row).collect();
            (row, Some((head, lines)), rejects)
        }
        Answer::Rejected(reject) => {
            row.state = FileState::Rejected;
            row.rejected_hash = Some(entry.hash.clone());
            row.rejected_reading = Some(reading);
            row.rejected_reason = Some(reject.to_string());
            let reason = format!("the file is rejected: {}", reject.reason);
            let whole = RejectRow { line: number(reject.line), byte_offset: 0, reason, raw: reject.raw };
            (row, None, vec![whole])
        }
    }
}

/// Writes a change. Belongs into a transaction.
///
/// # Errors
/// The database or the spool fails.
pub(super) fn apply(store: &mut Store, report: &ReportConfig, mut prepared: Prepared) -> Result<()> {
    let mut rejects = 0;
    for (row, partial, reject_rows) in &mut prepared.files {
        let id = store.put_report_file(row)?;
        let is_whole = row.state == FileState::Rejected;
        store.replace_report_rejects(id, true, if is_whole { reject_rows } else { &[] })?;
        if let Some((head, lines)) = partial {
            store.replace_report_rejects(id, false, reject_rows)?;
            replace_partial(store, id, lines)?;
            rejects += head.rejected;
        }
    }
    for row in &prepared.removed {
        store.delete_report_file(row.id)?;
    }
    let (source_id, source) = &prepared.source;
    put_outcome(store, &report.name, *source_id, &prepared.outcome)?;
    let mut versions = SourceVersions::read(store, &report.name)?;
    versions.set(source, prepared.version.as_deref());
    let Some(rows) = prepared.rows else { return note_versions(store, report, &versions) };
    let groups = store.write_report(&report.table(), rows)?;
    note(store, report, groups, &versions, now())?;
    let seconds = prepared.started.elapsed().as_secs_f64();
    events::put(store, &Event::Report { name: report.name.clone(), rows: groups.unsigned_abs(), rejects, seconds })
}

fn replace_partial(store: &mut Store, id: i64, lines: &mut Lines) -> Result<()> {
    store.clear_partial(id)?;
    let mut part_no = 0;
    lines.each_piece(|piece| {
        store.add_partial_piece(id, part_no, piece)?;
        part_no += 1;
        Ok(())
    })
}

/// Notes what a report's table was written from and when.
pub(super) fn note(
    store: &mut Store,
    report: &ReportConfig,
    groups: i64,
    versions: &SourceVersions,
    computed_at: String,
) -> Result<()> {
    let (name, digest) = (report.name.clone(), report.plan.results_digest().to_owned());
    Ok(store.put_report(&ReportRow { name, digest, groups, computed_at, standing: versions.to_json()? })?)
}

/// Stores the versions of a report whose table stays as it is: from them `adopt` knows which sources have a share in the totals,
/// and people whether all of them have.
fn note_versions(store: &mut Store, report: &ReportConfig, versions: &SourceVersions) -> Result<()> {
    let Some(stored) = store.report(&report.name)? else { return Ok(()) };
    Ok(store.put_report(&ReportRow { standing: versions.to_json()?, ..stored })?)
}

/// Notes that a report is up to date with a version of a source that changes nothing for it. Call it in a transaction.
///
/// # Errors
/// The database fails.
pub(super) fn note_version(
    store: &mut Store,
    report: &ReportConfig,
    (source_id, source): &(i64, String),
    version: &str,
) -> Result<()> {
    put_outcome(store, &report.name, *source_id, &Outcome::Succeeded)?;
    let mut versions = SourceVersions::read(store, &report.name)?;
    if versions.get(source) == Some(version) {
        return Ok(());
    }
    versions.set(source, Some(version));
    note_versions(store, report, &versions)
}

fn reject_row(reject: &RowReject) -> RejectRow {
    RejectRow {
        line: number(reject.line),
        byte_offset: number(reject.byte),
        reason: reject.reason.clone(),
        raw: reject.raw.clone(),
    }
}

/// Databases count in `i64`; nothing that is counted here comes near its end.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
