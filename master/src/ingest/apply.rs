//! Apply: one version of one source into the database, in one transaction. What is applied is stored with its rows, which
//! alone makes a crash or a second try cost nothing but time.

use std::collections::HashMap;

use anyhow::{Context, Result};
use tributary_merge::{Run, Touched, plan_pages, touched};
use tributary_store::{FileRow, FileState, PageRow, RejectRow, SourcePass, SourceState, Store};

use super::{
    Accepted, FileVersion, Outcome,
    changes::{Written, write_touched},
    convert::{number, reject_row},
};

/// What one pass brings of one source.
pub(crate) struct SourceVersion {
    /// The source's number in the database.
    pub(crate) source: i64,
    /// How its files were read.
    pub(crate) reading: String,
    /// The version, if all of it is here: else the next pass must plan again.
    pub(crate) version: Option<String>,
    /// The files that were to be read.
    pub(crate) files: Vec<FileVersion>,
    /// Files that hold their accepted content again.
    pub(crate) settled: Vec<FileRow>,
    /// Files that are gone.
    pub(crate) removed: Vec<FileRow>,
    /// Whether the source failed in something, beyond files that kept changing.
    pub(crate) failed: bool,
    /// What could not be read, for people.
    pub(crate) error: Option<String>,
    /// When the source was sensed, RFC 3339.
    pub(crate) sensed: String,
}

/// What an apply did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    /// Products written.
    pub(crate) written: Written,
    /// Rejected rows in the files that were accepted.
    pub(crate) rejected: u64,
    /// Every file of the source that is rejected now: path and reason.
    pub(crate) rejected_files: Vec<(String, String)>,
}

/// Applies a version. Must be called outside of any transaction.
///
/// # Errors
/// The database fails or is damaged; then nothing of the version holds.
pub(crate) fn apply(store: &mut Store, version: SourceVersion) -> Result<Applied> {
    store.transaction(|store| apply_in(store, version))
}

fn apply_in(store: &mut Store, version: SourceVersion) -> Result<Applied> {
    let mut known: HashMap<String, FileRow> =
        store.files(version.source)?.into_iter().map(|file| (file.path.clone(), file)).collect();
    let changed = !(version.files.is_empty() && version.settled.is_empty() && version.removed.is_empty());
    let mut applied = Applied::default();
    let mut all_touched = Vec::new();
    for file in version.files {
        let row = match known.remove(&file.entry.path) {
            Some(row) => row,
            None => store.insert_file(version.source, &file.entry.path)?,
        };
        if let Outcome::Accepted(accepted) = &file.outcome {
            applied.rejected += accepted.rejected;
        }
        all_touched.extend(put_file(store, row, &file, &version.reading)?);
    }
    for row in version.settled {
        settle(store, row)?;
    }
    for row in &version.removed {
        all_touched.push(put_pages(store, row.id, None)?);
    }
    applied.written = write_touched(store, all_touched)?;
    for row in &version.removed {
        store.delete_file(row.id)?;
    }
    applied.rejected_files = rejected_files(store, version.source)?;
    let state = match (version.failed, applied.rejected_files.is_empty()) {
        (true, _) => SourceState::Down,
        (false, false) => SourceState::Rejected,
        (false, true) => SourceState::Up,
    };
    let last_applied = changed.then(now);
    let pass = SourcePass {
        state,
        error: version.error,
        version: Some(version.version),
        last_sensed: Some(version.sensed),
        last_applied,
    };
    store.set_source_pass(version.source, &pass)?;
    Ok(applied)
}

/// The time, as the database keeps it.
pub(crate) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn rejected_files(store: &mut Store, source: i64) -> Result<Vec<(String, String)>> {
    let rejected =
        |file: FileRow| Some((file.path, file.rejected_reason.filter(|_| file.state == FileState::Rejected)?));
    Ok(store.files(source)?.into_iter().filter_map(rejected).collect())
}

/// Stores what became of one file. Returns the skus that it touches, if it was accepted.
fn put_file(store: &mut Store, mut row: FileRow, file: &FileVersion, reading: &str) -> Result<Option<Touched>> {
    match &file.outcome {
        Outcome::Accepted(accepted) => {
            accept(&mut row, file, accepted, reading);
            store.update_file(&row)?;
            store.replace_rejects(row.id, true, &[])?;
            store.replace_rejects(row.id, false, &accepted.rejects.iter().map(reject_row).collect::<Vec<_>>())?;
            put_pages(store, row.id, Some(&accepted.run)).map(Some)
        }
        Outcome::Rejected(reject) => {
            row.state = FileState::Rejected;
            row.rejected_hash = Some(file.entry.hash.clone());
            row.rejected_reading = Some(reading.to_owned());
            row.rejected_reason = Some(reject.to_string());
            store.update_file(&row)?;
            let reason = format!("the file is rejected: {}", reject.reason);
            let whole = RejectRow { line: number(reject.line), byte_offset: 0, reason, raw: reject.raw.clone() };
            store.replace_rejects(row.id, true, &[whole])?;
            Ok(None)
        }
        Outcome::Changing => {
            row.state = FileState::Changing;
            store.update_file(&row)?;
            Ok(None)
        }
    }
}

fn accept(row: &mut FileRow, file: &FileVersion, accepted: &Accepted, reading: &str) {
    row.hash = Some(file.entry.hash.clone());
    row.reading = Some(reading.to_owned());
    row.size_bytes = number(file.entry.size);
    row.row_count = number(accepted.rows);
    row.offers = number(accepted.run.offers() as u64);
    row.rejects = number(accepted.rejected);
    row.state = FileState::Applied;
    (row.rejected_hash, row.rejected_reading, row.rejected_reason) = (None, None, None);
}

/// The file holds its accepted content again: whatever was said against another content is void.
fn settle(store: &mut Store, mut row: FileRow) -> Result<()> {
    row.state = FileState::Applied;
    (row.rejected_hash, row.rejected_reading, row.rejected_reason) = (None, None, None);
    store.update_file(&row)?;
    store.replace_rejects(row.id, true, &[])?;
    Ok(())
}

/// Brings the file's stored pages up to its run (none: the file is gone) and says which skus that touches.
pub(super) fn put_pages(store: &mut Store, file: i64, run: Option<&Run>) -> Result<Touched> {
    let stored = store.page_digests(file)?;
    let plan = plan_pages(run, &stored);
    let differing = store.page_entries(file, &plan.differing)?;
    let touched = touched(file, run, &plan, &differing)
        .with_context(|| format!("failed to compare file {file} with what is applied"))?;
    store.delete_pages(file, &plan.dropped)?;
    let pages = run.map(|run| run.pages()).unwrap_or_default();
    let row = |index: &usize| {
        let page = &pages[*index];
        PageRow {
            first_sku: page.first_sku.clone(),
            digest: page.digest.clone(),
            entries: page.entries.clone(),
            lines: page.lines.clone(),
        }
    };
    store.insert_pages(file, &plan.written.iter().map(row).collect::<Vec<_>>())?;
    Ok(touched)
}
