//! The sums of a report's partials, kept in memory between two updates: those of many files in a few buckets. So an update costs what
//! it changes and not what there is. Sums are exact, so neither the order of files nor the buckets show in a total.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_report::{Total, TotalGroups};
use tributary_store::{FileRow, GroupRow, Store};

use super::total::{add_partial, add_stored, has_partial, is_stale, rows};
use crate::source::GroupLines;

/// Buckets of files. If a file changes, its bucket is summed again from its partials, and the total from the buckets.
const BUCKETS: usize = 512;
/// Groups in all buckets together above which nothing is kept: the memory of a report is bounded by its groups.
const MAX_KEPT_GROUPS: usize = 1 << 20;

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
    /// They are too large to be kept.
    TooLarge,
}

impl Kept {
    /// Follows an update that was committed.
    pub(super) fn follow(mut self, files: &[FileRow], sources: &[String]) -> Self {
        if let Self::Sums(sums) = &mut self {
            sums.follow(files, sources);
        }
        self
    }
}

/// The sums of all files of a report.
pub(super) struct Sums {
    buckets: Vec<Bucket>,
    /// The sum of the buckets, if it is known.
    total: Option<TotalGroups>,
    /// Names of the sources of these files.
    sources: Vec<String>,
}

#[derive(Default, Clone)]
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
    /// Sums up what is stored; none if it is too large to be kept.
    ///
    /// # Errors
    /// The database fails or is damaged; there are too many groups.
    pub(super) fn read(store: &mut Store, report: &ReportConfig) -> Result<Option<Self>> {
        let sources = store.sources_of_reader(&report.reader())?;
        let mut sums = Self { buckets: vec![Bucket::default(); BUCKETS], total: None, sources };
        let mut groups = 0;
        for row in store.files_of_reader(&report.reader())? {
            let bucket = &mut sums.buckets[bucket_of(&row)];
            groups -= bucket.len();
            bucket.add(store, report, &row, None)?;
            groups += bucket.len();
            if groups > MAX_KEPT_GROUPS {
                return Ok(None);
            }
        }
        Ok(Some(sums))
    }

    /// Whether the files are of these sources: nobody has dropped one meanwhile.
    pub(super) fn are_of(&self, sources: &[String]) -> bool {
        self.sources == sources
    }

    /// Takes in changed files, each with the groups of its new partial unless the stored one stays, and forgets removed ones.
    ///
    /// # Errors
    /// The database fails or is damaged; there are too many groups. Then the sums are of no use any more.
    pub(super) fn update<'a>(
        &mut self,
        store: &mut Store,
        report: &ReportConfig,
        changed: impl Iterator<Item = (&'a FileRow, Option<&'a mut GroupLines>)>,
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
            self.buckets[*at].sum_again(store, report)?;
        }
        for (row, lines) in &mut changed {
            if let Some(lines) = lines
                && has_partial(report, row)
                && let Some(total) = self.total.take_if(|_| outdated.is_empty())
            {
                let mut total = Total::of(&report.plan, total);
                lines.add_to(&mut total)?;
                self.total = Some(total.into_groups());
            }
            self.buckets[bucket_of(row)].add(store, report, row, lines.as_deref_mut())?;
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

    /// The rows of the report; none if they must stay as they are, because a file is stale.
    ///
    /// # Errors
    /// There are too many groups.
    pub(super) fn rows(&mut self, report: &ReportConfig) -> Result<Option<Vec<GroupRow>>> {
        if self.shares().any(|share| share.is_stale) {
            return Ok(None);
        }
        let total = match self.total.take() {
            Some(groups) => Total::of(&report.plan, groups),
            None => {
                let mut total = Total::new(&report.plan);
                let mut buckets = self.buckets.iter().filter_map(|bucket| bucket.groups.as_ref());
                buckets.try_for_each(|groups| total.add_all(groups))?;
                total
            }
        };
        let rows = rows(&total);
        self.total = Some(total.into_groups());
        Ok(Some(rows))
    }

    /// All rejects of the files.
    pub(super) fn rejects(&self) -> i64 {
        self.shares().map(|share| share.rejects).sum()
    }

    /// Whether they are too large to be kept.
    pub(super) fn are_too_large(&self) -> bool {
        self.buckets.iter().map(Bucket::len).sum::<usize>() > MAX_KEPT_GROUPS
    }

    fn shares(&self) -> impl Iterator<Item = &Share> {
        self.buckets.iter().flat_map(|bucket| bucket.files.values())
    }
}

impl Bucket {
    fn len(&self) -> usize {
        self.groups.as_ref().map_or(0, TotalGroups::len)
    }

    /// Adds a file that is not in the bucket.
    fn add(
        &mut self,
        store: &mut Store,
        report: &ReportConfig,
        row: &FileRow,
        lines: Option<&mut GroupLines>,
    ) -> Result<()> {
        let (has_partial, is_stale) = (has_partial(report, row), is_stale(report, row));
        if has_partial {
            let mut total = Total::of(&report.plan, self.groups.take().unwrap_or_default());
            match lines {
                Some(lines) => lines.add_to(&mut total)?,
                None => add_stored(store, row, &mut total)?,
            }
            self.groups = Some(total.into_groups());
        }
        let share = Share { id: row.id, rejects: row.rejects, has_partial, is_stale };
        self.files.insert((row.source_id, row.path.clone()), share);
        Ok(())
    }

    /// Sums up the stored partials of its files.
    fn sum_again(&mut self, store: &mut Store, report: &ReportConfig) -> Result<()> {
        let mut total = Total::new(&report.plan);
        for ((_, path), share) in self.files.iter().filter(|(_, share)| share.has_partial) {
            add_partial(store, (share.id, path), &mut total)?;
        }
        self.groups = Some(total.into_groups());
        Ok(())
    }
}

fn bucket_of(row: &FileRow) -> usize {
    let mut hasher = DefaultHasher::new();
    (row.source_id, &row.path).hash(&mut hasher);
    usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or_default()
}
