//! Partials, a report's results for one file, and the text form of their groups.

use std::{io, str::FromStr};

use tributary_csv_gate::Rejects;
use tributary_protocol::{GroupLine, PartialHead, RowReject};

use crate::{
    groups::{DoneGroups, MAX_GROUPS, Part, key, texts},
    number::Number,
    plan::{PartKind, ReportPlan},
    sum::{MAX_ROWS, Sum},
    total::TotalRows,
};

/// Most rejects of a file that are kept, as for feeds; further ones are only counted.
pub(crate) const MAX_REJECTS_KEPT: usize = 1000;
/// Most notes of a file.
pub(crate) const MAX_NOTES: usize = 20;
/// The longest note of another program that is kept.
const MAX_NOTE_BYTES: usize = 500;

/// A report's result for one file.
pub struct Partial {
    /// The number of rows in the file, good and bad.
    pub rows: u64,
    /// The number of rows that the filter left out.
    pub skipped: u64,
    /// The rows that could not be used, in file order.
    pub rejects: Rejects,
    /// Texts for people on how the file was read, a sentence each; only a few.
    pub notes: Vec<String>,
    /// The format of the file, in a few words for people.
    pub format: Option<String>,
    pub(crate) groups: DoneGroups,
    keys: usize,
}

impl Partial {
    pub(crate) fn empty(plan: &ReportPlan) -> Self {
        let (rejects, notes) = (Rejects::default(), Vec::new());
        let (groups, keys) = (DoneGroups::default(), plan.group_by.len());
        Self { rows: 0, skipped: 0, rejects, notes, format: None, groups, keys }
    }

    /// Everything but the groups.
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
            passed_over: self.skipped,
            rejected: self.rejects.total,
            rejects: self.rejects.kept.iter().map(reject).collect(),
            repaired: self.rejects.repaired,
            notes: self.notes.clone(),
            format: self.format.clone(),
            groups: self.groups.len() as u64,
        }
    }

    /// Calls `take` for each group, in byte order of the keys.
    ///
    /// # Errors
    /// The first error of `take`, which ends the iteration; many groups are in a file, which cannot be read.
    pub fn each_group<E: From<io::Error>>(&self, mut take: impl FnMut(GroupLine) -> Result<(), E>) -> Result<(), E> {
        self.groups.each(|key, rows, parts| {
            take(GroupLine(texts(key, self.keys), rows, parts.iter().map(Part::to_text).collect()))
        })
    }
}

impl Partial {
    /// The rows of a report whose only file this is.
    #[must_use]
    pub fn into_rows(self) -> TotalRows {
        TotalRows::of(self.groups, self.keys)
    }
}

/// A partial received from another program, validated group by group. Groups that pass can be added to any total later.
pub struct IncomingPartial<'a> {
    plan: &'a ReportPlan,
    head: PartialHead,
    groups: u64,
    rows: u64,
    last: Option<Vec<u8>>,
}

/// The reason why a received partial is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncomingError {
    /// The head counts more rows or groups than possible.
    #[error("the partial counts more rows or groups than any file has")]
    TooMuch,
    /// A group does not fit the report, or cannot be parsed.
    #[error("group {0} of the partial cannot be read")]
    Unreadable(u64),
    /// The groups are not in ascending order of their keys.
    #[error("group {0} of the partial is a duplicate or out of order")]
    OutOfOrder(u64),
    /// The groups do not match the counts in the head.
    #[error("the partial has {groups} groups of {rows} rows, which differs from the counts in its head")]
    OtherCounts {
        /// The number of groups received.
        groups: u64,
        /// The number of their rows.
        rows: u64,
    },
}

impl<'a> IncomingPartial<'a> {
    /// Starts a partial of `plan` with its `head`.
    ///
    /// # Errors
    /// [`IncomingError::TooMuch`] if the counts are impossible.
    pub fn new(plan: &'a ReportPlan, mut head: PartialHead) -> Result<Self, IncomingError> {
        let counts = [head.rows, head.passed_over, head.rejected, head.repaired];
        if counts.iter().any(|count| *count > MAX_ROWS) || head.groups > MAX_GROUPS as u64 {
            return Err(IncomingError::TooMuch);
        }
        head.rejects.truncate(MAX_REJECTS_KEPT);
        head.notes.truncate(MAX_NOTES);
        head.notes.iter_mut().for_each(|note| note.truncate(note.floor_char_boundary(MAX_NOTE_BYTES)));
        head.format.iter_mut().for_each(|format| format.truncate(format.floor_char_boundary(MAX_NOTE_BYTES)));
        Ok(Self { plan, head, groups: 0, rows: 0, last: None })
    }

