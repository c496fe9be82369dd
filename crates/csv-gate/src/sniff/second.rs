//! Finds a second table of other columns behind the rows, after an empty line. Read on, its rows would be rows of the
//! first one with cells in the wrong columns.

use memchr::memmem;

use super::{
    fit::with_spans,
    profile::{ColumnProfile, Profile, without_empty_lines},
    start::may_be_header,
};
use crate::{
    LineEnd, folded,
    split::{Fields, Splitter, Step},
    window::End,
};

/// A record of a sample.
struct Record<'a> {
    start: usize,
    next: usize,
    cells: Vec<&'a [u8]>,
    after_empty_line: bool,
}

/// A line that may be the title or the header of a second table.
struct Candidate<'a> {
    rest: &'a [u8],
    end: End,
    splitter: &'a Splitter,
    /// The header of the file.
    names: &'a [String],
    rows: &'a Profile,
    /// Whether records of another width are rejects.
    is_strict: bool,
}

/// Returns the start of the title or of the header of a second table, in a sample that begins with the header. `is_strict`: rows of another width than the header are rejects.
pub(crate) fn second_table(text: &[u8], end: End, splitter: &Splitter, is_strict: bool) -> Option<usize> {
    let empty_lines: &[&[u8]] = match splitter.line_end {
        LineEnd::Lf => &[b"\n\n", b"\n\r\n"],
        LineEnd::Cr => &[b"\r\r"],
    };
    // Almost all files end here.
    if !empty_lines.iter().any(|lines| memmem::find(text, lines).is_some()) {
        return None;
    }
    let splitter = &with_spans(splitter);
    let skipped = text.len() - without_empty_lines(text).len();
    let header = record(text, skipped, end, splitter)?;
    let names: Vec<_> = header.cells.iter().map(|cell| folded(&String::from_utf8_lossy(cell))).collect();
    let mut rows = Profile { columns: vec![ColumnProfile::default(); names.len()], ..Profile::default() };
    let mut at = header.next;
    while let Some(found) = record(text, at, end, splitter) {
        let rest = &text[found.start..];
        let candidate = Candidate { rest, end, splitter, names: &names, rows: &rows, is_strict };
        if found.after_empty_line && names.len() > 1 && rows.rows > 0 && candidate.is_second() {
            return Some(found.start);
        }
        if found.cells.len() == names.len() {
            rows.rows += 1;
            found.cells.iter().zip(&mut rows.columns).for_each(|(cell, column)| column.add(cell));
        }
        at = found.next;
    }
    None
}

/// Reads the record at `at`, or behind the empty lines there. None at the end, and where a record is malformed: no
/// table is found behind it.
fn record<'a>(text: &'a [u8], at: usize, end: End, splitter: &Splitter) -> Option<Record<'a>> {
    let mut start = at;
    while let Some(len) = splitter.empty_line(&text[start..]) {
        start += len;
    }
    let rest = &text[start..];
    let mut fields = Fields::default();
    match splitter.split(rest, end, &mut fields) {
        Step::Record(record) if !rest.is_empty() => {
            let cells = fields.spans.iter().map(|span| &rest[span.start..span.end]).collect();
            Some(Record { start, next: start + record.next, cells, after_empty_line: start > at })
        }
        _ => None,
    }
}

impl Candidate<'_> {
    fn is_second(&self) -> bool {
        let Some(first) = record(self.rest, 0, self.end, self.splitter) else { return false };
        let mut filled = first.cells.iter().filter(|cell| !cell.trim_ascii().is_empty());
        let is_title = filled.next().is_some() && filled.next().is_none();
        if !is_title {
            return self.is_header(&first, false);
        }
        record(self.rest, first.next, self.end, self.splitter).is_some_and(|header| self.is_header(&header, true))
    }

    fn is_header(&self, header: &Record<'_>, is_titled: bool) -> bool {
        let cells = &header.cells;
        if cells.len() < 2 || !may_be_header(cells) {
            return false;
        }
        let known = |cell: &&&[u8]| self.names.contains(&folded(&String::from_utf8_lossy(cell)));
        let shared = cells.iter().filter(known).count();
        if shared == cells.len() {
            // The header of the file again.
            return false;
        }
        let columns = || self.rows.columns.iter().zip(cells);
        let numbers = columns().filter(|(column, _)| column.is_numeric() && column.empty == 0).count();
        // Below a title one column is enough, and a few rows.
        let (columns, rows) = if is_titled { (1, 2) } else { (2, 3) };
        let is_other_kind = numbers >= columns && self.rows.rows >= rows;
        let is_other_width = self.is_strict && cells.len() != self.names.len() && self.has_rows(header);
        shared > 0 || is_other_kind || is_other_width
    }

    /// Whether the records below a header have its width, up to an empty line.
    fn has_rows(&self, header: &Record<'_>) -> bool {
        let (mut at, mut rows) = (header.next, 0);
        while let Some(found) = record(self.rest, at, self.end, self.splitter).filter(|found| !found.after_empty_line) {
            if found.cells.len() != header.cells.len() {
                return false;
            }
            rows += 1;
            at = found.next;
        }
        rows > 0
    }
}
