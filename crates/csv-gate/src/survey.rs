//! The first pass over a file: its encoding and its line ends. It is fed the unpacked bytes in slices of any size and
//! holds a few of them at most. A file that is read in one pass is surveyed by the same rules while it is split.
//!
//! Encoding (CONTRACT.md section 2): a byte order mark; else UTF-8 if at least nine in ten of the lines that hold
//! non-ASCII bytes are valid UTF-8; else a guess. A guesser alone would call a UTF-8 file with one bad byte
//! windows-1252.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr_iter, memrchr};

use crate::{Error, LineEnd, Packing, dialect::Told, line_end::LineEndSearch, unpack::Unpacked};

/// The guesser is slow and its answer does not change any more after this many bytes of lines that are not UTF-8.
const GUESS_BYTES: usize = 1 << 20;
const LONGEST_BOM: usize = 3;

/// What the first pass found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) encoding: &'static Encoding,
    /// Bytes of the byte order mark, which is no text.
    pub(crate) bom_len: usize,
    pub(crate) line_end: LineEnd,
}

/// Makes the first pass. What was `told` beats all signs; slices of `chunk` bytes are read.
pub(crate) fn survey<R: Read>(
    mut source: Unpacked<R>,
    packing: Packing,
    told: &Told,
    chunk: usize,
) -> Result<Findings, Error> {
    let mut survey = Survey::new(told.encoding, told.quote.byte());
    let mut slice = vec![0; chunk];
    loop {
        match source.fill(&mut slice)? {
            0 => return Ok(survey.finish()),
            len => survey.update(&slice[..len]),
        }
        // An archive is read to its end all the same: if it is cut short, nothing of it is to be used.
        if packing == Packing::None && survey.is_settled() {
            return Ok(survey.finish());
        }
    }
}

/// The first pass under way.
pub(crate) struct Survey {
    told: Option<&'static Encoding>,
    quote: Option<u8>,
    /// The first bytes, until there are enough to hold a byte order mark.
    head: Vec<u8>,
    bom_len: usize,
    state: State,
}

enum State {
    Head,
    /// The encoding is told or marked; only a line end is looked for.
    Known {
        encoding: &'static Encoding,
        lines: LineEndSearch,
    },
    /// One tally for each kind of line end, until the first one says which kind it is.
    Guess {
        lines: LineEndSearch,
        tallies: Vec<Tally>,
    },
}

impl Survey {
    pub(crate) fn new(told: Option<&'static Encoding>, quote: Option<u8>) -> Self {
        Self { told, quote, head: Vec::new(), bom_len: 0, state: State::Head }
    }

    pub(crate) fn update(&mut self, slice: &[u8]) {
        if !matches!(self.state, State::Head) {
            return self.look_at(slice);
        }
        self.head.extend_from_slice(slice);
        if self.head.len() >= LONGEST_BOM {
            self.behead();
        }
    }

    /// Whether nothing further in the file can change the findings.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(&self.state, State::Known { lines, .. } if lines.found().is_some())
    }

    /// The line end, once it is known whatever follows.
    pub(crate) fn line_end(&self) -> Option<LineEnd> {
        match &self.state {
            State::Head => None,
            State::Known { lines, .. } | State::Guess { lines, .. } => lines.found(),
        }
    }

    /// Whether the lines that have ended make the file UTF-8.
    pub(crate) fn is_utf8(&self) -> bool {
        match &self.state {
            State::Guess { lines, tallies } => {
                let line_end = lines.line_end().byte();
                tallies.iter().filter(|tally| tally.line_end == line_end).all(Tally::is_utf8)
            }
            State::Head | State::Known { .. } => true,
        }
    }

    /// Takes the end of the file for the end of its last line.
    pub(crate) fn end(&mut self) {
        if let State::Guess { tallies, .. } = &mut self.state {
            tallies.iter_mut().for_each(Tally::end);
        }
    }

    pub(crate) fn finish(mut self) -> Findings {
        if matches!(self.state, State::Head) {
            self.behead();
        }
        let (encoding, line_end) = match self.state {
            State::Head => (UTF_8, LineEnd::Lf),
            State::Known { encoding, lines } => (encoding, lines.line_end()),
            State::Guess { lines, tallies } => {
                let line_end = lines.line_end();
                let tally = tallies.into_iter().find(|tally| tally.line_end == line_end.byte());
                (tally.map_or(UTF_8, Tally::encoding), line_end)
            }
        };
        Findings { encoding, bom_len: self.bom_len, line_end }
    }

    fn behead(&mut self) {
        let head = std::mem::take(&mut self.head);
        let marked = Encoding::for_bom(&head);
        self.bom_len = marked.map_or(0, |(_, len)| len);
        self.state = match self.told.or(marked.map(|(encoding, _)| encoding)) {
            Some(encoding) => State::Known { encoding, lines: LineEndSearch::new(encoding, self.quote) },
            None => State::Guess {
                lines: LineEndSearch::new(UTF_8, self.quote),
                tallies: [LineEnd::Lf, LineEnd::Cr].map(|line_end| Tally::new(line_end.byte())).into(),
            },
        };
        self.look_at(&head[self.bom_len..]);
    }

    fn look_at(&mut self, slice: &[u8]) {
        match &mut self.state {
            State::Head => {}
            State::Known { lines, .. } => lines.update(slice),
            State::Guess { lines, tallies } => {
                lines.update(slice);
                if let Some(found) = lines.found() {
                    tallies.retain(|tally| tally.line_end == found.byte());
                }
                tallies.iter_mut().for_each(|tally| tally.update(slice));
            }
        }
    }
}

