//! Checks of the rows of product feeds, in the language of a report's `check`. A report decides how a column is read by all of its
//! cells; a check sees one row, and its verdict must not depend on the others. So a cell that may be two numbers is read as each.

use std::{collections::BTreeMap, sync::Arc};

use tributary_csv_gate::{CheckedCell, CheckedRow, Reason, RowCheck, UnclearCheck};

use crate::{
    columns::{Column, NeededColumns},
    cure::cure,
    formula::{Cells, Condition, Fault},
    found::FoundNumbers,
    kernel::trimmed,
    number::Number,
    number_format::NumberFormat,
    parse,
    reading::Decimal,
};

/// Compiled checks, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowChecks {
    rules: Arc<[Rule]>,
}

/// A check that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct RowCheckError {
    /// Its index among the checks, counted from 0.
    pub index: usize,
    /// The fault and how to fix it.
    pub why: String,
}

/// The checks of the rows of one file.
#[derive(Clone, Debug)]
pub struct FileChecks {
    rules: Arc<[Rule]>,
    numbers: NumberFormat,
}

/// One check.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// The check as written.
    text: String,
    condition: Condition,
    /// In the order in which the check names them.
    columns: Vec<Column>,
    /// The number of columns of the rules before this one.
    first: usize,
}

impl RowChecks {
    /// Compiles checks.
    ///
    /// # Errors
    /// A check is not a condition, or names no column.
    pub fn compile(checks: &[String]) -> Result<Self, RowCheckError> {
        let mut first = 0;
        let compiled = checks.iter().enumerate().map(|(index, text)| {
            let rule = Rule::compile(text, first).map_err(|why| RowCheckError { index, why })?;
            first += rule.columns.len();
            Ok(rule)
        });
        Ok(Self { rules: compiled.collect::<Result<_, _>>()? })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The names of the columns that the checks look at, some of them perhaps several times.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| &rule.columns).map(|column| column.name.as_str())
    }

    /// The checks of a file that writes its numbers so.
    #[must_use]
    pub fn of_file(&self, numbers: &NumberFormat) -> FileChecks {
        FileChecks { rules: self.rules.clone(), numbers: numbers.clone() }
    }
}

impl RowCheck for FileChecks {
    fn columns(&self) -> Vec<&str> {
        self.rules.iter().flat_map(|rule| &rule.columns).map(|column| column.name.as_str()).collect()
    }

    fn check(&mut self, row: CheckedRow<'_>) -> Result<(), Reason> {
        self.rules.iter().try_for_each(|rule| rule.check(row, &self.numbers))
    }
}

impl Rule {
    fn compile(text: &str, first: usize) -> Result<Self, String> {
        let mut columns = NeededColumns::new(&BTreeMap::new());
        let condition = parse::condition(text, &mut columns)?;
        let columns = columns.needed().to_vec();
        if columns.is_empty() {
            return Err(format!("`{text}` names no column, so it says nothing of a row"));
        }
        Ok(Self { text: text.to_owned(), condition, columns, first })
    }

    /// Judges a row of a file that has all of the columns. Any other file is not judged.
    fn check(&self, row: CheckedRow<'_>, numbers: &NumberFormat) -> Result<(), Reason> {
        if (0..self.columns.len()).any(|column| row.text(self.first + column).is_none()) {
            return Ok(());
        }
        let mut cells = RowCells { row, first: self.first, numbers, decimal: Decimal::Point, unclear: None };
        let with_point = self.is_true(&mut cells)?;
        let Some(unclear) = cells.unclear else {
            return if with_point { Ok(()) } else { Err(self.not_true(&cells)) };
        };
        cells.decimal = Decimal::Comma;
        match (with_point, self.is_true(&mut cells)?) {
            (true, true) => Ok(()),
            (false, false) => Err(self.not_true(&cells)),
            _ => Err(self.unclear(unclear, &cells)),
        }
    }

    fn is_true(&self, cells: &mut RowCells<'_>) -> Result<bool, Reason> {
        let holds = self.condition.holds(cells).map_err(|fault| self.fault(fault, cells))?;
        Ok(holds == Some(true))
    }

    #[cold]
    fn not_true(&self, cells: &RowCells<'_>) -> Reason {
        let cells = (0..self.columns.len()).map(|column| self.cell(column, cells));
        Reason::RowCheck { check: self.text.clone(), cells: cells.collect() }
    }

    #[cold]
    fn unclear(&self, column: usize, cells: &RowCells<'_>) -> Reason {
        let text = cells.trimmed(column);
        let reading = |decimal| {
            let read = FoundNumbers(cells.numbers).parse_alone(text, decimal);
            read.map(|alone| alone.number.to_string()).unwrap_or_default()
        };
        let readings = [reading(Decimal::Point), reading(Decimal::Comma)];
        let (check, cell) = (self.text.clone(), self.cell(column, cells));
        Reason::UnclearCheck(Box::new(UnclearCheck { check, cell, readings, cure: cure(cells.numbers, text) }))
    }

    #[cold]
    fn fault(&self, fault: Fault, cells: &RowCells<'_>) -> Reason {
        match fault {
            Fault::NotANumber(column) => {
                let cure = cure(cells.numbers, cells.trimmed(column));
                let CheckedCell { column, found } = self.cell(column, cells);
                Reason::NotANumber { column, found, cure }
            }
            Fault::OutOfRange => Reason::OutOfRange { expression: self.text.clone() },
        }
    }

    /// A cell as a reject shows it.
    fn cell(&self, column: usize, cells: &RowCells<'_>) -> CheckedCell {
        let text = cells.row.text(self.first + column).unwrap_or_default();
        CheckedCell::new(&self.columns[column].name, text)
    }
}

/// The cells of the current row.
struct RowCells<'a> {
    row: CheckedRow<'a>,
    /// The row's index of the rule's first column.
    first: usize,
    numbers: &'a NumberFormat,
    /// The decimal sign of cells that may be two numbers. It is one for all cells, as `decimal` is one for the file.
    decimal: Decimal,
    /// The first column whose cell was read so.
    unclear: Option<usize>,
}

impl<'a> RowCells<'a> {
    fn trimmed(&self, column: usize) -> &'a [u8] {
        trimmed(self.row.text(self.first + column).unwrap_or_default().as_bytes())
    }
}

impl Cells for RowCells<'_> {
    fn text(&mut self, column: usize) -> Option<&[u8]> {
        let text = self.trimmed(column);
        (!text.is_empty()).then_some(text)
    }

    fn number(&mut self, column: usize) -> Result<Option<Number>, Fault> {
        let text = self.trimmed(column);
        if text.is_empty() {
            return Ok(None);
        }
        let number = match self.numbers.set_numbers() {
            Some(_) => self.numbers.parse_set(text),
            None => FoundNumbers(self.numbers).parse_alone(text, self.decimal).map(|alone| {
                if alone.is_unclear {
                    self.unclear.get_or_insert(column);
                }
                alone.number
            }),
        };
        match number {
            None if !self.numbers.is_null(text) => Err(Fault::NotANumber(column)),
            number => Ok(number),
        }
    }
}

#[cfg(test)]
mod tests;
