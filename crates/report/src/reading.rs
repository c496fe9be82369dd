//! The reading of a column whose format sets neither the decimal sign nor the group sign. It is decided by all cells that
//! were read, so neither the order of rows nor the way a file is cut into blocks changes it. Nothing is read as another
//! value than before unless the column is unanimous.

use crate::style::Style;

/// One bad cell among this many good ones is a mistake, and does not make a column doubtful.
const GOOD_PER_MISTAKE: u64 = 100;
const CLASSES: usize = 9;

/// The evidence of one cell on how its column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The same number in any reading: `12`, `1e3`.
    Plain,
    /// `12.50`: a number only with a decimal point.
    Point,
    /// `1,234.56`: a number only with a decimal point, and with groups.
    GroupedPoint,
    /// `12,50` or `1.234,56`: a number only with a decimal comma.
    Comma,
    /// `1.500`: a thousandth of it, if the point is decimal.
    PointOrGroup,
    /// `1,500`: a thousandth of it, if the comma is decimal.
    CommaOrGroup,
    /// `1 000`: the same number in any reading with groups.
    Grouped,
    /// `1.2.3`: digits and signs that are no number.
    Odd,
    /// No number at all.
    Word,
}

/// The number of cells of a column by class. Those of the class `Plain` are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; CLASSES]);

/// A column of the plan, as a thread reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnState {
    /// The field of a row that it is in.
    pub(crate) field: usize,
    pub(crate) reading: Reading,
    /// Whether a number without groups and with a decimal point is what it seems to be.
    pub(crate) is_plain: bool,
    /// Whether numbers with a point are counted. While all cells are plain and the first rows say that the point is
    /// decimal, no count would change anything.
    pub(crate) counts_points: bool,
    /// The evidence of its cells.
    pub(crate) tally: Tally,
}

impl ColumnState {
    pub(crate) fn new(field: usize, reading: Reading, counts_points: bool) -> Self {
        let is_plain = reading.decimal == Decimal::Point && !reading.is_doubtful;
        Self { field, reading, is_plain, counts_points, tally: Tally::default() }
    }
}

/// A decimal sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    Point,
    Comma,
}

/// The way to read a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) decimal: Decimal,
    /// Whether groups are read.
    pub(crate) is_grouped: bool,
    /// Whether cells with several meanings are rejects.
    pub(crate) is_doubtful: bool,
}

impl Default for Reading {
    /// That of a column of plain numbers.
    fn default() -> Self {
        Self { decimal: Decimal::Point, is_grouped: true, is_doubtful: false }
    }
}

/// The evidence of all cells of one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Is(Decimal),
    /// They contradict each other.
    Mixed,
    /// No cell says anything.
    Open,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, class: Class) {
        self.0[class as usize] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, other)| *count += other);
    }

    /// Raises the counts to those of some of the same rows.
    pub(crate) fn at_least(&mut self, some: &Self) {
        self.0.iter_mut().zip(some.0).for_each(|(count, some)| *count = some.max(*count));
    }

    pub(crate) fn count(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// The number of cells with two meanings.
    pub(crate) fn unclear(&self) -> u64 {
        self.count(Class::PointOrGroup) + self.count(Class::CommaOrGroup)
    }

    fn point(&self) -> u64 {
        self.count(Class::Point) + self.count(Class::GroupedPoint)
    }

    /// Whether more numbers with a point than were counted would change nothing.
    pub(crate) fn is_surely_point(&self) -> bool {
        let groups = [Class::GroupedPoint, Class::CommaOrGroup, Class::Grouped];
        let has_groups = groups.into_iter().any(|class| self.count(class) > 0);
        let odd = if has_groups { self.count(Class::Odd) } else { 0 };
        self.point() > 0 && are_mistakes(self.count(Class::Comma) + odd, self.point())
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let (point, comma) = (self.point(), self.count(Class::Comma));
        match (point, comma) {
            (0, 0) => Verdict::Open,
            _ if are_mistakes(comma, point) => Verdict::Is(Decimal::Point),
            _ if are_mistakes(point + self.count(Class::Odd), comma) => Verdict::Is(Decimal::Comma),
            _ => Verdict::Mixed,
        }
    }

    /// The decimal sign of a column without any other cells. Columns that a report does not read as numbers may be texts, so
    /// they have to be without a fault.
    pub(crate) fn unanimous(&self) -> Option<Decimal> {
        let is_clean = self.count(Class::Odd) + self.count(Class::Word) == 0;
        match (is_clean, self.point(), self.count(Class::Comma)) {
            (true, 1.., 0) => Some(Decimal::Point),
            (true, 0, 1..) => Some(Decimal::Comma),
            _ => None,
        }
    }

    /// Decides how to read the column. `others` is what the other columns of the file say.
    pub(crate) fn reading(&self, others: Option<Decimal>) -> Reading {
        let (odd, grouped) = (self.count(Class::Odd), self.count(Class::Grouped));
        let open = |decimal| {
            let is_grouped = are_mistakes(odd, self.unclear() + grouped);
            Reading { decimal: if is_grouped { decimal } else { Decimal::Point }, is_grouped, is_doubtful: false }
        };
        match (self.verdict(), others) {
            (Verdict::Is(Decimal::Point), _) => {
                let is_grouped = are_mistakes(odd + self.count(Class::Comma), self.point() + grouped);
                Reading { decimal: Decimal::Point, is_grouped, is_doubtful: false }
            }
            (Verdict::Is(decimal), _) => Reading { decimal, is_grouped: true, is_doubtful: false },
            (Verdict::Mixed, _) => Reading { decimal: Decimal::Point, is_grouped: false, is_doubtful: true },
            (Verdict::Open, _) if self.unclear() == 0 => open(Decimal::Point),
            (Verdict::Open, Some(decimal)) => open(decimal),
            (Verdict::Open, None) => Reading { decimal: Decimal::Point, is_grouped: false, is_doubtful: false },
        }
    }

    /// Whether two readings differ in the value of a cell that was counted.
    pub(crate) fn tells_apart(&self, one: Reading, other: Reading) -> bool {
        const READ: [Class; 6] =
            [Class::Point, Class::GroupedPoint, Class::Comma, Class::PointOrGroup, Class::CommaOrGroup, Class::Grouped];
        READ.into_iter().any(|class| self.count(class) > 0 && one.style(class) != other.style(class))
    }
}

impl Reading {
    /// The style that a cell is parsed by; none if it is not a number in this reading.
    pub(crate) fn style(self, class: Class) -> Option<Style> {
        let style = match self.decimal {
            Decimal::Point => Style::POINT,
            Decimal::Comma => Style::COMMA,
        };
        let is_read = match (class, self.decimal) {
            (Class::Plain, _) | (Class::Point, Decimal::Point) | (Class::Comma, Decimal::Comma) => true,
            (Class::Point, Decimal::Comma) | (Class::Comma, Decimal::Point) | (Class::Odd | Class::Word, _) => false,
            (Class::GroupedPoint, decimal) => self.is_grouped && decimal == Decimal::Point,
            (Class::PointOrGroup, Decimal::Point) | (Class::CommaOrGroup, Decimal::Comma) => !self.is_doubtful,
            (Class::PointOrGroup | Class::CommaOrGroup, _) => self.is_grouped && !self.is_doubtful,
            (Class::Grouped, _) => self.is_grouped,
        };
        is_read.then_some(style)
    }
}

fn are_mistakes(bad: u64, good: u64) -> bool {
    bad.saturating_mul(GOOD_PER_MISTAKE) <= good
}
