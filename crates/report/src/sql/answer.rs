//! The rows of a query's result as the groups of partials. They come from another program, so nothing in them is believed.

use tributary_protocol::{GroupLine, PartialHead};

use super::{NotSql, SqlFile};
use crate::{
    number::Number,
    partial::IncomingPartial,
    plan::{PartKind, ReportPlan},
    sum::Sum,
};

/// The rows that a row of the result stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlState {
    /// `where` leaves them out.
    Skipped,
    /// They are a group.
    Used,
    /// `check` rejects them.
    Rejected,
}

impl SqlState {
    /// The state with this number in a result.
    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Skipped),
            1 => Some(Self::Used),
            2 => Some(Self::Rejected),
            _ => None,
        }
    }
}

/// One row of the result. Decimals are all digits and the number of those behind the point.
#[derive(Debug, Clone)]
pub struct SqlRow {
    /// The state of the rows.
    pub state: SqlState,
    /// The key, if they are a group.
    pub key: Vec<String>,
    /// Their number.
    pub rows: u64,
    /// The values, if they are a group.
    pub parts: Vec<SqlPart>,
}

/// One value of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlPart {
    /// A sum, and the count of its numbers.
    Sum(Option<(i128, u32)>, u64),
    /// The least or the greatest number.
    Extreme(Option<(i128, u32)>),
}

/// The groups of one file.
pub struct SqlGroups<'a> {
    plan: &'a ReportPlan,
    incoming: IncomingPartial<'a>,
    /// The rows of the file.
    rows: u64,
    seen: u64,
    skipped: u64,
    rejected: u64,
}

impl<'a> SqlGroups<'a> {
    /// The groups of a file, of which none has come yet.
    #[must_use]
    pub fn new(plan: &'a ReportPlan, file: &SqlFile) -> Self {
        let incoming = IncomingPartial::uncounted(plan, file.rows);
        Self { plan, incoming, rows: file.rows, seen: 0, skipped: 0, rejected: 0 }
    }

    /// Takes the next row of the result. Returns a group, if it is one.
    ///
    /// # Errors
    /// It is not one of this report, or not behind the one before.
    pub fn take(&mut self, row: SqlRow) -> Result<Option<GroupLine>, NotSql> {
        if row.rows == 0 {
            // Over a file without rows, a query without keys may be taken for one without groups, which has one row all the same.
            return Ok(None);
        }
        self.seen = self.seen.saturating_add(row.rows);
        match row.state {
            SqlState::Skipped => self.skipped = self.skipped.saturating_add(row.rows),
            SqlState::Rejected => self.rejected = self.rejected.saturating_add(row.rows),
            SqlState::Used => {
                let parts = self.plan.parts.iter().zip(&row.parts).map(|(spec, part)| part_text(spec.kind, *part));
                let parts: Option<Vec<String>> = parts.collect();
                let parts = parts.ok_or_else(|| NotSql("a value of a group is of another kind".to_owned()))?;
                let group = GroupLine(row.key, row.rows, parts);
                self.incoming.check(&group).map_err(|error| NotSql(error.to_string()))?;
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    /// Ends the groups of the file. The head has no words on its format.
    ///
    /// # Errors
    /// Other rows were read than the file has, or some of them are rejects, which only the kernel lists.
    pub fn end(self) -> Result<PartialHead, NotSql> {
        if self.seen != self.rows {
            return Err(NotSql(format!("{} rows were read of {}", self.seen, self.rows)));
        }
        if self.rejected > 0 {
            return Err(NotSql(format!("`check` rejects {} rows", self.rejected)));
        }
        let head = self.incoming.end_uncounted();
        Ok(PartialHead { rows: self.rows, passed_over: self.skipped, ..head })
    }
}

/// The text of a part; none if it is of another kind or too long.
fn part_text(kind: PartKind, part: SqlPart) -> Option<String> {
    match (kind, part) {
        (PartKind::Sum, SqlPart::Sum(total, count)) => {
            // Without numbers there is no sum, and the other way round.
            let (mantissa, scale) = match total {
                Some(total) if count > 0 => total,
                None if count == 0 => (0, 0),
                _ => return None,
            };
            Some(Sum::of_decimals(mantissa, scale, count)?.to_string())
        }
        (PartKind::Least | PartKind::Greatest, SqlPart::Extreme(None)) => Some(String::new()),
        (PartKind::Least | PartKind::Greatest, SqlPart::Extreme(Some((mantissa, scale)))) => {
            Some(Number::decimal(mantissa, scale)?.to_string())
        }
        _ => None,
    }
}
