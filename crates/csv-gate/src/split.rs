//! Splits text into records and fields by the rules of docs/reference/csv-rules.md#records-and-fields. Pure: it takes a window of bytes and
//! returns the record at its start. It knows nothing of headers and encodings.
//!
//! A field that begins with the quote is quoted. Inside it, a doubled quote is one quote, and an escape makes the next
//! byte plain. The closing quote is the first quote that is neither doubled nor escaped. A delimiter, a line end or the
//! end of the file must follow it, else the field is never closed properly. Because the search stops at that first
//! quote, lines that open quotes without closing them keep the work linear in the size of the file. With lenient quotes
//! the search goes on instead, so the table bounds how often it may fail.

mod aligned;
mod end;
mod escaped;
mod fields;
mod joint;
mod quoted;

use memchr::{memchr, memchr2};

pub(crate) use self::{
    end::End,
    fields::Fields,
    joint::{END_OF_FILE, joint, may_be_joint},
};
use crate::{LineEnd, Reason};

/// The quoting of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quoting {
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) rule: EscapeRule,
    /// A quote that neither a delimiter nor a line end follows is text.
    pub(crate) lenient: bool,
    /// Blanks between a quoted field and the delimiters around it are layout.
    pub(crate) blanks: bool,
}

/// The effect of the escape on itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EscapeRule {
    /// It is dropped.
    #[default]
    Dropped,
    /// It is dropped before a quote and before itself, and is text elsewhere.
    DroppedBeforeSpecial,
    /// It protects a quote and stays.
    Kept,
}

/// The syntax of records, and their limits.
#[derive(Clone, Debug)]
pub(crate) struct Splitter {
    /// Not empty; contains no line end, no quote and no escape. Two blanks stand for any more of them.
    pub(crate) delimiter: Vec<u8>,
    pub(crate) quoting: Quoting,
    /// The start of lines that are not rows; no line is one if it is empty.
    pub(crate) comment: Vec<u8>,
    pub(crate) line_end: LineEnd,
    /// Whether an LF without a CR before it is text.
    pub(crate) crlf_only: bool,
    pub(crate) field_bytes: usize,
    pub(crate) record_bytes: usize,
    /// Most spans to keep; further fields are only counted.
    pub(crate) spans_kept: usize,
    /// The number of columns, if a quoted field whose lines all look like rows is none; else 0.
    pub(crate) row_columns: usize,
    /// Whether an empty line is a row, as in a table of one column.
    pub(crate) empty_is_row: bool,
    /// Fields of any length, because nobody uses them; all others have a limit.
    pub(crate) unused: Vec<bool>,
}

/// The position of a field's text in its record, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether it contains doubled quotes or escapes.
    pub(crate) escaped: bool,
}

/// The start of a window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Undecided: the window must grow.
    More,
    /// A complete record.
    Record(Record),
    /// A record with a field that is never closed properly. `..end` is its text up to the end of the line on which the
    /// field begins, which is `lines` lines after the record's first. Reading continues at `next`, or, if there is
    /// none, at the first line end after the window.
    NeverClosed { end: usize, lines: u64, next: Option<usize>, fault: Fault },
    /// A record that fills the window and does not end in it. Reading continues at the next line; the window contains
    /// `lines` line ends.
    Endless { lines: u64, fault: Fault },
}

/// The fault of a record. Smaller than a [`Reason`], which every record would take along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NeverClosed,
    HoldsRows,
    FieldTooLong { limit: usize },
    RecordTooLong { limit: usize },
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NeverClosed => Self::NeverClosed { has_escape: false },
            Fault::HoldsRows => Self::HoldsRows,
            Fault::FieldTooLong { limit } => Self::FieldTooLong { limit },
            Fault::RecordTooLong { limit } => Self::RecordTooLong { limit },
        }
    }
}

/// A complete record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The end of its text, without the line end.
    pub(crate) end: usize,
    /// The start of the next record.
    pub(crate) next: usize,
    /// The number of line ends in `..next`.
    pub(crate) lines: u64,
    /// The number of fields; the first ones are in [`Fields::spans`].
    pub(crate) fields: usize,
    /// Whether a quote in it is text only because quotes are lenient.
    pub(crate) repaired: bool,
    /// Whether a quoted field in it perhaps holds rows.
    pub(crate) doubtful: bool,
    /// The limit that it exceeds, if any.
    pub(crate) fault: Option<Fault>,
}

