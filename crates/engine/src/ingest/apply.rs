//! Applies one version of one source to the database, in one transaction. The hashes of what is applied are stored with the
//! rows, so a crash or a second try costs nothing but time.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use anyhow::Result;
use tributary_config::{Brake, PRODUCTS};
use tributary_merge::FileChanges;
use tributary_store::{FileRow, MAX_REJECTED_FILES, SourcePass, SourceState, Store};

use super::{
    Accepted, Catalog, FileVersion, Outcome,
    brake::{Held, HoldWait, Removals, TooMuch, hold},
    causes::{Cause, Reading},
    changes::{Skus, Written, choose_again, write_touched},
    convert::reject_rows,
    faults::Faults,
    feed::ProductTables,
    order,
    recorder::ChangeOrigin,
};
use crate::{
    clock::now,
    database::events::{self, AppliedVersion, Event},
    input::{FileUpdate, Findings, KnownFiles, ResultTables},
};

/// The files of one source that one pass has read, and those that are gone.
pub(crate) struct SourceVersion {
    /// The source's number in the database.
    pub(crate) source: i64,
    /// Its name.
    pub(crate) name: String,
    /// Its state before this pass.
    pub(crate) before: SourceState,
    /// The ids of the own columns that its files were read for.
    pub(crate) columns: Vec<i64>,
    /// When it is held because it takes too much away.
    pub(crate) brake: Brake,
    /// The wait of what is held, if this process has begun it.
    pub(crate) waits: Option<HoldWait>,
    /// Rows and rejects of the files that stay as they are.
    pub(crate) unchanged: RowCounts,
    /// Whether it is only a part of a version, the rest of which follows. Files that would take a sku away are left for that.
    pub(crate) is_part: bool,
    /// The skus that its source offered before any part of it; `None` if there were no parts.
    pub(crate) offered: Option<u64>,
    /// The version, if all of it was read. Otherwise the next pass must plan again.
    pub(crate) version: Option<String>,
    /// Files that were read, or tried.
    pub(crate) files: Vec<FileVersion>,
    /// Files that have their accepted content again.
    pub(crate) settled: Vec<FileRow>,
    /// Files that keep their content and get another rank.
    pub(crate) reranked: Vec<FileRow>,
    /// Files that are gone, or are no product feeds any more.
    pub(crate) removed: Vec<FileRow>,
    /// Paths of those that the source still lists.
    pub(crate) left_out: HashSet<String>,
    /// Whether the source failed, other than by files that kept changing.
    pub(crate) failed: bool,
    /// Its files that could not be read, as `path: reason`.
    pub(crate) faults: Faults,
    /// When the source was sensed, RFC 3339.
    pub(crate) sensed: String,
    /// When the pass began.
    pub(crate) started: Instant,
}

impl SourceVersion {
    /// Number of rows that it may touch: the offers of its files, and of those that are gone.
    pub(crate) fn rows(&self) -> usize {
        let offers = |file: &FileVersion| match &file.outcome {
            Outcome::Accepted(accepted) => accepted.offers.touched(),
            Outcome::Rejected { .. } | Outcome::Changing => 0,
        };
        let gone = self.removed.iter().map(|file| usize::try_from(file.results).unwrap_or_default());
        self.files.iter().map(offers).chain(gone).sum()
    }

    /// The files that are rejected as a whole, as path and reason.
    pub(crate) fn rejected(&self) -> impl Iterator<Item = (&str, String)> {
        self.files.iter().filter_map(|file| match &file.outcome {
            Outcome::Rejected { reject, .. } => Some((file.listed.entry.path.as_str(), reject.to_string())),
            Outcome::Accepted(_) | Outcome::Changing => None,
        })
    }

    /// Whether the source stays as it is held: only the rest of the version can be held again, or not.
    pub(crate) fn keeps_hold(&self) -> bool {
        self.is_part && self.before == SourceState::Held
    }

    /// Whether any file that could be read differs from what is stored.
    pub(crate) fn changes_files(&self) -> bool {
        let was_read = |file: &FileVersion| !matches!(file.outcome, Outcome::Changing);
        self.files.iter().any(was_read)
            || !(self.settled.is_empty() && self.reranked.is_empty() && self.removed.is_empty())
    }
}

/// Numbers of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowCounts {
    /// All rows, rejects included.
    pub(crate) rows: u64,
    /// The rejected ones.
    pub(crate) rejects: u64,
}

impl RowCounts {
    /// Words for it, if more rows are rejected than not.
    pub(crate) fn mostly_rejects(self) -> Option<String> {
        let Self { rows, rejects } = self;
        let is_so = rejects > rows.saturating_sub(rejects);
        is_so.then(|| format!("more rows are rejected than not ({rejects} of {rows}); the rejects say why"))
    }
}

impl std::ops::Add for RowCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, rejects: self.rejects + other.rejects }
    }
}

impl std::ops::Sub for RowCounts {
    type Output = Self;

    fn sub(self, part: Self) -> Self {
        Self { rows: self.rows.saturating_sub(part.rows), rejects: self.rejects.saturating_sub(part.rejects) }
    }
}

