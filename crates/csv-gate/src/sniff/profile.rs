//! The kinds of cells in each column of a sample: the evidence that tells a header, units or a total from rows.

use super::fit::{Piece, Sample, comment, with_spans};
use crate::split::{End, Fields, Splitter, Step};

/// Bytes in which records are looked at: enough to know a column, and quick.
pub(crate) const PROFILE_BYTES: usize = 32 << 10;
/// A file has no more footer lines that are records.
const LAST_RECORDS: usize = 4;

/// The kinds of cells in one column, in records of the right width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColumnProfile {
    pub(crate) empty: u64,
    pub(crate) numbers: u64,
    pub(crate) texts: u64,
    /// Cells that begin with a blank.
    pub(super) indented: u64,
    /// Cells of text without a digit.
    pub(super) lacks_digit: u64,
}

/// The records of a sample behind its header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) columns: Vec<ColumnProfile>,
    /// Records of the right width.
    pub(crate) rows: u64,
    /// Other records.
    pub(crate) misfits: u64,
    /// Other records, not counting the last few of a file.
    pub(crate) early_misfits: u64,
    /// Whether the sample is all of the file.
    pub(crate) is_whole: bool,
}

/// The kind of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    /// Digits, and the signs that numbers, dates and times have.
    Number,
    Text,
}

impl ColumnProfile {
    /// Whether all cells that are not empty are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.texts == 0 && self.numbers > 0
    }

    pub(super) fn add(&mut self, cell: &[u8]) {
        match kind(cell) {
            Kind::Empty => self.empty += 1,
            Kind::Number => self.numbers += 1,
            Kind::Text => {
                self.texts += 1;
                self.lacks_digit += u64::from(!has_digit(cell));
            }
        }
        self.indented += u64::from(cell.first() == Some(&b' '));
    }
}

/// Returns the kind of a cell, whatever the blanks around it.
pub(crate) fn kind(cell: &[u8]) -> Kind {
    let cell = cell.trim_ascii();
    let may_be_number = |byte: &u8| byte.is_ascii_digit() || b"+-.,:/' ()%$".contains(byte) || !byte.is_ascii();
    match cell {
        [] => Kind::Empty,
        _ if cell.iter().any(u8::is_ascii_digit) && cell.iter().all(may_be_number) => Kind::Number,
        _ => Kind::Text,
    }
}

pub(super) fn has_digit(cell: &[u8]) -> bool {
    cell.iter().any(u8::is_ascii_digit)
}

/// Returns the cells of the record at the start of `text`, and its length with the line end.
pub(crate) fn first_record<'a>(text: &'a [u8], end: End, splitter: &Splitter) -> Option<(Vec<&'a [u8]>, usize)> {
    let mut fields = Fields::default();
    match with_spans(splitter).split(text, end, &mut fields) {
        Step::Record(record) => Some((fields.cells(text), record.next)),
        _ => None,
    }
}

/// Profiles the records at the start of `sample` from number `skipped` on.
pub(super) fn profile(sample: Sample<'_>, splitter: &Splitter, columns: usize, skipped: usize) -> Profile {
    let is_whole = sample.end == End::Eof && sample.text.len() <= PROFILE_BYTES;
    let sample = Sample {
        text: &sample.text[..sample.text.len().min(PROFILE_BYTES)],
        end: if is_whole { End::Eof } else { End::More },
        ..sample
    };
    let mut profile = Profile { columns: vec![ColumnProfile::default(); columns], is_whole, ..Profile::default() };
    let (mut records, mut misfits) = (0, Vec::new());
    sample.read(&with_spans(splitter), |piece, fields| {
        let cells: Vec<_> = match piece {
            Piece::Cut(_) => return,
            Piece::Record(text, _) => fields.cells(text),
            Piece::Malformed => Vec::new(),
        };
        if is_blank(&cells) {
            return;
        }
        records += 1;
        if records > skipped && without_trailing(&cells, columns).len() == columns {
            profile.rows += 1;
            cells.iter().zip(&mut profile.columns).for_each(|(cell, column)| column.add(cell));
        } else if records > skipped {
            misfits.push(records);
        }
    });
    let is_early = |at: &&usize| !is_whole || **at + LAST_RECORDS <= records;
    profile.misfits = misfits.len() as u64;
    profile.early_misfits = misfits.iter().filter(is_early).count() as u64;
    profile
}

/// Profiles the records below the header with which `text` begins.
pub(crate) fn of_sample(text: &[u8], end: End, splitter: &Splitter) -> Option<Profile> {
    let text = from_record(text, end, splitter);
    let (names, _) = first_record(text, end, splitter)?;
    Some(profile(Sample { text, end, columns: None }, splitter, names.len(), 1))
}

/// Whether the first cells of the records below the header with which `text` begins are 1, 2, 3 and so on.
pub(crate) fn are_counted(text: &[u8], end: End, splitter: &Splitter) -> bool {
    /// Enough to tell a count from keys.
    const MAX_RECORDS: usize = 20;
    let mut rest = from_record(text, end, splitter);
    let mut counted = 0;
    for number in 0..=MAX_RECORDS {
        let Some((cells, len)) = first_record(rest, end, splitter).filter(|_| !rest.is_empty()) else { break };
        if number > 0 && cells[0].trim_ascii() != number.to_string().as_bytes() {
            return false;
        }
        counted = number;
        rest = from_record(&rest[len..], end, splitter);
    }
    counted > 1
}

/// Profiles the records of a text without a header.
pub(crate) fn of_rows(text: &[u8], end: End, splitter: &Splitter, columns: usize) -> Profile {
    profile(Sample { text, end, columns: None }, splitter, columns, 0)
}

/// Leaves out the empty lines and the comments at the start of a text.
pub(crate) fn from_record<'a>(mut text: &'a [u8], end: End, splitter: &Splitter) -> &'a [u8] {
    while let Some(len) = splitter.empty_line(text).or_else(|| comment(splitter, text, end)) {
        text = &text[len..];
    }
    text
}

/// Leaves out the empty cell behind a delimiter at the end of a row that the header lacks.
pub(crate) fn without_trailing<'a, 'b>(cells: &'a [&'b [u8]], columns: usize) -> &'a [&'b [u8]] {
    match cells {
        [rest @ .., last] if cells.len() == columns + 1 && last.is_empty() => rest,
        _ => cells,
    }
}

/// Whether all cells of a record are empty, as spreadsheets write an empty row.
pub(super) fn is_blank(cells: &[&[u8]]) -> bool {
    cells.len() > 1 && cells.iter().all(|cell| cell.trim_ascii().is_empty())
}
