//! Splits text into records and fields by the rules of CONTRACT.md section 2. Pure: it looks at a window of bytes and
//! says what it begins with. It knows no header and no encoding.
//!
//! A field that begins with the quote is quoted. Inside, a doubled quote is one quote, and an escape makes the next
//! byte plain. The closing quote is the first one that is neither; it must be followed by a delimiter, a line end or
//! the end of the file, else the field is never closed properly. Because the search stops at that first quote, lines
//! that open quotes without closing them cannot make the work grow faster than the file.

use memchr::{memchr, memchr_iter, memchr2};

use crate::text::End;
use crate::{LineEnd, Reason};

/// How records are written, and what they may cost.
#[derive(Clone, Debug)]
pub(crate) struct Splitter {
    /// Not empty; holds no line end, no quote and no escape.
    pub(crate) delimiter: Vec<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) line_end: LineEnd,
    pub(crate) field_bytes: usize,
    pub(crate) record_bytes: usize,
    /// How many spans are kept; further fields are only counted.
    pub(crate) spans_kept: usize,
}

/// Where a field's text lies in its record, its quotes left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// It holds doubled quotes or escapes.
    pub(crate) escaped: bool,
}

/// What a window begins with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It cannot be told yet: the window must grow.
    More,
    /// A whole record.
    Record(Record),
    /// A record with a field that is never closed properly. Its text up to the end of the line on which the field
    /// begins is `..end`; that line is the `lines`th after the record's first. Reading goes on at `next`, or, if there
    /// is none, at the end of the line behind the window.
    NeverClosed { end: usize, lines: u64, next: Option<usize> },
    /// A record that fills the window and is not over. Reading goes on behind the line; the window holds `lines` ends.
    Endless { lines: u64, fault: Reason },
}

/// A whole record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its text is `..end`, its line end left out.
    pub(crate) end: usize,
    /// Where the next one begins.
    pub(crate) next: usize,
    /// Line ends in `..next`.
    pub(crate) lines: u64,
    /// How many fields there are; the first of them are in the spans.
    pub(crate) fields: usize,
    /// A limit it passes.
    pub(crate) fault: Option<Reason>,
}

/// What a field comes to.
enum Field {
    More,
    NeverClosed,
    Endless,
    /// `extra` bytes of its span are doubled quotes' first halves and escapes.
    Text {
        span: Span,
        extra: usize,
        lines: u64,
        stop: Stop,
    },
}

/// What stands behind a field.
enum Stop {
    Field { next: usize },
    Record { end: usize, next: usize },
}

impl Splitter {
    /// Where an empty line that the window begins with ends. Empty lines are no rows.
    pub(crate) fn empty_line(&self, window: &[u8]) -> Option<usize> {
        match (self.line_end, window) {
            (LineEnd::Lf, [b'\n', ..]) | (LineEnd::Cr, [b'\r', ..]) => Some(1),
            (LineEnd::Lf, [b'\r', b'\n', ..]) => Some(2),
            _ => None,
        }
    }

    /// Splits off the record that the window begins with and leaves its fields in `spans`.
    pub(crate) fn split(&self, window: &[u8], end: End, spans: &mut Vec<Span>) -> Step {
        spans.clear();
        let (mut at, mut fields, mut lines, mut long_field) = (0, 0, 0, false);
        loop {
            let quoted = self.quote.is_some() && window.get(at) == self.quote.as_ref();
            let field = if quoted { self.quoted(window, end, at) } else { self.plain(window, end, at) };
            match field {
                Field::More => return Step::More,
                Field::NeverClosed => return self.never_closed(window, end, at, lines),
                Field::Endless => {
                    long_field |= window.len() - at > self.field_bytes;
                    return Step::Endless { lines, fault: self.too_long(long_field) };
                }
                Field::Text { span, extra, lines: inside, stop } => {
                    fields += 1;
                    lines += inside;
                    long_field |= span.end - span.start - extra > self.field_bytes;
                    if spans.len() < self.spans_kept {
                        spans.push(span);
                    }
                    match stop {
                        Stop::Field { next } => at = next,
                        Stop::Record { end, next } => {
                            let fault = (long_field || end > self.record_bytes).then(|| self.too_long(long_field));
                            return Step::Record(Record { end, next, lines: lines + 1, fields, fault });
                        }
                    }
                }
            }
        }
    }