impl std::iter::Sum for RowCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// The result of applying a version.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    /// Changes of products.
    pub(crate) written: Written,
    /// Rejected rows of the files that were read. A file that is rejected without a look at its rows counts as one.
    pub(crate) rejected: u64,
    /// The state of the source now.
    pub(crate) state: SourceState,
    /// Everything that is wrong with the source now, for people.
    pub(crate) error: Option<String>,
    /// The held version, if this one was not applied for that.
    pub(crate) held: Option<Held>,
    /// Paths of the files of a part that were left for the rest.
    pub(crate) left: Vec<String>,
}

/// Applies a version in a transaction of its own, or holds it. Returns the read and settled files as they are stored then. Files
/// that did not change are not looked at, because there may be many.
///
/// # Errors
/// The database fails or is damaged; the columns of the catalog have changed since the files were read. Then nothing was applied.
pub(crate) fn apply(store: &mut Store, mut version: SourceVersion) -> Result<(Applied, KnownFiles)> {
    match store.transaction_of(version.rows(), |store| apply_in(store, &mut version)) {
        Err(error) => {
            let TooMuch(held) = error.downcast()?;
            Ok((hold(store, version, held)?, KnownFiles::default()))
        }
        applied => applied,
    }
}

/// Applies a version. Call it in a transaction in which nothing was written to products, offers or edits yet. The version loses its
/// files: there may be many thousands, and each is let go of once it is stored.
///
/// # Errors
/// As [`apply`]; the version must be held.
pub(crate) fn apply_in(store: &mut Store, version: &mut SourceVersion) -> Result<(Applied, KnownFiles)> {
    Catalog::of(store)?.check_read_for(&version.columns)?;
    let changed = version.changes_files();
    let StoredFiles { written, rejected, skus, files, left } = put_files(store, version)?;
    if !version.is_part {
        store.clear_held_version(version.source)?;
    }
    let rejected_files = store.rejected_files(PRODUCTS, version.source)?;
    if rejected_files.len() as i64 == MAX_REJECTED_FILES {
        let others = store.count_rejected_files(PRODUCTS, version.source)? - MAX_REJECTED_FILES;
        version.faults.more += usize::try_from(others).unwrap_or_default();
    }
    let mostly = files.rows().map(|file| counts(&file)).chain([version.unchanged]).sum::<RowCounts>().mostly_rejects();
    let state = match (version.failed, rejected_files.is_empty() && mostly.is_none()) {
        (true, _) => SourceState::Down,
        (false, false) => SourceState::Rejected,
        (false, true) => SourceState::Up,
    };
    let rejected_files = rejected_files.into_iter().map(|(path, reason)| match reason {
        Some(reason) => format!("{path} is rejected: {reason}"),
        None => format!("{path} is rejected"),
    });
    let error = version.faults.joined(rejected_files.chain(mostly));
    let changed = changed && !(version.is_part && files.is_empty());
    let applied = Applied { written, rejected, state, error, held: None, left };
    note(store, version, &applied, changed.then_some(skus))?;
    Ok((applied, files))
}

/// Rows and rejects of the accepted content of a file.
pub(crate) fn counts(file: &FileRow) -> RowCounts {
    RowCounts { rows: file.row_count.unsigned_abs(), rejects: file.rejects.unsigned_abs() }
}

/// The files of a version as they are stored now.
struct StoredFiles {
    written: Written,
    /// Rejects of the files that were read. A file that is rejected without a look at its rows counts as one.
    rejected: u64,
    /// Some of the products that changed.
    skus: Vec<String>,
    /// Their rows, without those that are gone.
    files: KnownFiles,
    /// Paths of those that were left for the rest of the version.
    left: Vec<String>,
}

