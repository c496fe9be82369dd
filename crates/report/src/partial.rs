//! Partials, a report's results for one file, and totals, which are several of them together; and how groups are written
//! down on their way from one to the other.

use std::str::FromStr;

use tributary_csv_gate::Rejects;
use tributary_protocol::{GroupLine, PartialHead, RowReject};

use crate::{
    groups::{Groups, MOST_GROUPS, Part, TooMany, key, texts},
    number::Number,
    plan::{From, Metric, PartKind, Plan},
    sum::{MOST_ROWS, Sum},
};

/// Rejects that are kept of a file beside their count, as of a feed.
pub(crate) const REJECTS_KEPT: usize = 1000;

/// A report's result for one file.
pub struct Partial {
    /// Rows of the file, good and bad.
    pub rows: u64,
    /// Rows that the filter passed over.
    pub passed_over: u64,
    /// Rows that could not be used, in file order.
    pub rejects: Rejects,
    pub(crate) groups: Groups,
    keys: usize,
}

impl Partial {
    pub(crate) fn empty(plan: &Plan) -> Self {
        let rejects = Rejects::default();
        Self { rows: 0, passed_over: 0, rejects, groups: Groups::new(plan), keys: plan.group_by.len() }
    }

    /// What it says beside its groups.
    #[must_use]
    pub fn head(&self) -> PartialHead {
        let reject = |reject: &tributary_csv_gate::Reject| RowReject {
            line: reject.line,
            byte: reject.byte,
            reason: reject.reason.to_string(),
            raw: reject.raw.clone(),
        };
        PartialHead {
            rows: self.rows,
            passed_over: self.passed_over,
            rejected: self.rejects.total,
            rejects: self.rejects.kept.iter().map(reject).collect(),
            groups: self.groups.len() as u64,
        }
    }

    /// Its groups in the order of their keys (bytes).
    ///
    /// # Errors
    /// Those of `take`, at once.
    pub fn each_group<E>(&self, mut take: impl FnMut(GroupLine) -> Result<(), E>) -> Result<(), E> {
        self.groups.sorted().into_iter().try_for_each(|(key, place)| {
            let (rows, parts) = self.groups.at(place);
            take(GroupLine(texts(key, self.keys), rows, parts.iter().map(Part::written).collect()))
        })
    }
}

/// A partial as it comes from another program, looked at group by group: what is kept of it can be added to any total later.
pub struct Incoming<'a> {
    plan: &'a Plan,
    head: PartialHead,
    groups: u64,
    rows: u64,
    last: Option<Vec<u8>>,
}

/// Why a partial is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncomingError {
    /// The head counts more than there can be.
    #[error("a partial counts more than any file has")]
    TooMuch,
    /// A group is none of this report, or cannot be read.
    #[error("group {0} of a partial cannot be read")]
    Unreadable(u64),
    /// A group does not come behind the one before, as it would in the order of their keys.
    #[error("group {0} of a partial comes twice or out of order")]
    OutOfOrder(u64),
    /// What the head counts is not what came.
    #[error("a partial holds {groups} groups of {rows} rows, which is not what it says")]
    OtherCounts {
        /// Groups that came.
        groups: u64,
        /// Their rows.
        rows: u64,
    },
}

impl<'a> Incoming<'a> {
    /// A partial of this plan that begins with `head`.
    ///
    /// # Errors
    /// [`IncomingError::TooMuch`].
    pub fn new(plan: &'a Plan, mut head: PartialHead) -> Result<Self, IncomingError> {
        let counts = [head.rows, head.passed_over, head.rejected];
        if counts.iter().any(|count| *count > MOST_ROWS) || head.groups > MOST_GROUPS as u64 {
            return Err(IncomingError::TooMuch);
        }
        head.rejects.truncate(REJECTS_KEPT);
        Ok(Self { plan, head, groups: 0, rows: 0, last: None })
    }

