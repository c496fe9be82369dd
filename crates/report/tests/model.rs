//! A simple and slow model of reports: exact fractions, rows of texts, no threads. It shares no code with the crate.

use std::{cmp::Ordering, collections::BTreeMap};

/// A reduced fraction; `over` is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    of: i128,
    over: i128,
}

impl Fraction {
    /// Reduces a fraction. Overflow panics, but the numbers of the tests are small enough.
    pub(crate) fn new(of: i128, over: i128) -> Self {
        let (mut a, mut b) = (of.abs(), over.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let sign = over.signum();
        Self { of: sign * of / a.max(1), over: sign * over / a.max(1) }
    }

    /// Parses the numbers of the tests: digits with an optional sign and an optional point.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|letter| *letter != '.').collect();
        let behind = text.split_once('.').map_or(0, |(_, behind)| behind.len());
        Some(Self::new(digits.parse().ok()?, 10_i128.pow(u32::try_from(behind).ok()?)))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self::new(self.of * other.over + other.of * self.over, self.over * other.over)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(Self::new(-other.of, other.over))
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self::new(self.of * other.of, self.over * other.over)
    }

    fn order(self, other: Self) -> Ordering {
        (self.of * other.over).cmp(&(other.of * self.over))
    }

    pub(crate) fn to_f64(self) -> f64 {
        self.of as f64 / self.over as f64
    }
}

/// An expression that gives a number.
#[derive(Clone, Debug)]
pub(crate) enum Formula {
    Column(&'static str),
    Number(&'static str),
    Both(char, Box<Formula>, Box<Formula>),
}

/// A condition on a row.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Compare(&'static str, Formula, Formula),
    Text(&'static str, &'static str),
    Empty(&'static str),
    Not(Box<Condition>),
    Both(&'static str, Box<Condition>, Box<Condition>),
}

/// One row, by column name.
pub(crate) type Row<'a> = BTreeMap<&'static str, &'a str>;

/// The error for a cell that is not a number.
pub(crate) struct NoNumber;

impl Formula {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Column(name) => (*name).to_owned(),
            Self::Number(number) => (*number).to_owned(),
            Self::Both(operator, left, right) => format!("({} {operator} {})", left.text(), right.text()),
        }
    }

    pub(crate) fn value(&self, row: &Row<'_>) -> Result<Option<Fraction>, NoNumber> {
        Ok(match self {
            Self::Column(name) => match row[name].trim() {
                "" | "n/a" | "-" => None,
                text => Some(Fraction::read(text).ok_or(NoNumber)?),
            },
            Self::Number(number) => Fraction::read(number),
            Self::Both(operator, left, right) => match (left.value(row)?, right.value(row)?) {
                (Some(left), Some(right)) => Some(match operator {
                    '+' => left.plus(right),
                    '-' => left.minus(right),
                    _ => left.times(right),
                }),
                _ => None,
            },
        })
    }
}

impl Condition {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Compare(operator, left, right) => format!("{} {operator} {}", left.text(), right.text()),
            Self::Text(column, text) => format!("{column} = '{text}'"),
            Self::Empty(column) => format!("{column} IS NULL"),
            Self::Not(condition) => format!("NOT ({})", condition.text()),
            Self::Both(operator, left, right) => format!("({} {operator} {})", left.text(), right.text()),
        }
    }

    pub(crate) fn holds(&self, row: &Row<'_>) -> Result<Option<bool>, NoNumber> {
        Ok(match self {
            Self::Compare(operator, left, right) => match (left.value(row)?, right.value(row)?) {
                (Some(left), Some(right)) => Some(match *operator {
                    "<" => left.order(right).is_lt(),
                    ">=" => left.order(right).is_ge(),
                    _ => left == right,
                }),
                _ => None,
            },
            Self::Text(column, text) => {
                Some(row[column].trim()).filter(|cell| !cell.is_empty()).map(|cell| cell == *text)
            }
            Self::Empty(column) => Some(row[column].trim().is_empty()),
            Self::Not(condition) => condition.holds(row)?.map(|holds| !holds),
            Self::Both(operator, left, right) => {
                let (found, decides) = ([left.holds(row)?, right.holds(row)?], *operator == "OR");
                match found {
                    _ if found.contains(&Some(decides)) => Some(decides),
                    _ if found.contains(&None) => None,
                    _ => Some(!decides),
                }
            }
        })
    }
}

/// The expected values of one group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) rows: u64,
    /// The count of the formula's values; below their sum, minimum and maximum.
    pub(crate) count: u64,
    pub(crate) sum: Option<Fraction>,
    pub(crate) least: Option<Fraction>,
    pub(crate) most: Option<Fraction>,
}

/// The expected result of a report.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) groups: BTreeMap<Vec<String>, Group>,
    pub(crate) skipped: u64,
    /// The index of each bad row, and its fault: not a `n`umber, `c`heck not true, no `g`roup.
    pub(crate) rejects: Vec<(usize, char)>,
}

impl Expected {
    /// Aggregates one row.
    pub(crate) fn take(
        &mut self,
        (at, row): (usize, &Row<'_>),
        filter: Option<&Condition>,
        check: Option<&Condition>,
        group_by: &[&str],
        formula: &Formula,
    ) {
        match filter.map_or(Ok(Some(true)), |filter| filter.holds(row)) {
            Ok(Some(true)) => {}
            Ok(_) => return self.skipped += 1,
            Err(NoNumber) => return self.rejects.push((at, 'n')),
        }
        match check.map_or(Ok(Some(true)), |check| check.holds(row)) {
            Ok(Some(true)) => {}
            Ok(_) => return self.rejects.push((at, 'c')),
            Err(NoNumber) => return self.rejects.push((at, 'n')),
        }
        let key: Vec<String> = group_by.iter().map(|name| row[name].trim().to_owned()).collect();
        if key.iter().any(String::is_empty) {
            return self.rejects.push((at, 'g'));
        }
        let Ok(value) = formula.value(row) else { return self.rejects.push((at, 'n')) };
        let group = self.groups.entry(key).or_default();
        group.rows += 1;
        let Some(value) = value else { return };
        group.count += 1;
        group.sum = Some(group.sum.map_or(value, |sum| sum.plus(value)));
        let better =
            |old: Option<Fraction>, order: Ordering| old.filter(|old| value.order(*old) != order).unwrap_or(value);
        (group.least, group.most) =
            (Some(better(group.least, Ordering::Less)), Some(better(group.most, Ordering::Greater)));
    }
}
