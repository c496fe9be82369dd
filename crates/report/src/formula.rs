//! Formulas and conditions, and their evaluation for a row. `parse` reads them from text; the caller provides the row.

use std::{cmp::Ordering, collections::BTreeSet};

use crate::number::Number;

/// Access to the cells of a row. Columns are indexes into the columns of the plan.
pub(crate) trait Cells {
    /// The trimmed text of a cell, or none if it is empty.
    fn text(&mut self, column: usize) -> Option<&[u8]>;

    /// The number in a cell, or none if it is empty.
    fn number(&mut self, column: usize) -> Result<Option<Number>, Fault>;
}

/// The reason why a formula or condition cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The cell of this column is not a number.
    NotANumber(usize),
    /// The value is beyond the range of numbers.
    OutOfRange,
}

/// An expression that gives a number for a row. Its `Debug` text is part of a plan's digest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Column(usize),
    Constant(Number),
    Negated(Box<Formula>),
    Both(Arithmetic, Box<Formula>, Box<Formula>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Plus,
    Minus,
    Times,
    DividedBy,
}

/// An expression that is true, false or unknown for a row. Its `Debug` text is part of a plan's digest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Compare(Comparison, Formula, Formula),
    CompareText(Comparison, usize, String),
    IsEmpty(usize),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    /// True if at least one of them is.
    Any(Vec<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Formula {
    /// Adds the columns of the formula.
    pub(crate) fn columns(&self, columns: &mut BTreeSet<usize>) {
        match self {
            Self::Column(column) => {
                columns.insert(*column);
            }
            Self::Constant(_) => {}
            Self::Negated(formula) => formula.columns(columns),
            Self::Both(_, left, right) => [left, right].into_iter().for_each(|formula| formula.columns(columns)),
        }
    }

    /// The value, or none if a required cell is empty or a divisor is zero.
    #[inline]
    pub(crate) fn value(&self, cells: &mut impl Cells) -> Result<Option<Number>, Fault> {
        match self {
            Self::Column(column) => cells.number(*column),
            Self::Constant(number) => Ok(Some(*number)),
            Self::Negated(formula) => match formula.value(cells)? {
                Some(number) => number.negated().map(Some).ok_or(Fault::OutOfRange),
                None => Ok(None),
            },
            Self::Both(operation, left, right) => {
                // Evaluates both sides before checking for none, so that a fault on the right is never hidden.
                let (Some(left), Some(right)) = (left.value(cells)?, right.value(cells)?) else { return Ok(None) };
                operation.of(left, right).ok_or(Fault::OutOfRange)
            }
        }
    }
}

impl Arithmetic {
    fn of(self, left: Number, right: Number) -> Option<Option<Number>> {
        match self {
            Self::Plus => left.plus(right).map(Some),
            Self::Minus => left.minus(right).map(Some),
            Self::Times => left.times(right).map(Some),
            Self::DividedBy => left.divided_by(right),
        }
    }
}

impl Condition {
    /// Adds the columns that are compared as numbers.
    pub(crate) fn numeric_columns(&self, columns: &mut BTreeSet<usize>) {
        match self {
            Self::Compare(_, left, right) => [left, right].into_iter().for_each(|formula| formula.columns(columns)),
            Self::CompareText(..) | Self::IsEmpty(_) => {}
            Self::Not(condition) => condition.numeric_columns(columns),
            Self::And(left, right) => [left, right].into_iter().for_each(|one| one.numeric_columns(columns)),
            Self::Any(conditions) => conditions.iter().for_each(|one| one.numeric_columns(columns)),
        }
    }

    /// Whether the condition is true, or none if that is unknown by the rules of SQL.
    pub(crate) fn holds(&self, cells: &mut impl Cells) -> Result<Option<bool>, Fault> {
        Ok(match self {
            Self::Compare(comparison, left, right) => match (left.value(cells)?, right.value(cells)?) {
                (Some(left), Some(right)) => Some(comparison.is(left.compare(right))),
                _ => None,
            },
            Self::CompareText(comparison, column, text) => {
                cells.text(*column).map(|cell| comparison.is(cell.cmp(text.as_bytes())))
            }
            Self::IsEmpty(column) => Some(cells.text(*column).is_none()),
            Self::Not(condition) => condition.holds(cells)?.map(|holds| !holds),
            Self::And(left, right) => match (left.holds(cells)?, right.holds(cells)?) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Any(conditions) => {
                let mut any = Some(false);
                for condition in conditions {
                    any = match (any, condition.holds(cells)?) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    };
                }
                any
            }
        })
    }
}

impl Comparison {
    fn is(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The comparison with its two sides exchanged.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}
