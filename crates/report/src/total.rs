//! Totals: a report's results for several files, to which their partials are added, and the rows that come out.

use std::{io, sync::Arc};

use tributary_budget::Budget;
use tributary_protocol::GroupLine;

use crate::{
    groups::{DoneGroups, Full, Groups, MAX_GROUPS, MAX_KEY_BYTES, Part, Parts, Runs, texts},
    number::Number,
    plan::{Metric, MetricSource, ReportPlan},
    room::{Lease, Room},
};

/// A report's result for several files.
pub struct Total<'a> {
    plan: &'a ReportPlan,
    groups: Groups,
    /// Bytes that the groups may take even if there is no room.
    least: usize,
    /// Files for the groups that memory has no room for.
    room: Option<&'a Room>,
    runs: Runs,
}

/// The groups of a total apart from their plan, to be kept and added to other totals of the same plan.
pub struct TotalGroups(Groups);

impl TotalGroups {
    /// No groups of a plan, whose memory counts against a budget.
    #[must_use]
    pub fn new(plan: &ReportPlan, budget: &Arc<Budget>) -> Self {
        Self(Groups::with_lease(plan, Lease::new(Arc::clone(budget))))
    }

    /// Bytes that they take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// The reason why a group cannot be added to a total.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The group comes from another report or another version, or is damaged.
    #[error("a group of a partial cannot be read")]
    Unreadable,
    /// The total would have more groups, or more text in their keys, than a report may have.
    #[error(
        "there are more than {MAX_GROUPS} groups, or {} MiB of their names: group by something that more rows have in common",
        MAX_KEY_BYTES >> 20
    )]
    TooMany,
    /// There is no room for groups that are kept in memory.
    #[error("there is no room for the groups in memory")]
    NoRoom,
    /// Groups for which there is no room go to temporary files, and that failed.
    #[error(
        "the groups of the report take more memory than there is for them, and they cannot be moved to a temporary file: {0}"
    )]
    File(#[from] io::Error),
}

impl From<Full> for AddError {
    fn from(full: Full) -> Self {
        match full {
            Full::Groups => Self::TooMany,
            Full::Memory => Self::NoRoom,
            Full::File(error) => Self::File(error),
        }
    }
}

impl<'a> Total<'a> {
    /// Creates the total of no files. If its plan has a [`Room`], groups beyond it go to files.
    #[must_use]
    pub fn new(plan: &'a ReportPlan) -> Self {
        let room = plan.room.as_ref();
        Self { plan, groups: Groups::new(plan), least: room.map_or(0, Room::least), room, runs: Runs::default() }
    }

    /// Creates a total that has these groups, which are of the same plan. All of its groups stay in memory. If their budget is used up,
    /// they may take `least` bytes nevertheless.
    #[must_use]
    pub fn of(plan: &'a ReportPlan, TotalGroups(groups): TotalGroups, least: usize) -> Self {
        Self { plan, groups, least, room: None, runs: Runs::default() }
    }

    /// The groups of a total that [`Self::of`] has made.
    #[must_use]
    pub fn into_groups(self) -> TotalGroups {
        TotalGroups(self.groups)
    }

    /// Adds a group of a partial of the same plan.
    ///
    /// # Errors
    /// [`AddError`]; the total is then unchanged.
    pub fn add(&mut self, GroupLine(texts, rows, parts): &GroupLine) -> Result<(), AddError> {
        let key = self.plan.key(texts).ok_or(AddError::Unreadable)?;
        let parts = self.plan.parts(parts).ok_or(AddError::Unreadable)?;
        self.merge(|groups, is_forced| groups.merge(&key, (*rows, &parts), is_forced))
    }

    /// Adds groups of the same plan.
    ///
    /// # Errors
    /// All but [`AddError::Unreadable`].
    pub fn add_all(&mut self, TotalGroups(others): &TotalGroups) -> Result<(), AddError> {
        (0..others.len())
            .try_for_each(|other| self.merge(|groups, is_forced| groups.merge_other(others, other, is_forced)))
    }

    /// Merges a group with `merge`, which is told whether there must be room for it.
    fn merge(&mut self, mut merge: impl FnMut(&mut Groups, bool) -> Result<(), Full>) -> Result<(), AddError> {
        let is_forced = self.groups.len() == 0 || self.groups.bytes() < self.least;
        match (merge(&mut self.groups, is_forced), self.room) {
            (Err(Full::Memory), Some(room)) => {
                let full = std::mem::replace(&mut self.groups, Groups::new(self.plan));
                self.runs.push(Parts(vec![full]), self.plan, room)?;
                Ok(merge(&mut self.groups, true)?)
            }
            (merged, _) => Ok(merged?),
        }
    }

    /// The rows of the report.
    ///
    /// # Errors
    /// [`AddError::TooMany`] or [`AddError::File`], if groups are in files.
    pub fn finish(mut self) -> Result<TotalRows, AddError> {
        let groups = Parts(vec![self.groups]);
        let groups = match self.room.filter(|_| !self.runs.is_empty()) {
            None => DoneGroups::in_memory(groups),
            Some(room) => {
                self.runs.push(groups, self.plan, room)?;
                DoneGroups::in_file(self.runs.merged(self.plan, room, &mut || true)?)
            }
        };
        Ok(TotalRows::of(groups, self.plan.group_by.len()))
    }
}

/// The rows of a report, in byte order of their keys.
pub struct TotalRows {
    groups: DoneGroups,
    /// Whether there is one row, even for no files.
    is_one: bool,
}

impl TotalRows {
    /// The rows of groups with so many texts in a key.
    pub(crate) fn of(groups: DoneGroups, keys: usize) -> Self {
        Self { groups, is_one: keys == 0 }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.is_one { 1 } else { self.groups.len() }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `take` for each row of the `plan` that made them, with the texts of the key and the values of the metrics. A metric over no
    /// values is none. Without `group_by` there is one row, even for no files.
    ///
    /// # Errors
    /// The first error of `take`, which ends the iteration; many groups are in a file, which cannot be read.
    pub fn each<E: From<io::Error>>(
        &self,
        plan: &ReportPlan,
        mut take: impl FnMut(Vec<String>, Vec<Option<Number>>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_one && self.groups.len() == 0 {
            let parts: Vec<_> = plan.parts.iter().map(|part| Part::new(part.kind)).collect();
            return take(Vec::new(), plan.values(0, &parts));
        }
        let keys = plan.group_by.len();
        self.groups.each(|key, rows, parts| take(texts(key, keys), plan.values(rows, parts)))
    }

    /// The groups of a total that [`Total::of`] has made; `None` if they are in a file.
    #[must_use]
    pub fn into_groups(self) -> Option<TotalGroups> {
        match self.groups {
            DoneGroups::InMemory(Parts(mut parts), _) => parts.pop().map(TotalGroups),
            DoneGroups::InFile(_) => None,
        }
    }
}

impl ReportPlan {
    /// The values of the metrics of a group.
    fn values(&self, rows: u64, parts: &[Part]) -> Vec<Option<Number>> {
        let value = |Metric { from, .. }: &Metric| match from {
            MetricSource::Rows => Some(Number::integer(rows.into())),
            MetricSource::Part(part) => parts[*part].value(),
            MetricSource::Mean(part) => match &parts[*part] {
                Part::Sum(sum) => sum.mean().map(Number::Float),
                Part::Least(_) | Part::Greatest(_) => None,
            },
        };
        self.metrics.iter().map(value).collect()
    }
}
