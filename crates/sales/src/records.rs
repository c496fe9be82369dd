//! Chunks of any size, cut into records: lines, or more where a line break stands between quotes.

use memchr::{memchr, memchr2, memchr3};

use crate::row::is_space;

/// Bytes of a record. A longer one is malformed up to the end of its line, and so is a line with a quote that is not closed within them.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// One record, without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'r> {
    Whole(&'r [u8]),
    /// It is too long, or a quote in it is never closed.
    Broken,
}

/// The position in a record. Places count from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind nothing but spaces.
    Blank,
    /// Outside of quotes.
    Plain,
    /// Behind a quote at this place.
    Quoted(usize),
    /// Behind a second quote, which closes the one at this place unless a third follows.
    Closing(usize),
    /// In the rest of a line that is broken.
    Skipping,
}

/// The record that has begun.
#[derive(Debug)]
pub(crate) struct Records {
    /// Its bytes.
    begun: Vec<u8>,
    state: State,
    /// Whether a carriage return came last, so that a line feed belongs to it.
    is_after_return: bool,
    max_bytes: usize,
}

impl Default for Records {
    fn default() -> Self {
        Self::of_at_most(MAX_RECORD_BYTES)
    }
}

impl Records {
    pub(crate) fn of_at_most(max_bytes: usize) -> Self {
        Self { begun: Vec::new(), state: State::Blank, is_after_return: false, max_bytes }
    }

    /// Whether no record has begun.
    pub(crate) fn is_between(&self) -> bool {
        self.begun.is_empty() && self.state == State::Blank && !self.is_after_return
    }

