//! Finds a second table of other columns behind the rows, after an empty line. Read on, its rows would be rows of the
//! first one with cells in the wrong columns.

use std::{collections::HashSet, iter::successors};

use memchr::memmem;

use super::{
    fit::{comment, with_spans},
    profile::{ColumnProfile, Kind, Profile, has_digit, is_blank, kind},
    start::{is_like, may_be_header},
};
use crate::{
    LineEnd, folded,
    split::{End, Fields, Splitter, Step},
};

/// A record of a sample.
struct Record<'a> {
    start: usize,
    next: usize,
    cells: Vec<&'a [u8]>,
    after_empty_line: bool,
}

/// A sample, and the rows above a line that may be the title or the header of a second table.
struct Above<'a> {
    text: &'a [u8],
    end: End,
    splitter: &'a Splitter,
    /// The header of the file.
    names: &'a [String],
    rows: &'a Profile,
    /// Whether records of another width are rejects.
    is_strict: bool,
}

/// A second table in a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Second {
    /// The start of its title or of its header.
    pub(crate) start: Option<usize>,
    /// The start of a row above it that may be the header of one.
    pub(crate) doubtful: Option<usize>,
}

/// Finds a second table in a sample that begins with the header. `is_strict`: rows of another width than the header are
/// rejects.
pub(crate) fn second_table(text: &[u8], end: End, splitter: &Splitter, is_strict: bool) -> Second {
    let splitter = &with_spans(splitter);
    let mut second = Second::default();
    let Some(header) = record(text, 0, end, splitter) else { return second };
    let padded = [b"\n", &splitter.delimiter.repeat(header.cells.len() - 1)[..]].concat();
    let empty_lines: &[&[u8]] = match splitter.line_end {
        LineEnd::Lf => &[b"\n\n", b"\n\r\n", &[&padded[..], b"\n"].concat(), &[&padded[..], b"\r\n"].concat()],
        LineEnd::Cr => &[b"\r\r"],
    };
    // Almost all files end here.
    if header.cells.len() < 2 || !empty_lines.iter().any(|lines| memmem::find(text, lines).is_some()) {
        return second;
    }
    let names: Vec<_> = header.cells.iter().map(|cell| self::name(cell)).collect();
    let mut rows = Profile { columns: vec![ColumnProfile::default(); names.len()], ..Profile::default() };
    let mut at = header.next;
    while let Some(found) = record(text, at, end, splitter) {
        let above = Above { text, end, splitter, names: &names, rows: &rows, is_strict };
        if found.after_empty_line && rows.rows > 0 {
            if above.is_second(&found) {
                second.start = Some(found.start);
                return second;
            }
            second.doubtful = second.doubtful.or(above.may_be_second(&found).then_some(found.start));
        }
        if found.cells.len() == names.len() {
            rows.rows += 1;
            found.cells.iter().zip(&mut rows.columns).for_each(|(cell, column)| column.add(cell));
        }
        at = found.next;
    }
    second
}

/// Reads the record at `at`, or behind the empty lines and comments there. None at the end, and where a record is malformed:
/// no table is found behind it.
fn record<'a>(text: &'a [u8], at: usize, end: End, splitter: &Splitter) -> Option<Record<'a>> {
    let (mut start, mut after_empty_line) = (at, false);
    let mut fields = Fields::default();
    loop {
        if let Some(len) = splitter.empty_line(&text[start..]) {
            start += len;
            after_empty_line = true;
            continue;
        }
        if let Some(len) = comment(splitter, &text[start..], end) {
            start += len;
            continue;
        }
        let rest = &text[start..];
        let Step::Record(record) = splitter.split(rest, end, &mut fields) else { return None };
        if rest.is_empty() {
            return None;
        }
        let next = start + record.next;
        let cells = fields.cells(rest);
        if !is_blank(&cells) {
            return Some(Record { start, next, cells, after_empty_line });
        }
        start = next;
        after_empty_line = true;
    }
}

/// A cell as the name of a column. A file that was joined to another may begin with a byte order mark.
fn name(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    folded(text.strip_prefix('\u{feff}').map_or(&*text, |text| text.trim().trim_matches('"')))
}

impl<'a> Above<'a> {
    /// Whether a record is the title or the header of a second table.
    fn is_second(&self, first: &Record<'a>) -> bool {
        let mut filled = first.cells.iter().filter(|cell| !cell.trim_ascii().is_empty());
        let is_title = filled.next().is_some() && filled.next().is_none();
        if !is_title {
            return self.is_header(first, false);
        }
        self.next(first).is_some_and(|header| self.is_header(&header, true))
    }

