//! Finds the lines below the last row that are not rows: totals, counts and notes. Only lines that cannot be rows of the
//! file are taken: every other one stays a row or a reject.

mod words;

pub(crate) use words::without_count;
use words::{is_amount, is_count, is_mark, is_total_word};

use crate::{
    sniff::profile::{Kind, Profile, first_record, kind, without_trailing},
    split::{End, Quoting, Splitter},
};

/// Bytes at the end of a file in which a footer is searched.
pub(crate) const TAIL_BYTES: usize = 4 << 10;
/// Most lines of a footer that are not empty.
const MAX_LINES: usize = 12;
/// Most bytes of empty rows at the end of a file that do not count among these. Spreadsheets write thousands of such rows.
const MAX_PADDING_BYTES: usize = 256 << 10;

/// Knows the rows of a file, to tell a footer from them.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) splitter: Splitter,
    /// The rows at the beginning of the file.
    pub(crate) profile: Profile,
    /// Whether a line of one cell is a row.
    pub(crate) is_padded: bool,
}

/// A line at the end of a file.
#[derive(Debug)]
struct TailLine<'a> {
    start: usize,
    cells: Vec<&'a [u8]>,
    kind: LineKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineKind {
    /// Nothing, or blanks.
    Blank,
    /// Empty cells.
    Padded,
    /// Zeros, as a crash leaves them.
    Zeros,
    /// It says how many rows there are.
    Count,
    /// A word for a total, numbers, and empty cells.
    Total,
    /// One cell of several words, or of dashes.
    Note,
    /// The same in the first of several cells, of which the others are empty.
    PaddedNote,
    /// A note that is none of a product, such as a page number, in the first of several cells.
    Mark,
    Comment,
}

impl Tail {
    /// The most bytes at the end of `text` in which the footer is searched.
    pub(crate) fn reach(&self, text: &[u8]) -> usize {
        TAIL_BYTES + self.padding(text)
    }

    /// The number of bytes at the end of a text that may be those of empty rows.
    fn padding(&self, text: &[u8]) -> usize {
        let text = &text[text.len().saturating_sub(MAX_PADDING_BYTES)..];
        let is_padding = |byte: &u8| b"\r\n \t".contains(byte) || self.splitter.delimiter.contains(byte);
        text.len() - text.iter().rposition(|byte| !is_padding(byte)).map_or(0, |last| last + 1)
    }

    /// Returns the start of the footer in the text at the end of a file, or its length if it has none. `is_line_start`:
    /// the text begins at the start of a line.
    pub(crate) fn find(&self, text: &[u8], is_line_start: bool) -> usize {
        // A single cell may hold anything.
        if self.profile.columns.len() < 2 {
            return text.len();
        }
        let lines = self.last_lines(text, is_line_start);
        let start = lines.first().map_or(text.len(), |line| line.start);
        let has_marks = self.begins_with_mark(&text[..start]);
        let mut before = LineKind::Total;
        let mut padded = None;
        for line in &lines {
            let after_blank = matches!(before, LineKind::Blank | LineKind::Padded);
            let is_footer = match line.kind {
                LineKind::Blank | LineKind::Padded | LineKind::Zeros => false,
                LineKind::Count => true,
                LineKind::Total => self.is_total(line, &lines),
                LineKind::Mark => !has_marks && self.lacks_cell(line, &lines),
                LineKind::PaddedNote => {
                    after_blank && self.profile.columns[0].empty == 0 && self.lacks_cell(line, &lines)
                }
                LineKind::Note => !self.is_padded && after_blank,
                LineKind::Comment => !self.is_padded,
            };
            if is_footer {
                return padded.unwrap_or(line.start);
            }
            padded = if line.kind == LineKind::Padded { padded.or(Some(line.start)) } else { None };
            before = line.kind;
        }
        self.empty_rows(text, &lines)
    }