    /// Looks at the next group.
    ///
    /// # Errors
    /// It is none that can stand there.
    pub fn check(&mut self, GroupLine(texts, rows, parts): &GroupLine) -> Result<(), IncomingError> {
        self.groups += 1;
        self.rows = self.rows.saturating_add(*rows);
        if self.groups > self.head.groups || self.rows > self.head.rows {
            return Err(IncomingError::OtherCounts { groups: self.groups, rows: self.rows });
        }
        let key = self.plan.key(texts).filter(|_| self.plan.parts(parts).is_some());
        let key = key.ok_or(IncomingError::Unreadable(self.groups))?;
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(IncomingError::OutOfOrder(self.groups));
        }
        self.last = Some(key);
        Ok(())
    }

    /// What it says, once it has ended.
    ///
    /// # Errors
    /// [`IncomingError::OtherCounts`].
    pub fn end(self) -> Result<PartialHead, IncomingError> {
        match self.groups == self.head.groups {
            true => Ok(self.head),
            false => Err(IncomingError::OtherCounts { groups: self.groups, rows: self.rows }),
        }
    }
}

impl Plan {
    /// The key of a group, if its texts can be one.
    fn key(&self, texts: &[String]) -> Option<Vec<u8>> {
        if texts.len() == self.group_by.len() { key(texts) } else { None }
    }

    /// The parts of a group, if they are of this plan.
    fn parts(&self, texts: &[String]) -> Option<Vec<Part>> {
        if texts.len() != self.parts.len() {
            return None;
        }
        self.parts.iter().zip(texts).map(|(part, text)| Part::read(part.kind, text)).collect()
    }
}

/// A report's result for several files.
pub struct Total<'a> {
    plan: &'a Plan,
    groups: Groups,
}

/// Why a group cannot be added to a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// It was made by another report or another version, or is damaged.
    #[error("a group of a partial cannot be read")]
    Unreadable,
    /// There are too many.
    #[error("there are more than {MOST_GROUPS} groups: group by something that more rows have in common")]
    TooMany,
}

impl<'a> Total<'a> {
    /// Of no file.
    #[must_use]
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, groups: Groups::new(plan) }
    }

    /// Adds a group of a partial of the same plan.
    ///
    /// # Errors
    /// Then nothing of it was added.
    pub fn add(&mut self, GroupLine(texts, rows, parts): &GroupLine) -> Result<(), AddError> {
        let key = self.plan.key(texts).ok_or(AddError::Unreadable)?;
        let parts = self.plan.parts(parts).ok_or(AddError::Unreadable)?;
        self.groups.merge(&key, *rows, &parts).map_err(|TooMany| AddError::TooMany)
    }

    /// How many rows [`Self::each_row`] gives.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.is_one_row() { 1 } else { self.groups.len() }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows in the order of their keys (bytes): the texts of the key, and the metrics' values. A metric of no value is
    /// none. Without `group_by` there is one row, of no file too.
    ///
    /// # Errors
    /// Those of `take`, at once.
    pub fn each_row<E>(
        &self,
        mut take: impl FnMut(Vec<String>, Vec<Option<Number>>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_one_row() && self.groups.len() == 0 {
            let parts: Vec<_> = self.plan.parts.iter().map(|part| Part::new(part.kind)).collect();
            return take(Vec::new(), self.values(0, &parts));
        }
        self.groups.sorted().into_iter().try_for_each(|(key, place)| {
            let (rows, parts) = self.groups.at(place);
            take(texts(key, self.plan.group_by.len()), self.values(rows, parts))
        })
    }

    fn is_one_row(&self) -> bool {
        self.plan.group_by.is_empty()
    }

    fn values(&self, rows: u64, parts: &[Part]) -> Vec<Option<Number>> {
        let value = |Metric { from, .. }: &Metric| match from {
            From::Rows => Some(Number::integer(rows.into())),
            From::Part(part) => parts[*part].value(),
            From::Mean(part) => match &parts[*part] {
                Part::Sum(sum) => sum.mean().map(Number::Float),
                Part::Least(_) | Part::Greatest(_) => None,
            },
        };
        self.plan.metrics.iter().map(value).collect()
    }
}

