//! The kernel: aggregates the rows of blocks on one thread. This code runs for every row of files of any size.

use tributary_csv_gate::{Block, BlockRows, Doubtful, Reason, Reject};

use crate::{
    columns::Column,
    cure::cure,
    date::DateFault,
    formula::{Cells, Fault},
    found::FoundNumbers,
    groups::{Batch, Full, Groups, Parted},
    number::Number,
    number_format::{NumberFormat, ParseNumber},
    plan::{GroupColumn, ReportPlan},
    reading::ColumnState,
};

/// The state and the results of one thread.
pub(crate) struct Kernel<'a> {
    plan: &'a ReportPlan,
    numbers: &'a NumberFormat,
    /// The columns of the plan.
    pub(crate) columns: Vec<ColumnState>,
    /// The groups of all threads.
    all: &'a Parted<'a>,
    /// Those of this thread that are not among them yet.
    own: Groups,
    pub(crate) counts: Counts,
    buffers: Buffers,
}

/// The counts of one thread.
#[derive(Default)]
pub(crate) struct Counts {
    /// The number of rows, good and bad.
    pub(crate) rows: u64,
    pub(crate) skipped: u64,
    pub(crate) rejected: u64,
    /// The number of good rows with quotes that lenient reading took for text.
    pub(crate) repaired: u64,
    pub(crate) doubtful: Doubtful,
    /// The first rejects of this thread's blocks.
    pub(crate) rejects: Vec<Reject>,
}

/// Memory that is reused for every row.
struct Buffers {
    batch: Batch,
    scratch: String,
}

/// The reason why a row is in no group.
enum Exclusion {
    Skipped,
    NotTrue,
    NoGroup(usize),
    /// A cell that is no date, in the group column with this index.
    NoDate(usize, DateFault),
    Fault(ExpressionRef, Fault),
}

/// One of the plan's expressions.
enum ExpressionRef {
    Filter,
    Check,
    Formula(usize),
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(
        plan: &'a ReportPlan,
        numbers: &'a NumberFormat,
        columns: Vec<ColumnState>,
        all: &'a Parted<'a>,
    ) -> Self {
        let buffers = Buffers { batch: Batch::default(), scratch: String::new() };
        Self { plan, numbers, columns, all, own: all.own(), counts: Counts::default(), buffers }
    }

    /// Aggregates the rows of a block, which must follow all earlier blocks in the file. Keeps at most `max_kept`
    /// rejects.
    pub(crate) fn take(&mut self, block: &Block, max_kept: usize) -> Result<(), Full> {
        match self.numbers.set_numbers() {
            None => self.take_rows(block, max_kept, FoundNumbers(self.numbers)),
            Some(numbers) => self.take_rows(block, max_kept, numbers),
        }
    }

    /// Moves the groups of the last rows to those of all threads.
    pub(crate) fn finish(&mut self) -> Result<(), Full> {
        self.all.take(&mut self.own)
    }

    fn take_rows(&mut self, block: &Block, max_kept: usize, numbers: impl ParseNumber) -> Result<(), Full> {
        let mut rows = block.rows(max_kept - self.counts.rejects.len());
        while rows.advance() {
            match self.row(&rows, numbers) {
                Ok(()) => {
                    if self.buffers.batch.end_row() {
                        self.own.add(self.plan, &mut self.buffers.batch)?;
                        self.all.take_many(&mut self.own)?;
                    }
                }
                Err(Exclusion::Skipped) => self.counts.skipped += 1,
                Err(exclusion) => {
                    self.buffers.batch.undo_row(self.plan.formulas.len());
                    rows.reject(|rows| self.reason(rows, exclusion));
                }
            }
        }
        self.own.add(self.plan, &mut self.buffers.batch)?;
        let (rows, rejects) = rows.finish();
        self.counts.rows += rows;
        self.counts.rejected += rejects.total;
        self.counts.repaired += rejects.repaired;
        self.counts.doubtful.merge(rejects.doubtful);
        self.counts.rejects.extend(rejects.kept);
        Ok(())
    }

    /// Adds one row to the batch.
    #[inline]
    fn row(&mut self, rows: &BlockRows<'_>, numbers: impl ParseNumber) -> Result<(), Exclusion> {
        let Buffers { batch, scratch } = &mut self.buffers;
        let mut cells = RowCells { rows, scratch, numbers, columns: &mut self.columns };
        if let Some((filter, _)) = &self.plan.filter
            && filter.holds(&mut cells).map_err(|fault| Exclusion::Fault(ExpressionRef::Filter, fault))? != Some(true)
        {
            return Err(Exclusion::Skipped);
        }
        if let Some((check, _)) = &self.plan.check
            && check.holds(&mut cells).map_err(|fault| Exclusion::Fault(ExpressionRef::Check, fault))? != Some(true)
        {
            return Err(Exclusion::NotTrue);
        }
        for (at, formula) in self.plan.formulas.iter().enumerate() {
            batch.push_value(
                formula.value(&mut cells).map_err(|fault| Exclusion::Fault(ExpressionRef::Formula(at), fault))?,
            );
        }
        for (at, GroupColumn { column, date }) in self.plan.group_by.iter().enumerate() {
            let text = cells.text(*column).ok_or(Exclusion::NoGroup(*column))?;
            match date {
                None => batch.push_text(text, at == 0),
                Some(date) => {
                    let period = date.of(text).map_err(|fault| Exclusion::NoDate(at, fault))?;
                    batch.push_text(period.as_bytes(), at == 0);
                }
            }
        }
        Ok(())
    }