    /// Returns the start of the empty rows at the end of a file that has others. One alone may be a row whose writer lost its
    /// cells. Empty lines need not be left out, and an empty text in quotes is a cell.
    fn empty_rows(&self, text: &[u8], lines: &[TailLine<'_>]) -> usize {
        const MIN_ROWS: usize = 2;
        let (mut end, mut found, mut rows) = (text.len(), text.len(), 0);
        for line in lines.iter().rev() {
            let row = &text[line.start..end];
            let is_empty = matches!(line.kind, LineKind::Blank | LineKind::Padded);
            if !is_empty || self.splitter.quoting.quote.is_some_and(|quote| row.contains(&quote)) {
                break;
            }
            if !row.iter().all(|byte| b"\r\n".contains(byte)) {
                found = line.start;
                rows += 1;
            }
            end = line.start;
        }
        if self.profile.rows > 0 && rows >= MIN_ROWS { found } else { text.len() }
    }

    /// Whether the last row of a text begins with a cell that would look like a footer below other rows.
    fn begins_with_mark(&self, text: &[u8]) -> bool {
        let start = self.line_start(text).unwrap_or(0);
        let row = first_record(&text[start..], End::Eof, &self.splitter);
        let first = row.as_ref().and_then(|(cells, _)| cells.first()).map(|cell| String::from_utf8_lossy(cell));
        first.is_some_and(|first| is_mark(&first.trim().to_lowercase()))
    }

    /// The lines at the end that may belong to a footer, in order.
    fn last_lines<'a>(&self, text: &'a [u8], is_line_start: bool) -> Vec<TailLine<'a>> {
        let mut found: Vec<TailLine<'_>> = Vec::new();
        let (mut end, mut filled) = (text.len(), 0);
        while end > 0 && filled < MAX_LINES {
            let start = self.line_start(&text[..end]);
            let Some(start) = start.or(is_line_start.then_some(0)) else { break };
            let Some(line) = self.line(start, &text[start..end]).filter(|_| !self.is_escaped(&text[..start])) else {
                break;
            };
            filled += usize::from(!matches!(line.kind, LineKind::Blank | LineKind::Padded));
            found.push(line);
            end = start;
        }
        found.reverse();
        found
    }

    /// Whether a text ends where a line does.
    pub(crate) fn ends_line(&self, text: &[u8]) -> bool {
        let end = if self.splitter.crlf_only { &b"\r\n"[..] } else { &[self.splitter.line_end.byte()] };
        text.ends_with(end)
    }

    /// Returns the start of the last line of a text, if it does not begin above the text.
    fn line_start(&self, text: &[u8]) -> Option<usize> {
        let before = &text[..text.len().saturating_sub(1)];
        let mut ends = memchr::memrchr_iter(self.splitter.line_end.byte(), before);
        ends.find(|at| !self.splitter.crlf_only || text[..*at].ends_with(b"\r")).map(|at| at + 1)
    }

    /// Whether the line end with which a text ends may be part of a cell.
    fn is_escaped(&self, text: &[u8]) -> bool {
        text.trim_ascii_end().last().is_some_and(|last| Some(*last) == self.splitter.quoting.escape)
    }

    fn line<'a>(&self, start: usize, text: &'a [u8]) -> Option<TailLine<'a>> {
        if text.trim_ascii().is_empty() {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Blank });
        }
        if text.trim_ascii().iter().all(|byte| *byte == 0) {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Zeros });
        }
        let (cells, len) = first_record(text, End::Eof, &self.splitter).filter(|_| !self.may_be_quoted(text))?;
        if len != text.len() || std::str::from_utf8(text).is_err() {
            return None;
        }
        // No record of the profile, so it has no cells that could be compared.
        if self.splitter.is_comment(text, End::Eof) == Some(true) {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Comment });
        }
        let cells = without_trailing(&cells, self.profile.columns.len()).to_vec();
        let mut filled = cells.iter().map(|cell| cell.trim_ascii()).filter(|cell| !cell.is_empty());
        let Some(first) = filled.next() else {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Padded });
        };
        let first = String::from_utf8_lossy(first).to_lowercase();
        let is_alone = filled.next().is_none();
        let is_note = first.contains(' ') || is_mark(&first);
        let is_padded = is_alone && cells.len() > 2 && !cells[0].trim_ascii().is_empty();
        let kind = if is_alone && is_count(&first) {
            LineKind::Count
        } else if is_padded && is_mark(&first) {
            LineKind::Mark
        } else if is_total_word(&first) {
            LineKind::Total
        } else if cells.len() == 1 && (first.starts_with('#') || first.starts_with("-- ")) {
            LineKind::Comment
        } else if is_note && cells.len() == 1 {
            LineKind::Note
        } else if is_note && is_padded {
            LineKind::PaddedNote
        } else {
            return None;
        };
        Some(TailLine { start, cells, kind })
    }

    /// Whether a line may stand inside quotes. Then it holds an odd number of them, unless some are text.
    fn may_be_quoted(&self, text: &[u8]) -> bool {
        let Quoting { quote, escape, lenient, .. } = self.splitter.quoting;
        let count = |byte: Option<u8>| byte.map_or(0, |byte| memchr::memchr_iter(byte, text).count());
        let quotes = count(quote);
        quotes > 0 && (lenient || count(escape) > 0 || !quotes.is_multiple_of(2))
    }

    /// Whether a total lacks a cell that every row has, and holds only numbers beside its word.
    fn is_total(&self, line: &TailLine<'_>, lines: &[TailLine<'_>]) -> bool {
        let is_text = |cell: &&&[u8]| kind(cell) == Kind::Text && !is_amount(cell);
        line.cells.iter().filter(is_text).count() == 1 && self.lacks_cell(line, lines)
    }

    /// Whether a line lacks a cell that every row has.
    fn lacks_cell(&self, line: &TailLine<'_>, lines: &[TailLine<'_>]) -> bool {
        let columns = &self.profile.columns;
        let is_empty =
            |line: &TailLine<'_>, at: usize| line.cells.get(at).is_none_or(|cell| cell.trim_ascii().is_empty());
        // The footer is part of the profile if the sample is all of the file.
        let of_rows: Vec<_> =
            lines.iter().filter(|line| self.profile.is_whole && line.cells.len() == columns.len()).collect();
        let lacks = |at: usize| {
            let in_footer = of_rows.iter().filter(|line| is_empty(line, at)).count() as u64;
            is_empty(line, at) && columns[at].empty <= in_footer
        };
        let rows = self.profile.rows.saturating_sub(of_rows.len() as u64);
        rows > 0 && line.cells.len() <= columns.len() && (0..columns.len()).any(lacks)
    }
}

#[cfg(test)]
mod tests;
