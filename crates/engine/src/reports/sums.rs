//! The sums of a report's partials, kept in memory between two updates: those of many files in a few buckets. So an update costs what
//! it changes and not what there is. Sums are exact, so neither the order of files nor the buckets show in a total.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use anyhow::Result;
use tributary_budget::Budget;
use tributary_config::ReportConfig;
use tributary_report::{AddError, Total, TotalGroups, TotalRows};
use tributary_store::{FileRow, Store};

use super::{
    memory::KeptMemory,
    total::{add_partial, add_stored, has_partial, is_stale},
};
use crate::source::GroupLines;

/// Buckets of files. If a file changes, its bucket is summed again from its partials, and the total from the buckets.
const BUCKETS: usize = 512;

/// The sums of a report, as far as they are known.
#[derive(Default)]
pub(super) enum Kept {
    /// No update has needed them yet. The first one is cheaper without them, and `master --once` makes only one.
    #[default]
    Unused,
    /// The next update reads them from the database.
    Unknown,
    /// Those of all files as they are stored.
    Sums(Box<Sums>),
    /// There was no room for more than these bytes of them.
    TooLarge(usize),
}

/// The result of an update.
pub(super) struct Summed {
    /// The rows of the report; `None` if they must stay as they are, because a file is stale.
    pub(super) rows: Option<TotalRows>,
    /// All rejects of the files.
    pub(super) rejects: i64,
}

/// A changed file with the groups of its new partial, unless the stored one stays.
type Changed<'a> = (&'a FileRow, Option<&'a mut GroupLines>);

impl Kept {
    /// Takes in an update of a report with files of these sources. Returns its result, unless every
    /// partial has to be read for that.
    ///
    /// # Errors
    /// The database fails or is damaged; there are too many groups.
    pub(super) fn update<'a>(
        self,
        store: &mut Store,
        report: &ReportConfig,
        (memory, sources): (&KeptMemory, &[String]),
        (changed, removed): (impl Iterator<Item = Changed<'a>>, &[FileRow]),
    ) -> Result<(Option<Summed>, Self)> {
        let known = match self {
            Self::Unused => return Ok((None, Self::Unknown)),
            Self::TooLarge(bytes) if !has_room(&memory.budget, bytes) => return Ok((None, self)),
            // Nobody has dropped a source meanwhile.
            Self::Sums(sums) if sums.sources == sources => Some(sums),
            _ => None,
        };
        let is_known = known.is_some();
        let mut sums = known.unwrap_or_else(|| Box::new(Sums::new(memory, sources)));
        let read = if is_known { Ok(()) } else { sums.read(store, report) };
        let updated = read.and_then(|()| sums.update(store, report, changed, removed));
        match updated.and_then(|()| sums.rows(report)) {
            Ok(rows) => Ok((Some(Summed { rows, rejects: sums.rejects() }), Self::Sums(sums))),
            Err(error) if matches!(error.downcast_ref(), Some(AddError::NoRoom)) => {
                Ok((None, Self::TooLarge(sums.bytes())))
            }
            Err(error) => Err(error),
        }
    }

    /// Follows an update that was committed: its changed files as they are stored, and all sources of the report's files. Takes back
    /// the rows that were written.
    pub(super) fn follow(mut self, files: &[FileRow], sources: &[String], rows: Option<TotalRows>) -> Self {
        if let Self::Sums(sums) = &mut self {
            sums.follow(files, sources);
            if let Some(rows) = rows {
                sums.put_back(rows);
            }
        }
        self
    }
}

/// Whether sums that once found no room for more than these bytes may find it now.
fn has_room(budget: &Budget, bytes: usize) -> bool {
    budget.bytes().saturating_sub(budget.taken()) / 2 > bytes as u64
}

/// The sums of all files of a report.
pub(super) struct Sums {
    buckets: Vec<Bucket>,
    /// The sum of the buckets, if it is known.
    total: Option<TotalGroups>,
    /// Names of the sources of these files.
    sources: Vec<String>,
    memory: KeptMemory,
}

#[derive(Default)]
struct Bucket {
    /// By the id of the source and the path.
    files: HashMap<(i64, String), Share>,
    /// None while no file has a partial.
    groups: Option<TotalGroups>,
}

/// The share of a file in a bucket.
#[derive(Clone, Copy)]
struct Share {
    id: i64,
    rejects: i64,
    has_partial: bool,
    is_stale: bool,
}

impl Sums {
    /// The sums of no files of these sources.
    fn new(memory: &KeptMemory, sources: &[String]) -> Self {
        let buckets = (0..BUCKETS).map(|_| Bucket::default()).collect();
        Self { buckets, total: None, sources: sources.to_vec(), memory: memory.clone() }
    }

    /// Sums up what is stored.
    ///
    /// # Errors
    /// The database fails or is damaged; there are too many groups, or there is no room for them.
    fn read(&mut self, store: &mut Store, report: &ReportConfig) -> Result<()> {
        store.files_of_reader(&report.reader())?.iter().try_for_each(|row| self.add(store, report, row, None))
    }

    /// Adds a file that is in no bucket.
    fn add(
        &mut self,
        store: &mut Store,
        report: &ReportConfig,
        row: &FileRow,
        lines: Option<&mut GroupLines>,
    ) -> Result<()> {
        let free = self.free();
        self.buckets[bucket_of(row)].add((store, report), (&self.memory.budget, free), row, lines)
    }