    /// The first fault in the cells of `group_by`.
    #[cold]
    fn group_fault(&mut self, rows: &BlockRows<'_>) -> Option<Exclusion> {
        let scratch = &mut self.buffers.scratch;
        self.plan.group_by.iter().enumerate().find_map(|(at, GroupColumn { column, date })| {
            let text = trimmed(rows.bytes(self.columns[*column].field, scratch));
            match date {
                _ if text.is_empty() => Some(Exclusion::NoGroup(*column)),
                None => None,
                Some(date) => date.of(text).err().map(|fault| Exclusion::NoDate(at, fault)),
            }
        })
    }

    #[cold]
    fn reason(&mut self, rows: &BlockRows<'_>, exclusion: Exclusion) -> Reason {
        // A missing group outranks a bad number. `row` evaluates the numbers first only because that is cheaper.
        let exclusion = match exclusion {
            Exclusion::Fault(ExpressionRef::Formula(_), _) => self.group_fault(rows).unwrap_or(exclusion),
            exclusion => exclusion,
        };
        let (plan, columns, scratch) = (self.plan, &self.columns, &mut self.buffers.scratch);
        let name = |column: usize| plan.columns.get(column).map(|Column { name, .. }| name.clone()).unwrap_or_default();
        let text =
            |condition: &Option<(_, String)>| condition.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
        match exclusion {
            Exclusion::NotTrue | Exclusion::Skipped => Reason::Check { check: text(&plan.check) },
            Exclusion::NoGroup(column) => Reason::NoGroup { column: name(column) },
            Exclusion::NoDate(at, fault) => {
                let Some(GroupColumn { column, date: Some(date) }) = plan.group_by.get(at).copied() else {
                    return Reason::NoGroup { column: String::new() };
                };
                let cell = trimmed(rows.bytes(columns[column].field, scratch));
                let (column, found) = (name(column), shown(cell));
                match fault {
                    DateFault::NotADate => Reason::NotADate { column, found, cure: date.cure(cell) },
                    DateFault::Unclear => Reason::UnclearDate { column, found },
                }
            }
            Exclusion::Fault(_, Fault::NotANumber(column)) => {
                let cell = trimmed(rows.bytes(columns[column].field, scratch));
                Reason::NotANumber { column: name(column), found: shown(cell), cure: cure(self.numbers, cell) }
            }
            Exclusion::Fault(ExpressionRef::Filter, Fault::OutOfRange) => {
                Reason::OutOfRange { expression: text(&plan.filter) }
            }
            Exclusion::Fault(ExpressionRef::Check, Fault::OutOfRange) => {
                Reason::OutOfRange { expression: text(&plan.check) }
            }
            Exclusion::Fault(ExpressionRef::Formula(formula), Fault::OutOfRange) => {
                let part = plan.parts.iter().find(|part| part.formula == formula);
                Reason::OutOfRange { expression: part.map(|part| part.text.clone()).unwrap_or_default() }
            }
        }
    }
}

/// The cells of the current row.
struct RowCells<'a, 'b, N> {
    rows: &'a BlockRows<'b>,
    scratch: &'a mut String,
    numbers: N,
    columns: &'a mut [ColumnState],
}

impl<N: ParseNumber> Cells for RowCells<'_, '_, N> {
    #[inline]
    fn text(&mut self, column: usize) -> Option<&[u8]> {
        let text = trimmed(self.rows.bytes(self.columns[column].field, self.scratch));
        (!text.is_empty()).then_some(text)
    }

    #[inline]
    fn number(&mut self, column: usize) -> Result<Option<Number>, Fault> {
        let state = &mut self.columns[column];
        let text = trimmed(self.rows.bytes(state.field, self.scratch));
        if text.is_empty() {
            return Ok(None);
        }
        match self.numbers.parse(text, state) {
            None if !self.numbers.is_null(text) => Err(Fault::NotANumber(column)),
            number => Ok(number),
        }
    }
}

/// Trims white space from valid UTF-8.
#[inline]
pub(crate) fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        [only] if only.is_ascii_graphic() => text,
        _ => std::str::from_utf8(text).map_or(text, |text| text.trim().as_bytes()),
    }
}

fn shown(cell: &[u8]) -> String {
    /// Most characters of a cell that a reject shows.
    const MAX_SHOWN_CHARS: usize = 40;
    String::from_utf8_lossy(cell).chars().take(MAX_SHOWN_CHARS).collect()
}