/// Counts the lines with non-ASCII bytes, and those of them that are not UTF-8.
struct Tally {
    line_end: u8,
    non_ascii: u64,
    invalid: u64,
    line: Line,
    /// Made when the first invalid line is met: most files never need it.
    guesser: Option<Box<EncodingDetector>>,
    guessed_bytes: usize,
}

/// The line that is being looked at; it may straddle slices.
#[derive(Default)]
struct Line {
    non_ascii: bool,
    invalid: bool,
    /// The begun character at the end of the last slice: at most three bytes.
    begun: Vec<u8>,
}

impl Tally {
    fn new(line_end: u8) -> Self {
        Self { line_end, non_ascii: 0, invalid: 0, line: Line::default(), guesser: None, guessed_bytes: 0 }
    }

    fn update(&mut self, slice: &[u8]) {
        if self.line.begun.is_empty() && slice.is_ascii() {
            if memrchr(self.line_end, slice).is_some() {
                self.end_line();
            }
            return;
        }
        let mut start = 0;
        for at in memchr_iter(self.line_end, slice) {
            self.piece(&slice[start..=at]);
            self.end_line();
            start = at + 1;
        }
        self.piece(&slice[start..]);
    }

    /// Takes a piece of a line, its end included: that end shows a character that was begun before it to be broken.
    fn piece(&mut self, piece: &[u8]) {
        self.line.update(piece);
        if self.line.invalid {
            self.guess_by(piece);
        }
    }

    fn end_line(&mut self) {
        self.non_ascii += u64::from(self.line.non_ascii);
        self.invalid += u64::from(self.line.invalid);
        self.line = Line::default();
    }

    fn guess_by(&mut self, piece: &[u8]) {
        let piece = &piece[..piece.len().min(GUESS_BYTES - self.guessed_bytes)];
        self.guessed_bytes += piece.len();
        self.guesser
            .get_or_insert_with(|| Box::new(EncodingDetector::new(Iso2022JpDetection::Deny)))
            .feed(piece, false);
    }

    /// Ends the last line; a character that was begun in it is broken.
    fn end(&mut self) {
        if !self.line.begun.is_empty() {
            let begun = std::mem::take(&mut self.line.begun);
            self.line.invalid = true;
            self.guess_by(&begun);
        }
        self.end_line();
    }

    fn is_utf8(&self) -> bool {
        self.invalid * 10 <= self.non_ascii
    }

    fn encoding(mut self) -> &'static Encoding {
        self.end();
        let utf8 = self.is_utf8();
        match self.guesser {
            Some(mut guesser) if !utf8 => {
                guesser.feed(b"", true);
                guesser.guess(None, Utf8Detection::Deny)
            }
            _ => UTF_8,
        }
    }
}

impl Line {
    fn update(&mut self, piece: &[u8]) {
        if self.begun.is_empty() && piece.is_ascii() {
            return;
        }
        self.non_ascii = true;
        if self.invalid {
            return;
        }
        let rest = self.complete_begun(piece);
        if let Err(error) = simdutf8::compat::from_utf8(rest) {
            match error.error_len() {
                Some(_) => self.invalid = true,
                None => self.begun.extend_from_slice(&rest[error.valid_up_to()..]),
            }
        }
    }

    /// Moves bytes to the begun character until it is whole or broken, and returns what is left of the piece.
    fn complete_begun<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut rest = piece;
        while !self.begun.is_empty()
            && let Some((first, behind)) = rest.split_first()
        {
            self.begun.push(*first);
            rest = behind;
            match std::str::from_utf8(&self.begun) {
                Err(error) if error.error_len().is_none() => {}
                result => {
                    self.invalid |= result.is_err();
                    self.begun.clear();
                }
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests;