    /// Bytes of all groups.
    fn bytes(&self) -> usize {
        self.buckets.iter().filter_map(|bucket| bucket.groups.as_ref()).chain(&self.total).map(TotalGroups::bytes).sum()
    }

    /// Bytes that they may take even if there is no room.
    fn free(&self) -> usize {
        self.memory.least.saturating_sub(self.bytes())
    }

    /// Takes in changed files, each with the groups of its new partial unless the stored one stays, and forgets removed ones.
    ///
    /// # Errors
    /// The database fails or is damaged; there are too many groups, or there is no room for them. Then the sums are of no use any more.
    fn update<'a>(
        &mut self,
        store: &mut Store,
        report: &ReportConfig,
        changed: impl Iterator<Item = Changed<'a>>,
        removed: &[FileRow],
    ) -> Result<()> {
        let mut changed: Vec<_> = changed.collect();
        let mut outdated: Vec<usize> = Vec::new();
        for row in changed.iter().map(|(row, _)| *row).chain(removed) {
            let share = self.buckets[bucket_of(row)].files.remove(&(row.source_id, row.path.clone()));
            outdated.extend(share.filter(|share| share.has_partial).map(|_| bucket_of(row)));
        }
        outdated.sort_unstable();
        outdated.dedup();
        for at in &outdated {
            let free = self.free();
            self.buckets[*at].sum_again((store, report), (&self.memory.budget, free))?;
        }
        for (row, lines) in &mut changed {
            if let Some(lines) = lines
                && has_partial(report, row)
                && let Some(total) = self.total.take_if(|_| outdated.is_empty())
            {
                let mut total = Total::of(&report.plan, total, self.free());
                let added = lines.add_to(&mut total);
                self.total = Some(total.into_groups());
                added?;
            }
            self.add(store, report, row, lines.as_deref_mut())?;
        }
        let is_settled = changed.iter().any(|(row, lines)| lines.is_none() && has_partial(report, row));
        if !outdated.is_empty() || is_settled {
            self.total = None;
        }
        Ok(())
    }

    /// Follows the commit of an update: changed files have ids now, and sources that had none may have files.
    fn follow(&mut self, rows: &[FileRow], sources: &[String]) {
        for row in rows {
            let files = &mut self.buckets[bucket_of(row)].files;
            if let Some(share) = files.get_mut(&(row.source_id, row.path.clone())) {
                share.id = row.id;
            }
        }
        self.sources = sources.to_vec();
    }

    /// Puts back the total that rows have taken with them.
    pub(super) fn put_back(&mut self, rows: TotalRows) {
        self.total = rows.into_groups();
    }

    /// The rows of the report, which take the total with them until they are written; none if they must stay as they are, because a
    /// file is stale.
    ///
    /// # Errors
    /// There are too many groups, or there is no room for them.
    pub(super) fn rows(&mut self, report: &ReportConfig) -> Result<Option<TotalRows>> {
        if self.shares().any(|share| share.is_stale) {
            return Ok(None);
        }
        if self.total.is_none() {
            let mut total = Total::of(&report.plan, TotalGroups::new(&report.plan, &self.memory.budget), self.free());
            let mut buckets = self.buckets.iter().filter_map(|bucket| bucket.groups.as_ref());
            let added = buckets.try_for_each(|groups| total.add_all(groups));
            self.total = Some(total.into_groups());
            added?;
        }
        let total = self.total.take().map(|groups| Total::of(&report.plan, groups, 0));
        Ok(total.map(Total::finish).transpose()?)
    }

    /// All rejects of the files.
    fn rejects(&self) -> i64 {
        self.shares().map(|share| share.rejects).sum()
    }

    fn shares(&self) -> impl Iterator<Item = &Share> {
        self.buckets.iter().flat_map(|bucket| bucket.files.values())
    }
}

impl Bucket {
    /// Adds a file that is not in the bucket. Its groups count against the budget, beyond which they may grow by `free` bytes.
    fn add(
        &mut self,
        (store, report): (&mut Store, &ReportConfig),
        (budget, free): (&Arc<Budget>, usize),
        row: &FileRow,
        lines: Option<&mut GroupLines>,
    ) -> Result<()> {
        let (has_partial, is_stale) = (has_partial(report, row), is_stale(report, row));
        if has_partial {
            let groups = self.groups.take().unwrap_or_else(|| TotalGroups::new(&report.plan, budget));
            let least = groups.bytes() + free;
            let mut total = Total::of(&report.plan, groups, least);
            let added = match lines {
                Some(lines) => lines.add_to(&mut total),
                None => add_stored(store, row, &mut total),
            };
            self.groups = Some(total.into_groups());
            added?;
        }
        let share = Share { id: row.id, rejects: row.rejects, has_partial, is_stale };
        self.files.insert((row.source_id, row.path.clone()), share);
        Ok(())
    }

    /// Sums up the stored partials of its files.
    fn sum_again(
        &mut self,
        (store, report): (&mut Store, &ReportConfig),
        (budget, free): (&Arc<Budget>, usize),
    ) -> Result<()> {
        self.groups = None;
        let mut total = Total::of(&report.plan, TotalGroups::new(&report.plan, budget), free);
        let mut files = self.files.iter().filter(|(_, share)| share.has_partial);
        let added = files.try_for_each(|((_, path), share)| add_partial(store, (share.id, path), &mut total));
        self.groups = Some(total.into_groups());
        added
    }
}

fn bucket_of(row: &FileRow) -> usize {
    let mut hasher = DefaultHasher::new();
    (row.source_id, &row.path).hash(&mut hasher);
    usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or_default()
}
