//! The kernel: what a report makes of the rows of blocks, on one thread. Everything here is done for each row of files of
//! any size.

use tributary_gate::{Block, BlockRows, Reason, Reject};

use crate::Number;
use crate::columns::Column;
use crate::formula::{Cells, Fault};
use crate::groups::{Groups, TooMany, begin_next};
use crate::plan::Plan;

/// What one thread has found.
pub(crate) struct Kernel<'a> {
    plan: &'a Plan,
    /// Which field of a row each of the plan's columns is.
    fields: &'a [usize],
    pub(crate) groups: Groups,
    pub(crate) counts: Counts,
    memory: Memory,
}

/// What was counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// Rows, good and bad.
    pub(crate) rows: u64,
    pub(crate) passed_over: u64,
    pub(crate) rejected: u64,
    /// The first rejects of those blocks.
    pub(crate) rejects: Vec<Reject>,
}

/// What is used again for each row.
struct Memory {
    /// The numbers of the columns, once they were asked for.
    numbers: Vec<Cell>,
    key: Vec<u8>,
    values: Vec<Option<Number>>,
    scratch: String,
}

#[derive(Clone, Copy)]
enum Cell {
    Unread,
    Read(Option<Number>),
}

/// Why a row counts in no group.
enum Out {
    PassedOver,
    Fault(Fault),
    /// The value of this part.
    OutOfRange(usize),
    NoGroup(usize),
    NotTrue,
}

impl From<Fault> for Out {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(plan: &'a Plan, fields: &'a [usize]) -> Self {
        let memory = Memory {
            numbers: vec![Cell::Unread; fields.len()],
            key: Vec::new(),
            values: vec![None; plan.parts.len()],
            scratch: String::new(),
        };
        Self { plan, fields, groups: Groups::new(plan), counts: Counts::default(), memory }
    }

    /// Takes the rows of a block, which stands behind all blocks before. At most `most` rejects are kept.
    pub(crate) fn take(&mut self, block: &Block, most: usize) -> Result<(), TooMany> {
        let mut rows = block.rows();
        while rows.advance() {
            self.memory.numbers.fill(Cell::Unread);
            match self.judge(&rows) {
                Ok(()) => self.groups.add(&self.memory.key, &self.memory.values)?,
                Err(Out::PassedOver) => self.counts.passed_over += 1,
                Err(out) => {
                    let (plan, fields, scratch) = (self.plan, self.fields, &mut self.memory.scratch);
                    let found = match &out {
                        Out::Fault(Fault::NotANumber(column)) => text_of(&rows, fields[*column], scratch),
                        _ => String::new(),
                    };
                    rows.reject(|| reason(plan, &out, found));
                }
            }
        }
        let (rows, rejects) = rows.finish();
        self.counts.rows += rows;
        self.counts.rejected += rejects.total;
        let room = most - self.counts.rejects.len();
        self.counts.rejects.extend(rejects.kept.into_iter().take(room));
        Ok(())
    }

    /// Leaves the key and the values of a row in the memory.
    #[inline]
    fn judge(&mut self, rows: &BlockRows<'_>) -> Result<(), Out> {
        let Memory { numbers, key, values, scratch } = &mut self.memory;
        let mut cells = RowCells { rows, fields: self.fields, numbers, scratch };
        if let Some((filter, _)) = &self.plan.filter
            && filter.holds(&mut cells)? != Some(true)
        {
            return Err(Out::PassedOver);
        }
        if let Some((check, _)) = &self.plan.check
            && check.holds(&mut cells)? != Some(true)
        {
            return Err(Out::NotTrue);
        }
        key.clear();
        for (at, column) in self.plan.group_by.iter().enumerate() {
            begin_next(key, at == 0);
            key.extend_from_slice(cells.text(*column).ok_or(Out::NoGroup(*column))?);
        }
        for (at, part) in self.plan.parts.iter().enumerate() {
            values[at] = part.formula.value(&mut cells).map_err(|fault| match fault {
                Fault::OutOfRange => Out::OutOfRange(at),
                fault @ Fault::NotANumber(_) => Out::Fault(fault),
            })?;
        }
        Ok(())
    }
}

/// The cells of the current row.
struct RowCells<'a, 'b> {
    rows: &'a BlockRows<'b>,
    fields: &'a [usize],
    numbers: &'a mut [Cell],
    scratch: &'a mut String,
}

impl Cells for RowCells<'_, '_> {
    #[inline]
    fn number(&mut self, column: usize) -> Result<Option<Number>, Fault> {
        if let Cell::Read(number) = self.numbers[column] {
            return Ok(number);
        }
        let number = match self.text(column) {
            None => None,
            Some(text) => Some(Number::parse(text).ok_or(Fault::NotANumber(column))?),
        };
        self.numbers[column] = Cell::Read(number);
        Ok(number)
    }

    #[inline]
    fn text(&mut self, column: usize) -> Option<&[u8]> {
        let text = trimmed(self.rows.bytes(self.fields[column], self.scratch));
        (!text.is_empty()).then_some(text)
    }
}

/// Valid UTF-8 without white space at its ends.
#[inline]
fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        [only] if only.is_ascii_graphic() => text,
        _ => std::str::from_utf8(text).map_or(text, |text| text.trim().as_bytes()),
    }
}

fn text_of(rows: &BlockRows<'_>, field: usize, scratch: &mut String) -> String {
    /// Characters that are shown of a cell.
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(trimmed(rows.bytes(field, scratch))).into_owned();
    text.chars().take(SHOWN).collect()
}

fn reason(plan: &Plan, out: &Out, found: String) -> Reason {
    let name = |column: usize| plan.columns.get(column).map(|Column { name, .. }| name.clone()).unwrap_or_default();
    match out {
        Out::Fault(Fault::NotANumber(column)) => Reason::NotANumber { column: name(*column), found },
        Out::NoGroup(column) => Reason::NoGroup { column: name(*column) },
        Out::OutOfRange(part) => Reason::OutOfRange { expression: plan.parts[*part].text.clone() },
        // Of a condition.
        Out::Fault(Fault::OutOfRange) => Reason::OutOfRange { expression: plan.conditions() },
        Out::NotTrue | Out::PassedOver => Reason::Check { check: plan.conditions() },
    }
}