    /// Whether a record is the header of other columns, and the records below it are rows of these.
    fn is_header(&self, header: &Record<'a>, is_titled: bool) -> bool {
        let cells = &header.cells;
        let Some((shared, below)) = self.other_names(header) else { return false };
        // One name alone may be the text of a row of two columns.
        let is_name_of_row = shared == 1 && cells.len() == self.names.len();
        if 2 * shared >= cells.len() && !is_name_of_row {
            return true;
        }
        let is_likely =
            shared > 0 || self.is_other_kind(header, &below, is_titled) || self.is_other_width(header, &below);
        is_likely && !self.go_on(&below)
    }

    /// The number of names that a record shares with the header, and the records below it, if its cells are other names and not
    /// those of a row.
    fn other_names(&self, header: &Record<'a>) -> Option<(usize, Vec<Record<'a>>)> {
        let cells = &header.cells;
        if cells.len() < 2 || !may_be_header(cells) {
            return None;
        }
        let folded: HashSet<_> = cells.iter().map(|cell| self::name(cell)).collect();
        let shared = folded.iter().filter(|name| self.names.contains(name)).count();
        if shared >= cells.len() || folded.len() < cells.len() {
            return None;
        }
        let below = self.below(header);
        (!below.is_empty() && !below.iter().any(|row| is_like(cells, &row.cells))).then_some((shared, below))
    }

    /// Whether a record that is read as a row may be the header of other columns: it has text in a column of numbers, and the
    /// records below it have numbers again.
    fn may_be_second(&self, record: &Record<'a>) -> bool {
        let below = self.other_names(record).map(|(_, below)| below);
        record.cells.len() == self.names.len() && below.is_some_and(|below| self.is_other_kind(record, &below, true))
    }

    /// The first records below a header.
    fn below(&self, header: &Record<'_>) -> Vec<Record<'a>> {
        /// Enough to tell rows from rows.
        const MAX_RECORDS: usize = 100;
        successors(self.next(header), |record| self.next(record)).take(MAX_RECORDS).collect()
    }

    fn next(&self, before: &Record<'_>) -> Option<Record<'a>> {
        record(self.text, before.next, self.end, self.splitter)
    }

    /// Whether a header has text in columns of numbers, above numbers. Below a title one column of numbers is enough, and a few rows.
    fn is_other_kind(&self, header: &Record<'_>, below: &[Record<'_>], is_titled: bool) -> bool {
        let (columns, rows) = if is_titled { (1, 2) } else { (2, 3) };
        let of_numbers = self.rows.columns.iter().zip(&header.cells);
        let is_number = |at: usize| {
            let mut cells = below.iter().filter_map(|record| record.cells.get(at)).map(|cell| kind(cell));
            cells.clone().any(|kind| kind == Kind::Number) && cells.all(|kind| kind != Kind::Text)
        };
        of_numbers.filter(|(column, _)| column.is_numeric() && column.empty == 0).count() >= columns
            && self.rows.rows >= rows
            && (0..header.cells.len()).any(is_number)
    }

    /// Whether a header and the records below it, up to an empty line, have a width of their own.
    fn is_other_width(&self, header: &Record<'_>, below: &[Record<'_>]) -> bool {
        let width = header.cells.len();
        let mut rows = below.iter().take_while(|record| !record.after_empty_line).peekable();
        self.is_strict
            && width != self.names.len()
            && rows.peek().is_some()
            && rows.all(|record| record.cells.len() == width)
    }

    /// Whether most records go on with the first table: then the line above them is a row of it, or alone.
    fn go_on(&self, below: &[Record<'_>]) -> bool {
        let fits = |cell: &&[u8], column: &ColumnProfile| match kind(cell) {
            Kind::Empty => true,
            Kind::Number => column.numbers > 0 || column.texts > 0,
            Kind::Text => !column.is_numeric() && (2 * column.lacks_digit >= column.texts || has_digit(cell)),
        };
        let is_row = |record: &&Record<'_>| {
            let mut cells = record.cells.iter().zip(&self.rows.columns);
            record.cells.len() == self.names.len() && cells.all(|(cell, column)| fits(cell, column))
        };
        2 * below.iter().filter(is_row).count() > below.len()
    }
}
