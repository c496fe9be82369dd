//! The readings of a file's columns: proposed by its first rows, decided by all of them, and told to people where only other
//! columns, or none, say what a number means.

use tributary_csv_gate::Block;

use crate::{
    found::FoundNumbers,
    kernel::trimmed,
    number_format::NumberFormat,
    plan::ReportPlan,
    reading::{Class, ColumnState, Decimal, Reading, Tally, Verdict},
};

/// Rows that the proposal is made from. A wrong one costs another pass, never a wrong value.
const SAMPLE_ROWS: usize = 1000;

/// Evidence of the first rows of a file.
#[derive(Default)]
pub(crate) struct Sample {
    /// By column of the plan.
    tallies: Vec<Tally>,
    /// The decimal signs of columns that the report does not read as numbers.
    others: Vec<Decimal>,
}

impl Sample {
    /// Looks at the first block of a file of `width` columns. `fields` are those of the plan's columns.
    pub(crate) fn take(
        plan: &ReportPlan,
        (fields, width): (&[usize], usize),
        numbers: &NumberFormat,
        block: &Block,
    ) -> Self {
        let mut tallies = vec![Tally::default(); width];
        let (mut rows, mut scratch) = (block.rows(0), String::new());
        let parser = FoundNumbers(numbers);
        for _ in 0..SAMPLE_ROWS {
            if !rows.advance() {
                break;
            }
            for (field, tally) in tallies.iter_mut().enumerate() {
                let text = trimmed(rows.bytes(field, &mut scratch));
                if !text.is_empty() && !numbers.is_null(text) {
                    tally.add(parser.class(text));
                }
            }
        }
        let numeric: Vec<_> = plan.numeric.iter().map(|column| fields[*column]).collect();
        let is_other = |(field, _): &(usize, &Tally)| !numeric.contains(field);
        let others = tallies.iter().enumerate().filter(is_other).filter_map(|(_, tally)| tally.unanimous()).collect();
        let tally = |column| if plan.numeric.contains(&column) { tallies[fields[column]] } else { Tally::default() };
        Self { tallies: (0..plan.columns.len()).map(tally).collect(), others }
    }

    /// The readings that the sample proposes.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        self.decide(&self.tallies)
    }

    /// Whether the sample says that a column has a decimal point.
    pub(crate) fn is_point(&self, column: usize) -> bool {
        self.tallies[column].verdict() == Verdict::Is(Decimal::Point)
    }

    /// Adds up the evidence of the sample and of all threads, by column of the plan.
    pub(crate) fn with<'a>(&self, threads: impl Iterator<Item = &'a Vec<ColumnState>>) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.tallies.len()];
        for columns in threads {
            tallies.iter_mut().zip(columns).for_each(|(tally, column)| tally.merge(&column.tally));
        }
        tallies.iter_mut().zip(&self.tallies).for_each(|(tally, sample)| tally.at_least(sample));
        tallies
    }

    /// Returns the readings that the file needs, if reading it with those of `columns` gives another result, or if that is
    /// not known because a column did not count its numbers.
    pub(crate) fn objection(&self, columns: &[ColumnState], tallies: &[Tally]) -> Option<Vec<Reading>> {
        let decided = self.decide(tallies);
        let is_wrong = |((column, decided), tally): ((&ColumnState, &Reading), &Tally)| {
            let is_unknown = !column.counts_points && !tally.is_surely_point();
            is_unknown || tally.tells_apart(column.reading, *decided)
        };
        columns.iter().zip(&decided).zip(tallies).any(is_wrong).then_some(decided)
    }

    /// The readings that all rows decide, by column of the plan.
    fn decide(&self, tallies: &[Tally]) -> Vec<Reading> {
        let others = self.other_columns(tallies);
        tallies.iter().map(|tally| tally.reading(others)).collect()
    }

    /// The decimal sign of the columns that are sure of it; none if they contradict each other.
    fn other_columns(&self, tallies: &[Tally]) -> Option<Decimal> {
        let sure = tallies.iter().filter_map(|tally| match tally.verdict() {
            Verdict::Is(decimal) => Some(decimal),
            Verdict::Mixed | Verdict::Open => None,
        });
        let mut all = self.others.iter().copied().chain(sure);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// Tells people which columns were read as something that their own cells do not say.
    pub(crate) fn notes(&self, plan: &ReportPlan, tallies: &[Tally]) -> Vec<String> {
        let others = self.other_columns(tallies);
        let notes = plan.columns.iter().zip(tallies).filter_map(|(column, tally)| {
            let note = note(tally, others)?;
            Some(format!("column `{}`: {note}", column.name))
        });
        notes.collect()
    }
}

fn note(tally: &Tally, others: Option<Decimal>) -> Option<String> {
    const POINT: &str = "decimal = \".\"";
    const COMMA: &str = "decimal = \",\" and thousands = \".\"";
    let (points, commas) = (tally.count(Class::PointOrGroup), tally.count(Class::CommaOrGroup));
    let reading = tally.reading(others);
    match (tally.verdict(), reading.decimal) {
        _ if points + commas == 0 => None,
        (Verdict::Mixed, _) => Some(format!(
            "some numbers have a decimal point and others a decimal comma, so those like `1.500` or `1,500` are rejects; \
             {POINT} or {COMMA} says which"
        )),
        (Verdict::Is(_), _) => None,
        // Every `1,500` is then a reject, which names the settings.
        (Verdict::Open, Decimal::Point) if !reading.is_grouped && points == 0 => None,
        (Verdict::Open, decimal) => {
            let (sign, means) = match (decimal, points > 0) {
                (Decimal::Point, true) => ("1.500", "one and a half"),
                (Decimal::Point, false) => ("1,500", "one thousand five hundred"),
                (Decimal::Comma, true) => ("1.500", "one thousand five hundred"),
                (Decimal::Comma, false) => ("1,500", "one and a half"),
            };
            let why = match others {
                Some(_) => "as the other columns of the file say",
                None => "for no other number of the file says more",
            };
            Some(format!(
                "all numbers with a sign are like `{sign}`, which is read as {means}, {why}; {POINT} or {COMMA} says it for \
                 sure"
            ))
        }
    }
}