    fn plain(&self, window: &[u8], end: End, start: usize) -> Field {
        let text = |to, stop| Field::Text { span: Span { start, end: to, escaped: false }, extra: 0, lines: 0, stop };
        let mut at = start;
        while let Some(found) = memchr2(self.delimiter[0], self.line_end.byte(), &window[at..]) {
            let hit = at + found;
            if window[hit] == self.line_end.byte() {
                let end = self.without_cr(window, start, hit);
                return text(end, Stop::Record { end, next: hit + 1 });
            }
            if window[hit..].starts_with(&self.delimiter) {
                return text(hit, Stop::Field { next: hit + self.delimiter.len() });
            }
            at = hit + 1;
        }
        match end {
            End::More => Field::More,
            End::Full => Field::Endless,
            // A file may be cut between the CR and the LF of its last line.
            End::Eof => {
                let end = self.without_cr(window, start, window.len());
                text(end, Stop::Record { end, next: window.len() })
            }
        }
    }

    fn quoted(&self, window: &[u8], end: End, start: usize) -> Field {
        let unfinished = if end == End::More { Field::More } else { Field::NeverClosed };
        let mut extra = 0;
        let mut at = start + 1;
        while let Some(found) = self.find_quote(&window[at..]) {
            let hit = at + found;
            let pair = match window.get(hit + 1) {
                Some(next) => self.escape == Some(window[hit]) || *next == window[hit],
                None if end == End::Eof => false,
                None => return unfinished,
            };
            if !pair {
                return self.behind_quotes(window, end, start, hit, extra);
            }
            extra += 1;
            at = hit + 2;
        }
        unfinished
    }

    fn find_quote(&self, text: &[u8]) -> Option<usize> {
        match (self.quote, self.escape) {
            (Some(quote), Some(escape)) => memchr2(quote, escape, text),
            (Some(quote), None) => memchr(quote, text),
            (None, _) => None,
        }
    }

    /// Looks behind the closing quote at `close`.
    fn behind_quotes(&self, window: &[u8], end: End, start: usize, close: usize, extra: usize) -> Field {
        let behind = &window[close + 1..];
        let stop = if behind.starts_with(&self.delimiter) {
            Stop::Field { next: close + 1 + self.delimiter.len() }
        } else if let Some(len) = self.empty_line(behind) {
            Stop::Record { end: close + 1, next: close + 1 + len }
        } else if behind.is_empty() && end == End::Eof && Some(window[close]) == self.quote {
            Stop::Record { end: close + 1, next: close + 1 }
        } else if behind == b"\r" && end == End::Eof && self.line_end == LineEnd::Lf {
            Stop::Record { end: close + 1, next: window.len() }
        } else if end == End::More && behind.len() < self.delimiter.len().max(2) {
            return Field::More;
        } else {
            return Field::NeverClosed;
        };
        let span = Span { start: start + 1, end: close, escaped: extra > 0 };
        let lines = memchr_iter(self.line_end.byte(), &window[span.start..span.end]).count() as u64;
        Field::Text { span, extra, lines, stop }
    }

    fn never_closed(&self, window: &[u8], end: End, field: usize, lines: u64) -> Step {
        match (memchr(self.line_end.byte(), &window[field..]), end) {
            (Some(found), _) => {
                let at = field + found;
                Step::NeverClosed { end: self.without_cr(window, field, at), lines, next: Some(at + 1) }
            }
            (None, End::More) => Step::More,
            (None, End::Eof) => Step::NeverClosed { end: window.len(), lines, next: Some(window.len()) },
            (None, End::Full) => Step::NeverClosed { end: window.len(), lines, next: None },
        }
    }

    /// A CR before LF belongs to the line end.
    fn without_cr(&self, window: &[u8], start: usize, line_end: usize) -> usize {
        let cr = self.line_end == LineEnd::Lf && window[start..line_end].ends_with(b"\r");
        line_end - usize::from(cr)
    }

    fn too_long(&self, field: bool) -> Reason {
        match field {
            true => Reason::FieldTooLong { limit: self.field_bytes },
            false => Reason::RecordTooLong { limit: self.record_bytes },
        }
    }

    /// The text of a quoted field whose span is marked as escaped.
    pub(crate) fn unescape(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(hit) = self.find_quote(rest.as_bytes()) {
            out.push_str(&rest[..hit]);
            // The pair's second half is text, whatever it is; the quote and the escape are ASCII, so both halves are
            // looked at as characters.
            let behind = &rest[hit + 1..];
            let len = behind.chars().next().map_or(0, char::len_utf8);
            out.push_str(&behind[..len]);
            rest = &behind[len..];
        }
        out.push_str(rest);
        out
    }
}