    /// Gives each record that ends in `chunk` to `each`. Ends at the first error.
    pub(crate) fn push<E>(
        &mut self,
        chunk: &[u8],
        each: &mut impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_plain = memchr2(b'"', b'\r', chunk).is_none();
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.is_after_return) && *first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            // So what is broken does not depend on where chunks end.
            let room = (self.max_bytes + 1 - self.begun.len()).min(rest.len());
            let looked_at = &rest[..room];
            if let Some(end) = self.end(looked_at, is_plain) {
                self.is_after_return = rest[end] == b'\r';
                self.record(&rest[..end], each)?;
                rest = &rest[end + 1..];
            } else {
                self.keep(looked_at, each)?;
                rest = &rest[room..];
            }
        }
        Ok(())
    }

    /// Gives what stands behind the last line break to `each`.
    pub(crate) fn finish<E>(&mut self, each: &mut impl FnMut(Record<'_>) -> Result<(), E>) -> Result<(), E> {
        while let State::Quoted(quote) = self.state {
            self.give_up(quote, each)?;
        }
        let is_begun = !self.begun.is_empty() || self.state == State::Skipping;
        if is_begun { self.record(&[], each) } else { Ok(()) }
    }

    /// Ends the record that has begun by `end`.
    fn record<E>(&mut self, end: &[u8], each: &mut impl FnMut(Record<'_>) -> Result<(), E>) -> Result<(), E> {
        let state = std::mem::replace(&mut self.state, State::Blank);
        if state == State::Skipping {
            return each(Record::Broken);
        }
        if self.begun.is_empty() {
            return each(Record::Whole(end));
        }
        self.begun.extend_from_slice(end);
        let given = each(Record::Whole(&self.begun));
        self.begun.clear();
        given
    }

    /// Finds the line break of the record in `rest`, which goes on behind what has begun. Without one, the state is that behind it.
    fn end(&mut self, rest: &[u8], is_plain: bool) -> Option<usize> {
        let mut at = 0;
        loop {
            match self.state {
                State::Skipping => return memchr2(b'\n', b'\r', rest),
                State::Plain if is_plain => return memchr(b'\n', rest),
                State::Blank => {
                    at += rest[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r') || !is_space(*byte))?;
                    match rest[at] {
                        b'\n' | b'\r' => return Some(at),
                        b'"' => {
                            self.state = State::Quoted(self.begun.len() + at);
                            at += 1;
                        }
                        _ => self.state = State::Plain,
                    }
                }
                State::Plain => {
                    at += memchr3(b'\n', b'\r', b'"', &rest[at..])?;
                    if rest[at] != b'"' {
                        return Some(at);
                    }
                    if rest[..at].last().or(self.begun.last()) == Some(&b',') {
                        self.state = State::Quoted(self.begun.len() + at);
                    }
                    at += 1;
                }
                State::Quoted(quote) => {
                    at += memchr(b'"', &rest[at..])? + 1;
                    self.state = State::Closing(quote);
                }
                State::Closing(quote) => {
                    let is_pair = *rest.get(at)? == b'"';
                    self.state = if is_pair { State::Quoted(quote) } else { State::Plain };
                    at += usize::from(is_pair);
                }
            }
        }
    }

    /// Keeps more bytes of the record that has begun, unless it is too long then.
    fn keep<E>(&mut self, more: &[u8], each: &mut impl FnMut(Record<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.state == State::Skipping {
            return Ok(());
        }
        self.begun.extend_from_slice(more);
        if self.begun.len() <= self.max_bytes {
            return Ok(());
        }
        if let State::Quoted(quote) | State::Closing(quote) = self.state {
            return self.give_up(quote, each);
        }
        self.begun = Vec::new();
        self.state = State::Skipping;
        Ok(())
    }

    /// Takes the quote at `quote` for one that is never closed: its line is broken, and the next record begins behind that.
    fn give_up<E>(&mut self, quote: usize, each: &mut impl FnMut(Record<'_>) -> Result<(), E>) -> Result<(), E> {
        let begun = std::mem::take(&mut self.begun);
        self.state = State::Skipping;
        match memchr2(b'\n', b'\r', &begun[quote..]) {
            // Read once more, and no more often: each quote in it would have closed this one, but for pairs and the last.
            Some(length) => self.push(&begun[quote + length..], each),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &[u8], ends: &[usize], max_bytes: usize) -> Vec<Option<Vec<u8>>> {
        let mut records = Records::of_at_most(max_bytes);
        let mut all = Vec::new();
        let mut each = |record: Record<'_>| {
            all.push(match record {
                Record::Whole(bytes) => Some(bytes.to_vec()),
                Record::Broken => None,
            });
            Ok::<(), ()>(())
        };
        let mut at = 0;
        for end in ends.iter().copied().chain([text.len()]) {
            records.push(&text[at..end], &mut each).unwrap();
            at = end;
        }
        records.finish(&mut each).unwrap();
        all
    }

    #[track_caller]
    fn check(text: &str, expect: &[Option<&str>]) {
        let expect: Vec<_> = expect.iter().map(|record| record.map(|text| text.as_bytes().to_vec())).collect();
        assert_eq!(cut(text.as_bytes(), &[], 12), expect, "{text:?}");
    }

    #[test]
    fn a_record_ends_at_a_line_break_outside_of_quotes() {
        check("", &[]);
        check("a\nb\r\nc\rd", &[Some("a"), Some("b"), Some("c"), Some("d")]);
        check("a\n\n\r\n\r", &[Some("a"), Some(""), Some(""), Some("")]);
        check("\"a\nb\",c\nd", &[Some("\"a\nb\",c"), Some("d")]);
        check("  \"a\nb\"\nd", &[Some("  \"a\nb\""), Some("d")]);
        check("x,\"a\"\"\nb\"\nd\n", &[Some("x,\"a\"\"\nb\""), Some("d")]);
        // Inside of a field, a quote is a letter.
        check("a\"\nb \"\nc", &[Some("a\""), Some("b \""), Some("c")]);
    }

    #[test]
    fn an_open_quote_breaks_its_line_and_no_other() {
        check("a\n\"b\nc\nd", &[Some("a"), None, Some("c"), Some("d")]);
        check("\"b\r\nc", &[None, Some("c")]);
        check("\"b", &[None]);
        check("\"a\nb\",\"c\nd\n", &[None, Some("d")]);
        // Closed too far away.
        check("\"a\nb\nc\nd\ne\nf\"\ng", &[None, Some("b"), Some("c"), Some("d"), Some("e"), Some("f\""), Some("g")]);
    }

    #[test]
    fn a_record_that_is_too_long_breaks_its_line() {
        check("123456789abc\nd", &[Some("123456789abc"), Some("d")]);
        check("123456789abcd\nd", &[None, Some("d")]);
        check("123456789abcd,\"e\nd", &[None, Some("d")]);
        check("123456789abcd", &[None]);
    }

    proptest! {
        #[test]
        fn records_do_not_depend_on_chunks(
            letters in prop::collection::vec(prop::sample::select(b"ab,\"\"\n\r ".to_vec()), 0..80),
            ends in prop::collection::vec(0_usize..80, 0..20),
            max_bytes in 1_usize..30,
        ) {
            let mut ends: Vec<usize> = ends.into_iter().map(|end| end.min(letters.len())).collect();
            ends.sort_unstable();
            prop_assert_eq!(cut(&letters, &ends, max_bytes), cut(&letters, &[], max_bytes));
        }
    }
}
