//! A report as SQL, for an engine that reads the files itself. Only what such an engine computes to the last digit is written: plain files
//! ([`PlainTable`]), formulas whose values have few enough digits for exact decimals, and no dates. For all else there is a reason
//! ([`NotSql`]), and the kernel computes it.
//!
//! It belongs here if it turns a plan into SQL or rows of the result into groups. Tables, connections and files do not.

mod answer;
mod digits;
mod expression;
mod file;
mod query;

pub use answer::{SqlGroups, SqlPart, SqlRow, SqlState};
pub use file::{SqlColumn, SqlFile};
pub use query::SqlQuery;

use crate::{
    formula::Formula,
    plan::{PartKind, ReportPlan},
};

/// The reason why a report over a file is not computed by SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSql(pub(crate) String);

impl NotSql {
    /// This reason, which is found elsewhere.
    #[must_use]
    pub fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// The kind of a value that a query gives for each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlPartKind {
    /// Two columns: the sum as a decimal, and the count of its numbers.
    Sum,
    /// One column: the least or the greatest number.
    Extreme,
}

impl ReportPlan {
    /// Checks that there are files over which SQL computes the report.
    ///
    /// # Errors
    /// Whatever the files hold, SQL does not give the same.
    pub fn check_sql(&self) -> Result<(), NotSql> {
        if self.group_by.iter().any(|group| group.date.is_some()) {
            return Err(NotSql("it groups by dates".to_owned()));
        }
        self.formulas.iter().try_for_each(expression::check)?;
        let conditions = self.filter.iter().chain(&self.check).map(|(condition, _)| condition);
        conditions.into_iter().try_for_each(expression::check_condition)
    }

    /// The kinds of the values of each group, in the order of the columns of a query's result.
    pub fn sql_parts(&self) -> impl Iterator<Item = SqlPartKind> {
        self.parts.iter().map(|part| match part.kind {
            PartKind::Sum => SqlPartKind::Sum,
            PartKind::Least | PartKind::Greatest => SqlPartKind::Extreme,
        })
    }

    fn formula(&self, part: usize) -> &Formula {
        &self.formulas[self.parts[part].formula]
    }
}

#[cfg(test)]
mod tests;