/// Writes the files and their offers to the tables.
fn put_files(store: &mut Store, version: &mut SourceVersion) -> Result<StoredFiles> {
    let paths: Vec<&str> = version.files.iter().map(|file| file.listed.entry.path.as_str()).collect();
    let known = store.files_at(PRODUCTS, version.source, &paths)?;
    let mut known: HashMap<String, FileRow> = known.into_iter().map(|file| (file.path.clone(), file)).collect();
    let reorders = order::changes(store, version, &known)?;
    let (mut all_touched, mut causes) = (Vec::with_capacity(version.files.len()), Vec::new());
    let (mut rows, mut paths) = (KnownFiles::default(), HashMap::with_capacity(version.files.len()));
    let (mut rejected, mut left) = (0, Vec::new());
    let mut add = |row: &FileRow| {
        paths.insert(row.id, row.path.clone());
        rows.insert(row);
    };
    for row in &mut version.reranked {
        store.put_file(row)?;
        add(row);
    }
    for file in std::mem::take(&mut version.files) {
        let row = known.remove(&file.listed.entry.path);
        let row = row.unwrap_or_else(|| FileRow::new(PRODUCTS, version.source, &file.listed.entry.path));
        let (reading, rejects) = (Reading::of(&file, &row), rejects(&file.outcome));
        let may_take = version.is_part && row.id != 0;
        let path = if may_take { row.path.clone() } else { String::new() };
        let put = if may_take { put_unless_it_takes(store, row, file)? } else { Some(put_file(store, row, file)?) };
        let Some((row, touched)) = put else {
            left.push(path);
            continue;
        };
        rejected += rejects;
        causes.extend(touched.as_ref().and_then(|changes| Cause::of_read(&row, changes, reading)));
        all_touched.extend(touched);
        add(&row);
    }
    for row in &version.settled {
        let mut update = FileUpdate::settled(row.clone());
        update.write::<ProductTables>(store, None)?;
        add(&update.row);
    }
    for row in &version.removed {
        let changes = ProductTables::remove(store, row.id)?;
        causes.extend(Cause::of_removed(row, &changes, version.left_out.contains(&row.path)));
        all_touched.push(changes);
    }
    let mut removals = Removals::watch(store, version.source, &version.brake, &all_touched)?;
    paths.extend(version.removed.iter().map(|row| (row.id, row.path.clone())));
    let origin = ChangeOrigin::Version { source: version.name.clone(), files: paths };
    let (written, skus) = write_touched(store, &all_touched, removals.as_mut(), &origin)?;
    if let Some(removals) = removals {
        removals.check(store, version, &causes)?;
    }
    for row in &version.removed {
        store.delete_file(row.id)?;
    }
    let written = if reorders { written + choose_again(store, Skus::Contested, &origin)? } else { written };
    Ok(StoredFiles { written, rejected, skus, files: rows, left })
}

/// Records the pass, and an event with `changed` skus if it changed anything.
fn note(store: &mut Store, version: &SourceVersion, applied: &Applied, changed: Option<Vec<String>>) -> Result<()> {
    let is_changed = changed.is_some();
    if let Some(skus) = changed {
        let Written { added, updated, removed } = applied.written;
        let event = AppliedVersion {
            source: version.name.clone(),
            version: version.version.clone(),
            added,
            updated,
            removed,
            rejected: applied.rejected,
            skus,
            seconds: version.started.elapsed().as_secs_f64(),
        };
        events::put(store, &Event::Applied(event))?;
    }
    if version.keeps_hold() {
        return Ok(());
    }
    let pass = SourcePass {
        state: applied.state,
        error: applied.error.clone(),
        version: Some(version.version.clone()),
        last_sensed: Some(version.sensed.clone()),
        last_applied: is_changed.then(now),
    };
    note_pass(store, version.source, &version.name, version.before, &pass)
}

/// Records the end of a pass, and an event if the state differs from `before`.
///
/// # Errors
/// The database fails.
pub(crate) fn note_pass(
    store: &mut Store,
    source: i64,
    name: &str,
    before: SourceState,
    pass: &SourcePass,
) -> Result<()> {
    if pass.state != before {
        events::put(store, &Event::Source { name: name.to_owned(), state: pass.state.to_string() })?;
    }
    store.set_source_pass(source, pass)?;
    Ok(())
}

/// A file lacks skus that it had.
#[derive(Debug, thiserror::Error)]
#[error("the file takes skus away")]
struct TakesAway;

/// As [`put_file`], but stores nothing and returns `None` if the file takes skus away.
fn put_unless_it_takes(
    store: &mut Store,
    row: FileRow,
    file: FileVersion,
) -> Result<Option<(FileRow, Option<FileChanges>)>> {
    let put = store.savepoint(|store| {
        let put = put_file(store, row, file)?;
        let takes = put.1.as_ref().is_some_and(|changes| !changes.gone().is_empty());
        if takes { Err(anyhow::Error::new(TakesAway)) } else { Ok(put) }
    });
    match put {
        Err(error) if error.is::<TakesAway>() => Ok(None),
        put => put.map(Some),
    }
}

fn rejects(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Accepted(accepted) => accepted.rejects.total,
        Outcome::Rejected { rows, .. } => rows.total.max(1),
        Outcome::Changing => 0,
    }
}

/// Stores one file. Returns its row, and the skus that it touches if it was accepted.
fn put_file(store: &mut Store, row: FileRow, file: FileVersion) -> Result<(FileRow, Option<FileChanges>)> {
    let (mut update, offers) = match file.outcome {
        Outcome::Accepted(accepted) => {
            accepted.offers.check_since(row.hash.as_deref())?;
            (FileUpdate::accepted(row, (&*file.listed).into(), findings(&accepted)), Some(accepted.offers))
        }
        Outcome::Rejected { reject, rows } => {
            (FileUpdate::rejected(row, (&*file.listed).into(), &reject, reject_rows(&rows)), None)
        }
        Outcome::Changing => (FileUpdate::changing(row), None),
    };
    let changes = update.write::<ProductTables>(store, offers)?;
    Ok((update.row, changes))
}

fn findings(accepted: &Accepted) -> Findings<'_> {
    let Accepted { offers, rows, rejects, replaced, notes, format, .. } = accepted;
    Findings {
        rows: *rows,
        results: offers.offers() as u64,
        unused: *replaced,
        rejected: rejects.total,
        repaired: rejects.repaired,
        notes,
        format: Some(format),
        rejects: reject_rows(rejects),
    }
}
