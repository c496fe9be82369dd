//! Partials, a report's results for one file, and totals, which are several of them together; and how groups are written
//! down on their way from one to the other.

use std::str::FromStr;

use tributary_gate::Rejects;
use tributary_wire::{GroupLine, PartialHead, RowReject};

use crate::groups::{Groups, MOST_GROUPS, Part, TooMany, key, texts};
use crate::plan::{From, Metric, PartKind, Plan};
use crate::{Number, Sum};

/// More rows than any file has: of so many, millions of files can be added.
const MOST_ROWS: u64 = 1 << 40;

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
        let reject = |reject: &tributary_gate::Reject| RowReject {
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
        let plan = self.plan;
        if (texts.len(), parts.len()) != (plan.group_by.len(), plan.parts.len()) {
            return Err(AddError::Unreadable);
        }
        let key = key(texts).ok_or(AddError::Unreadable)?;
        let read = plan.parts.iter().zip(parts).map(|(part, text)| Part::read(part.kind, text));
        let parts = read.collect::<Option<Vec<_>>>().ok_or(AddError::Unreadable)?;
        let is_too_much = |part: &Part| matches!(part, Part::Sum(sum) if sum.count() > *rows);
        if *rows > MOST_ROWS || parts.iter().any(is_too_much) {
            return Err(AddError::Unreadable);
        }
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