/// The result of splitting off one field.
enum Field {
    More,
    NeverClosed,
    /// A quoted field whose lines all look like rows.
    HoldsRows,
    Endless,
    /// A complete field. `extra` bytes of its span are escapes or first halves of doubled quotes.
    Text {
        span: Span,
        extra: usize,
        lines: u64,
        stop: Stop,
    },
}

/// The end of a field.
enum Stop {
    Field { next: usize },
    Record { end: usize, next: usize },
}

impl Splitter {
    /// The usual syntax, with commas.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            delimiter: b",".to_vec(),
            quoting: Quoting { quote: Some(b'"'), ..Quoting::default() },
            comment: Vec::new(),
            line_end: LineEnd::Lf,
            crlf_only: false,
            field_bytes: 1 << 20,
            record_bytes: 1 << 20,
            spans_kept: 0,
            row_columns: 0,
            empty_is_row: false,
            unused: Vec::new(),
        }
    }

    /// Returns the length of the empty line at the start of the window, if there is one that is not a row.
    #[inline]
    pub(crate) fn skipped_line(&self, window: &[u8]) -> Option<usize> {
        if self.empty_is_row { None } else { self.empty_line(window) }
    }

    /// Returns the length of the empty line at the start of the window, if there is one.
    #[inline]
    pub(crate) fn empty_line(&self, window: &[u8]) -> Option<usize> {
        match (self.line_end, window) {
            (LineEnd::Lf, [b'\n', ..]) if self.crlf_only => None,
            (LineEnd::Lf, [b'\n', ..]) | (LineEnd::Cr, [b'\r', ..]) => Some(1),
            (LineEnd::Lf, [b'\r', rest @ ..]) => {
                let more = rest.iter().take_while(|byte| **byte == b'\r').count();
                (rest.get(more) == Some(&b'\n')).then_some(more + 2)
            }
            _ => None,
        }
    }

    /// Whether a record certainly begins at the start of the window, as almost everywhere.
    #[inline]
    pub(crate) fn begins_record(&self, window: &[u8]) -> bool {
        self.comment.is_empty()
            && window.len() > 1
            && !matches!(window[0], b'\r' | b'\n' | joint::END_OF_FILE | joint::FIRST_OF_MARK)
    }

    /// Whether the line at the start of the window is a comment; none if the window must grow to decide.
    #[inline]
    pub(crate) fn is_comment(&self, window: &[u8], end: End) -> Option<bool> {
        match window.get(..self.comment.len()) {
            _ if self.comment.is_empty() => Some(false),
            Some(start) => Some(start == self.comment),
            None if end == End::More && self.comment.starts_with(window) => None,
            None => Some(false),
        }
    }

    /// Whether every delimiter and line end of the text counts, because nothing in it is quoted or escaped.
    pub(crate) fn is_plain(&self, text: &[u8]) -> bool {
        let special = self.quoting.quote.or(self.quoting.escape);
        !self.crlf_only && special.is_none_or(|special| memchr(special, text).is_none())
    }

    /// Splits off the record at the start of the window and stores its fields in `found`.
    pub(crate) fn split(&self, window: &[u8], end: End, found: &mut Fields) -> Step {
        found.clear();
        let Some(quote) = self.quoting.quote.filter(|_| self.is_usual()) else {
            return self.split_unusual(window, end, found);
        };
        self.split_by(window, end, found, |at, found| match window.get(at) {
            Some(first) if *first == quote => self.quoted(window, end, at, found),
            _ => self.plain(window, end, at, false),
        })
    }

    fn is_usual(&self) -> bool {
        !self.quoting.blanks && !self.crlf_only && !self.is_aligned()
    }

    /// Splits off a record of another file than most. The usual loop is faster without these.
    #[inline(never)]
    fn split_unusual(&self, window: &[u8], end: End, found: &mut Fields) -> Step {
        if let (None, Some(escape)) = (self.quoting.quote, self.quoting.escape) {
            found.control = true;
            return self.split_by(window, end, found, |at, found| self.escaped(window, end, at, escape, found));
        }
        self.split_by(window, end, found, |at, found| match self.opening_quote(window, at) {
            Some(open) => self.quoted(window, end, open, found),
            None if self.is_aligned() => self.aligned(window, end, at),
            None => self.plain(window, end, at, self.crlf_only),
        })
    }

    /// Splits off a record whose fields `split_field` splits off. One loop for each kind of fields: if a field came
    /// from a function that is not inlined, it would be passed in memory, and splitting would take half as long again.
    #[inline(always)]
    fn split_by(
        &self,
        window: &[u8],
        end: End,
        found: &mut Fields,
        mut split_field: impl FnMut(usize, &mut Fields) -> Field,
    ) -> Step {
        let (mut at, mut fields, mut lines, mut long_field) = (0, 0, 0, false);
        loop {
            let field = split_field(at, found);
            match field {
                Field::More => return Step::More,
                Field::NeverClosed => return self.never_closed(window, end, at, lines, Fault::NeverClosed),
                Field::HoldsRows => return self.never_closed(window, end, at, lines, Fault::HoldsRows),
                Field::Endless => {
                    long_field |= window.len() - at > self.field_bytes;
                    return Step::Endless { lines, fault: self.too_long(long_field) };
                }
                Field::Text { span, extra, lines: inside, stop } => {
                    fields += 1;
                    lines += inside;
                    long_field |= span.end - span.start - extra > self.field_bytes && !self.is_unused(fields - 1);
                    if found.spans.len() < self.spans_kept {
                        found.spans.push(span);
                    }
                    match stop {
                        Stop::Field { next } => at = next,
                        Stop::Record { end, next } => {
                            let fault = (long_field || end > self.record_bytes).then(|| self.too_long(long_field));
                            let Fields { repaired, doubtful, .. } = *found;
                            let lines = lines + 1;
                            return Step::Record(Record { end, next, lines, fields, repaired, doubtful, fault });
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn plain(&self, window: &[u8], end: End, start: usize, crlf_only: bool) -> Field {
        let text =
            |to, lines, stop| Field::Text { span: Span { start, end: to, escaped: false }, extra: 0, lines, stop };
        let (mut at, mut lines) = (start, 0);
        while let Some(found) = memchr2(self.delimiter[0], self.line_end.byte(), &window[at..]) {
            let hit = at + found;
            if window[hit] == self.line_end.byte() {
                if crlf_only && !window[start..hit].ends_with(b"\r") {
                    lines += 1;
                    at = hit + 1;
                    continue;
                }
                let end = self.without_cr(window, start, hit);
                return text(end, lines, Stop::Record { end, next: hit + 1 });
            }
            if self.delimits(&window[hit..]) {
                return text(hit, lines, Stop::Field { next: hit + self.delimiter.len() });
            }
            at = hit + 1;
        }
        match end {
            End::More => Field::More,
            End::Full => Field::Endless,
            // A file may be cut between the CR and the LF of its last line.
            End::Eof => {
                let end = self.without_cr(window, start, window.len());
                text(end, lines, Stop::Record { end, next: window.len() })
            }
        }
    }

    fn delimits(&self, text: &[u8]) -> bool {
        match *self.delimiter {
            // The common case: comparing slices would cost as much as searching for the byte.
            [byte] => text.first() == Some(&byte),
            _ => text.starts_with(&self.delimiter),
        }
    }

    fn never_closed(&self, window: &[u8], end: End, field: usize, lines: u64, fault: Fault) -> Step {
        match (memchr(self.line_end.byte(), &window[field..]), end) {
            (Some(found), _) => {
                let at = field + found;
                Step::NeverClosed { end: self.without_cr(window, field, at), lines, next: Some(at + 1), fault }
            }
            (None, End::More) => Step::More,
            (None, End::Eof) => Step::NeverClosed { end: window.len(), lines, next: Some(window.len()), fault },
            (None, End::Full) => Step::NeverClosed { end: window.len(), lines, next: None, fault },
        }
    }

    /// Leaves out the CRs before an LF, because they belong to the line end. Some programs write two.
    #[inline]
    pub(crate) fn without_cr(&self, window: &[u8], start: usize, line_end: usize) -> usize {
        let mut end = line_end;
        while self.line_end == LineEnd::Lf && window[start..end].ends_with(b"\r") {
            end -= 1;
        }
        end
    }

    #[cold]
    fn is_unused(&self, field: usize) -> bool {
        self.unused.get(field).is_some_and(|unused| *unused)
    }

    fn too_long(&self, field: bool) -> Fault {
        match field {
            true => Fault::FieldTooLong { limit: self.field_bytes },
            false => Fault::RecordTooLong { limit: self.record_bytes },
        }
    }
}
