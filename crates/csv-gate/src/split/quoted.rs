//! Quoted fields.

use memchr::{memchr, memchr_iter, memchr2, memmem, memrchr};

use super::{EscapeRule, Field, Fields, Span, Splitter, Stop};
use crate::{LineEnd, split::End};

/// The meaning of a quote or an escape inside a quoted field.
enum Mark {
    /// The escape or the first half of a doubled quote: it is dropped, and the next byte is text.
    Pair,
    /// Text.
    Text,
    /// The closing quote, or a byte in its place.
    Close,
    /// Unknown: the window ends here.
    Cut,
}

/// The content of a quoted field over several lines.
enum Held {
    Text,
    /// Perhaps rows.
    Doubtful,
    /// Rows between two stray quotes.
    Rows,
}

impl Splitter {
    /// Returns the position of the quote with which the field at `at` begins, if it is quoted.
    #[inline(always)]
    pub(super) fn opening_quote(&self, window: &[u8], at: usize) -> Option<usize> {
        match window.get(at) == self.quoting.quote.as_ref() && self.quoting.quote.is_some() {
            true => Some(at),
            false if self.quoting.blanks => self.quote_after_blanks(window, at),
            false => None,
        }
    }

    #[inline(never)]
    fn quote_after_blanks(&self, window: &[u8], at: usize) -> Option<usize> {
        let open = at + self.blanks(window.get(at..)?);
        (self.quoting.quote.is_some() && window.get(open).copied() == self.quoting.quote).then_some(open)
    }

    #[inline(always)]
    pub(super) fn quoted(&self, window: &[u8], end: End, start: usize, found: &mut Fields) -> Field {
        let quote = window[start];
        let unfinished = if end == End::More { Field::More } else { Field::NeverClosed };
        let mut extra = 0;
        let mut at = start + 1;
        while let Some(len) = self.find_mark(&window[at..], quote) {
            let hit = at + len;
            let mark = match self.quoting.rule {
                EscapeRule::Dropped => self.mark(window, end, hit),
                EscapeRule::DroppedBeforeSpecial | EscapeRule::Kept => self.unusual_mark(window, end, (start, hit)),
            };
            match mark {
                Mark::Cut => return unfinished,
                Mark::Text => at = hit + 1,
                Mark::Pair => {
                    extra += 1;
                    if hit < self.record_bytes {
                        found.escapes.push(hit);
                    }
                    at = hit + 2;
                }
                Mark::Close => match self.after_quotes(window, end, (start, hit), extra, found) {
                    Field::NeverClosed if self.quoting.lenient && self.may_be_text(window, hit) => {
                        found.repaired = true;
                        at = hit + 1;
                    }
                    field => return field,
                },
            }
        }
        unfinished
    }

    #[inline]
    fn find_mark(&self, text: &[u8], quote: u8) -> Option<usize> {
        match self.quoting.escape {
            Some(escape) if self.quoting.rule != EscapeRule::Kept => memchr2(quote, escape, text),
            _ => memchr(quote, text),
        }
    }

    #[inline]
    fn mark(&self, window: &[u8], end: End, hit: usize) -> Mark {
        match window.get(hit + 1) {
            Some(next) if self.quoting.escape == Some(window[hit]) || *next == window[hit] => Mark::Pair,
            None if end != End::Eof => Mark::Cut,
            _ => Mark::Close,
        }
    }

    #[inline(never)]
    fn unusual_mark(&self, window: &[u8], end: End, (start, hit): (usize, usize)) -> Mark {
        let quote = window[start];
        let after_escape = hit > start + 1 && Some(window[hit - 1]) == self.quoting.escape;
        match (self.quoting.rule, window.get(hit + 1)) {
            (EscapeRule::Kept, _) if after_escape => Mark::Text,
            (EscapeRule::DroppedBeforeSpecial, Some(next)) if window[hit] != quote => {
                // Databases escape line ends too.
                let is_special = *next == quote || *next == window[hit] || *next == self.line_end.byte();
                if is_special { Mark::Pair } else { Mark::Text }
            }
            (EscapeRule::Kept, Some(next)) => {
                if *next == quote {
                    Mark::Pair
                } else {
                    Mark::Close
                }
            }
            _ => self.mark(window, end, hit),
        }
    }

    /// Whether a quote that closes nothing may be text. After a line end it more likely opens the first field of
    /// another record: to take it for text would merge the two.
    fn may_be_text(&self, window: &[u8], hit: usize) -> bool {
        window[hit - 1] != self.line_end.byte()
    }