    /// Starts a partial of a file with so many rows, whose groups nobody has counted.
    pub(crate) fn uncounted(plan: &'a ReportPlan, rows: u64) -> Self {
        let head = PartialHead { rows, groups: rows.min(MAX_GROUPS as u64), ..PartialHead::default() };
        Self { plan, head, groups: 0, rows: 0, last: None }
    }

    /// Ends such a partial, and counts its groups.
    pub(crate) fn end_uncounted(self) -> PartialHead {
        PartialHead { groups: self.groups, ..self.head }
    }

    /// Validates the next group.
    ///
    /// # Errors
    /// Any [`IncomingError`] but [`IncomingError::TooMuch`].
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

    /// Ends the partial after its last group and returns its head.
    ///
    /// # Errors
    /// [`IncomingError::OtherCounts`] if groups are missing.
    pub fn end(self) -> Result<PartialHead, IncomingError> {
        match self.groups == self.head.groups {
            true => Ok(self.head),
            false => Err(IncomingError::OtherCounts { groups: self.groups, rows: self.rows }),
        }
    }
}

impl ReportPlan {
    /// Encodes the key of a group, or returns none if it does not fit this plan.
    pub(crate) fn key(&self, texts: &[String]) -> Option<Vec<u8>> {
        if texts.len() == self.group_by.len() { key(texts) } else { None }
    }

    /// Parses the parts of a group, or returns none if they do not fit this plan.
    pub(crate) fn parts(&self, texts: &[String]) -> Option<Vec<Part>> {
        if texts.len() != self.parts.len() {
            return None;
        }
        self.parts.iter().zip(texts).map(|(part, text)| Part::parse(part.kind, text)).collect()
    }
}

impl Part {
    pub(crate) fn value(&self) -> Option<Number> {
        match self {
            Self::Sum(sum) => sum.value(),
            Self::Least(number) | Self::Greatest(number) => *number,
        }
    }

    /// Writes a text that [`Part::parse`] turns into the same part.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Sum(sum) => sum.to_string(),
            Self::Least(None) | Self::Greatest(None) => String::new(),
            Self::Least(Some(number)) | Self::Greatest(Some(number)) => match number {
                Number::Decimal { .. } => number.to_string(),
                Number::Float(value) => format!("x{:x}", value.to_bits()),
            },
        }
    }

    /// Parses a text of [`Part::to_text`].
    pub(crate) fn parse(kind: PartKind, text: &str) -> Option<Self> {
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

    fn plan() -> ReportPlan {
        let metric = |name: &str, expression: &str| MetricSpec { name: name.into(), expression: expression.into() };
        let metrics = vec![metric("s", "sum(x)"), metric("l", "min(x)")];
        ReportPlan::compile(&ReportSpec { group_by: vec!["g".into()], metrics, ..ReportSpec::default() }).unwrap()
    }

    /// The verdict on a partial of these groups with a matching head.
    fn verdict(groups: &[(&[&str], u64, &[&str])]) -> Result<PartialHead, IncomingError> {
        let plan = plan();
        let rows = groups.iter().map(|(_, rows, _)| *rows).fold(0, u64::saturating_add);
        let head = PartialHead { rows, groups: groups.len() as u64, ..PartialHead::default() };
        let mut incoming = IncomingPartial::new(&plan, head)?;
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        groups
            .iter()
            .try_for_each(|(texts, rows, parts)| incoming.check(&GroupLine(owned(texts), *rows, owned(parts))))?;
        incoming.end()
    }

    #[test]
    fn impossible_groups_are_refused() {
        let good: &[&str] = &["2 7 0", "3"];
        assert!(verdict(&[(&["a"], 2, good), (&["b"], 2, good)]).is_ok());
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
            assert_eq!(verdict(&[(&["a"], 1, parts)]), Err(IncomingError::Unreadable(1)), "{parts:?}");
        }
        for key in [&[] as &[&str], &[""], &["a", "b"], &["a\0b"]] {
            assert_eq!(verdict(&[(key, 1, good)]), Err(IncomingError::Unreadable(1)), "{key:?}");
        }
        assert_eq!(verdict(&[(&["b"], 1, good), (&["a"], 1, good)]), Err(IncomingError::OutOfOrder(2)));
        assert_eq!(verdict(&[(&["a"], 1, good), (&["a"], 1, good)]), Err(IncomingError::OutOfOrder(2)));
        assert_eq!(verdict(&[(&["a"], u64::MAX, good)]), Err(IncomingError::TooMuch));
        let plan = plan();
        let short = IncomingPartial::new(&plan, PartialHead { groups: 1, ..PartialHead::default() }).unwrap();
        assert_eq!(short.end(), Err(IncomingError::OtherCounts { groups: 0, rows: 0 }));
    }
}
