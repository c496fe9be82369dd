//! The kernel: what a report makes of the rows of blocks, on one thread. Everything here is done for each row of files of
//! any size.

use tributary_csv_gate::{Block, BlockRows, Reason, Reject};

use crate::{
    columns::Column,
    formula::{Cells, Fault},
    groups::{Batch, Groups, TooMany},
    plan::Plan,
};

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
    batch: Batch,
    scratch: String,
}

/// Why a row counts in no group.
enum Out {
    PassedOver,
    NotTrue,
    NoGroup(usize),
    Fault(Of, Fault),
}

/// One of the plan's expressions.
enum Of {
    Filter,
    Check,
    Formula(usize),
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(plan: &'a Plan, fields: &'a [usize]) -> Self {
        let memory = Memory { batch: Batch::default(), scratch: String::new() };
        Self { plan, fields, groups: Groups::new(plan), counts: Counts::default(), memory }
    }

    /// Takes the rows of a block, which stands behind all blocks before. At most `most` rejects are kept.
    pub(crate) fn take(&mut self, block: &Block, most: usize) -> Result<(), TooMany> {
        let mut rows = block.rows(most - self.counts.rejects.len());
        while rows.advance() {
            match self.row(&rows) {
                Ok(()) => {
                    if self.memory.batch.end_row() {
                        self.groups.add(self.plan, &mut self.memory.batch)?;
                    }
                }
                Err(Out::PassedOver) => self.counts.passed_over += 1,
                Err(out) => {
                    self.memory.batch.undo_row(self.plan.formulas.len());
                    rows.reject(|rows| self.reason(rows, out));
                }
            }
        }
        self.groups.add(self.plan, &mut self.memory.batch)?;
        let (rows, rejects) = rows.finish();
        self.counts.rows += rows;
        self.counts.rejected += rejects.total;
        self.counts.rejects.extend(rejects.kept);
        Ok(())
    }

    /// Adds one row to the batch.
    #[inline]
    fn row(&mut self, rows: &BlockRows<'_>) -> Result<(), Out> {
        let Memory { batch, scratch } = &mut self.memory;
        let mut cells = RowCells { rows, fields: self.fields, scratch };
        if let Some((filter, _)) = &self.plan.filter
            && filter.holds(&mut cells).map_err(|fault| Out::Fault(Of::Filter, fault))? != Some(true)
        {
            return Err(Out::PassedOver);
        }
        if let Some((check, _)) = &self.plan.check
            && check.holds(&mut cells).map_err(|fault| Out::Fault(Of::Check, fault))? != Some(true)
        {
            return Err(Out::NotTrue);
        }
        for (at, formula) in self.plan.formulas.iter().enumerate() {
            batch.push_value(formula.value(&mut cells).map_err(|fault| Out::Fault(Of::Formula(at), fault))?);
        }
        for (at, column) in self.plan.group_by.iter().enumerate() {
            batch.push_text(cells.text(*column).ok_or(Out::NoGroup(*column))?, at == 0);
        }
        Ok(())
    }

    #[cold]
    fn reason(&mut self, rows: &BlockRows<'_>, out: Out) -> Reason {
        let (plan, fields, scratch) = (self.plan, self.fields, &mut self.memory.scratch);
        let name = |column: usize| plan.columns.get(column).map(|Column { name, .. }| name.clone()).unwrap_or_default();
        let text =
            |condition: &Option<(_, String)>| condition.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
        // A row without a group is one whatever its numbers are, which are looked at first because that is cheaper.
        if let Out::Fault(Of::Formula(_), _) = out {
            let mut cells = RowCells { rows, fields, scratch };
            if let Some(column) = plan.group_by.iter().find(|column| cells.text(**column).is_none()) {
                return Reason::NoGroup { column: name(*column) };
            }
        }
        match out {
            Out::NotTrue | Out::PassedOver => Reason::Check { check: text(&plan.check) },
            Out::NoGroup(column) => Reason::NoGroup { column: name(column) },
            Out::Fault(_, Fault::NotANumber(column)) => {
                Reason::NotANumber { column: name(column), found: text_of(rows, fields[column], scratch) }
            }
            Out::Fault(Of::Filter, Fault::OutOfRange) => Reason::OutOfRange { expression: text(&plan.filter) },
            Out::Fault(Of::Check, Fault::OutOfRange) => Reason::OutOfRange { expression: text(&plan.check) },
            Out::Fault(Of::Formula(formula), Fault::OutOfRange) => {
                let part = plan.parts.iter().find(|part| part.formula == formula);
                Reason::OutOfRange { expression: part.map(|part| part.text.clone()).unwrap_or_default() }
            }
        }
    }
}

/// The cells of the current row.
struct RowCells<'a, 'b> {
    rows: &'a BlockRows<'b>,
    fields: &'a [usize],
    scratch: &'a mut String,
}

impl Cells for RowCells<'_, '_> {
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