impl Part {
    fn value(&self) -> Option<Number> {
        match self {
            Self::Sum(sum) => sum.value(),
            Self::Least(number) | Self::Greatest(number) => *number,
        }
    }

    /// A text from which it can be read again, without any loss.
    fn written(&self) -> String {
        match self {
            Self::Sum(sum) => sum.to_string(),
            Self::Least(None) | Self::Greatest(None) => String::new(),
            Self::Least(Some(number)) | Self::Greatest(Some(number)) => match number {
                Number::Decimal { .. } => number.to_string(),
                Number::Float(value) => format!("x{:x}", value.to_bits()),
            },
        }
    }

    fn read(kind: PartKind, text: &str) -> Option<Self> {
        let number = || match text.strip_prefix('x') {
            Some(bits) => {
                let value = f64::from_bits(u64::from_str_radix(bits, 16).ok()?);
                value.is_finite().then_some(Some(Number::Float(value)))
            }
            None if text.is_empty() => Some(None),
            None => Number::parse(text.as_bytes()).map(Some),
        };
        Some(match kind {
            PartKind::Sum => Self::Sum(Sum::from_str(text).ok()?),
            PartKind::Least => Self::Least(number()?),
            PartKind::Greatest => Self::Greatest(number()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{MetricSpec, ReportSpec};

    use super::*;

    fn plan() -> Plan {
        let metric = |name: &str, expression: &str| MetricSpec { name: name.into(), expression: expression.into() };
        let metrics = vec![metric("s", "sum(x)"), metric("l", "min(x)")];
        Plan::compile(&ReportSpec { group_by: vec!["g".into()], metrics, ..ReportSpec::default() }).unwrap()
    }

    /// What is said to a partial of these groups, of which the head is right.
    fn said(groups: &[(&[&str], u64, &[&str])]) -> Result<PartialHead, IncomingError> {
        let plan = plan();
        let rows = groups.iter().map(|(_, rows, _)| *rows).fold(0, u64::saturating_add);
        let head = PartialHead { rows, groups: groups.len() as u64, ..PartialHead::default() };
        let mut incoming = Incoming::new(&plan, head)?;
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        groups
            .iter()
            .try_for_each(|(texts, rows, parts)| incoming.check(&GroupLine(owned(texts), *rows, owned(parts))))?;
        incoming.end()
    }

    #[test]
    fn groups_that_cannot_be_are_not_believed() {
        let good: &[&str] = &["2 7 0", "3"];
        assert!(said(&[(&["a"], 2, good), (&["b"], 2, good)]).is_ok());
        for parts in [
            &["2 7 0"] as &[&str],
            &["2 7 0", "3", "3"],
            &["", "3"],
            &["2 7 0", "x"],
            &["-2 7 0", "3"],
            &["2 7 21", "3"],
            &["2 7 0 7ff0000000000000", "3"],
            &["2 7 0", "x7ff8000000000000"],
            &["18446744073709551615 0 0", "3"],
            &["1 57896044618658097711785492504343953926634992332820282019728792003956564819967 20", "3"],
        ] {
            assert_eq!(said(&[(&["a"], 1, parts)]), Err(IncomingError::Unreadable(1)), "{parts:?}");
        }
        for key in [&[] as &[&str], &[""], &["a", "b"], &["a\0b"]] {
            assert_eq!(said(&[(key, 1, good)]), Err(IncomingError::Unreadable(1)), "{key:?}");
        }
        assert_eq!(said(&[(&["b"], 1, good), (&["a"], 1, good)]), Err(IncomingError::OutOfOrder(2)));
        assert_eq!(said(&[(&["a"], 1, good), (&["a"], 1, good)]), Err(IncomingError::OutOfOrder(2)));
        assert_eq!(said(&[(&["a"], u64::MAX, good)]), Err(IncomingError::TooMuch));
        let plan = plan();
        let short = Incoming::new(&plan, PartialHead { groups: 1, ..PartialHead::default() }).unwrap();
        assert_eq!(short.end(), Err(IncomingError::OtherCounts { groups: 0, rows: 0 }));
    }
}