    /// Decides by the text after the closing quote at `close`.
    #[inline(always)]
    fn after_quotes(
        &self,
        window: &[u8],
        end: End,
        (start, close): (usize, usize),
        extra: usize,
        found: &mut Fields,
    ) -> Field {
        let blanks = if self.quoting.blanks { self.blanks(&window[close + 1..]) } else { 0 };
        let next = close + 1 + blanks;
        let behind = &window[next..];
        let are_crs = || behind.iter().all(|byte| *byte == b'\r');
        let stop = if self.delimits(behind) {
            Stop::Field { next: next + self.delimiter_len(behind) }
        } else if let Some(len) = self.empty_line(behind) {
            Stop::Record { end: next, next: next + len }
        } else if behind.is_empty() && end == End::Eof && Some(window[close]) == self.quoting.quote {
            Stop::Record { end: next, next }
        } else if end == End::Eof && self.line_end == LineEnd::Lf && !behind.is_empty() && are_crs() {
            Stop::Record { end: next, next: window.len() }
        } else if end == End::More && (behind.len() < self.delimiter.len() || are_crs()) {
            return Field::More;
        } else {
            return Field::NeverClosed;
        };
        let span = Span { start: start + 1, end: close, escaped: extra > 0 };
        let lines = count(self.line_end.byte(), &window[span.start..span.end]);
        if lines > 0 && self.row_columns > 1 {
            match self.holds_rows(window, end, span, lines) {
                Some(Held::Text) => {}
                Some(Held::Doubtful) => found.doubtful = true,
                Some(Held::Rows) => return Field::HoldsRows,
                None => return Field::More,
            }
        }
        Field::Text { span, extra, lines, stop }
    }

    /// Tells what a quoted field holds by whether each of its lines, the first and the last one taken as a whole, has as
    /// many fields as the header or is empty: then its quotes are stray, and it would swallow rows. `line_ends` are in
    /// the field. None if the window must grow to decide.
    #[inline(never)]
    fn holds_rows(&self, window: &[u8], end: End, field: Span, line_ends: u64) -> Option<Held> {
        let line_end = self.line_end.byte();
        let in_row = self.row_columns as u64 - 1;
        let is_row = |line: &[u8]| self.delimiters(line) == in_row;
        // Almost all fields end here. Two lines with a blank behind a delimiter are text whatever follows.
        let text = &window[field.start..field.end];
        if line_ends == 1 {
            match memchr(self.delimiter[0], text) {
                Some(at) if self.quoting.blanks || text.get(at + self.delimiter.len()) != Some(&b' ') => {}
                _ => return Some(Held::Text),
            }
        }
        let delimiters = self.delimiters(text);
        if delimiters < in_row || (delimiters < (line_ends - 1) * in_row && !has_empty_line(text, line_end)) {
            return Some(Held::Text);
        }
        let mut ends = memchr_iter(line_end, text).map(|at| field.start + at);
        let Some(first) = ends.next() else { return Some(Held::Text) };
        let mut start = first + 1;
        let inner = ends.map(|end| &window[std::mem::replace(&mut start, end + 1)..end]);
        let mut rows = 1;
        for line in inner.filter(|line| !line.trim_ascii().is_empty()) {
            if !is_row(line) {
                return Some(Held::Text);
            }
            rows += 1;
        }
        let begins_here = memchr(line_end, &window[..field.start]).is_none();
        if !begins_here || !is_row(&window[..first]) {
            return Some(Held::Text);
        }
        let last = memrchr(line_end, &window[..field.end]).map_or(0, |at| at + 1);
        let last_end = match memchr(line_end, &window[field.end..]) {
            Some(len) => field.end + len,
            None if end == End::More => return None,
            None => window.len(),
        };
        let is_last_row = is_row(&window[last..last_end]);
        Some(if is_last_row { self.weigh(text, rows, rows * in_row) } else { Held::Text })
    }

    /// Weighs a field whose lines all look like rows. `rows` and `evidence`, the delimiters that a text would have to hold just at the
    /// right places, do not count the last line.
    fn weigh(&self, text: &[u8], rows: u64, evidence: u64) -> Held {
        const MIN_EVIDENCE: u64 = 4;
        match (rows, evidence) {
            (1, _) if self.is_prose(text) => Held::Text,
            (1, _) => Held::Doubtful,
            (_, ..MIN_EVIDENCE) if self.is_prose(text) => Held::Doubtful,
            _ => Held::Rows,
        }
    }

    /// Whether a blank follows a delimiter, as in a sentence and in few rows.
    fn is_prose(&self, text: &[u8]) -> bool {
        let mut found = memmem::find_iter(text, &self.delimiter);
        !self.quoting.blanks && found.any(|at| text.get(at + self.delimiter.len()) == Some(&b' '))
    }

    fn delimiters(&self, line: &[u8]) -> u64 {
        match *self.delimiter {
            [byte] => count(byte, line),
            _ => memmem::find_iter(line, &self.delimiter).count() as u64,
        }
    }

    /// The number of blanks at the start of `text`.
    fn blanks(&self, text: &[u8]) -> usize {
        text.iter().take_while(|byte| self.is_blank(**byte)).count()
    }

    fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter[0]
    }
}

/// Whether a line end follows another one. Without an early exit, the compiler vectorises this loop.
fn has_empty_line(text: &[u8], line_end: u8) -> bool {
    let is_empty = |(one, next): (&u8, &u8)| u8::from(*one == line_end) & u8::from(*next == line_end || *next == b'\r');
    text.iter().zip(text.iter().skip(1)).map(is_empty).fold(0, |any, one| any | one) > 0
}

/// Counts `byte` in `text`. The compiler vectorises this loop, and for the few hundred bytes of a field it has less
/// setup than memchr.
fn count(byte: u8, text: &[u8]) -> u64 {
    let (parts, rest) = text.as_chunks::<64>();
    let count = |part: &[u8]| u64::from(part.iter().map(|other| u8::from(*other == byte)).sum::<u8>());
    parts.iter().map(|part| count(part)).sum::<u64>() + count(rest)
}
