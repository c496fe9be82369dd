//! The first pass over a file: detects its encoding and its line ends. It takes the unpacked bytes in slices of any
//! size and holds only a few bytes of them. A file that is read in one pass is surveyed by the same rules while it is
//! split.
//!
//! Encoding (docs/reference/csv-rules.md#encoding): a byte order mark; else UTF-8 if at least nine in ten of the lines with non-ASCII
//! bytes are valid UTF-8; else a guess. A guesser alone would take a UTF-8 file with one bad byte for windows-1252.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr_iter, memrchr};
use tributary_formats::Packing;

use crate::{Error, LineEnd, dialect::CheckedSettings, line_end::LineEndSearch, unpack::Unpacked};

/// Most bytes of invalid lines that the guesser sees: it is slow, and its answer no longer changes after so many.
const MAX_GUESS_BYTES: usize = 1 << 20;
const MAX_BOM_BYTES: usize = 3;

/// The result of the first pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) encoding: &'static Encoding,
    /// Length of the byte order mark in bytes, 0 if the file has none.
    pub(crate) bom_len: usize,
    pub(crate) line_end: LineEnd,
}

/// Makes the first pass, `chunk` bytes at a time. Settings take precedence over detection.
pub(crate) fn survey<R: Read>(
    mut source: Unpacked<R>,
    packing: Packing,
    settings: &CheckedSettings,
    chunk: usize,
) -> Result<Findings, Error> {
    let mut survey = Survey::new(settings.encoding, settings.quote.byte());
    let mut slice = vec![0; chunk];
    loop {
        match source.fill(&mut slice)? {
            0 => return Ok(survey.finish()),
            len => survey.update(&slice[..len]),
        }
        // An archive is read to its end even so: if it is cut short, none of it may be used.
        if packing == Packing::None && survey.is_settled() {
            return Ok(survey.finish());
        }
    }
}

/// The state of the first pass.
pub(crate) struct Survey {
    declared: Option<&'static Encoding>,
    quote: Option<u8>,
    /// The first bytes, until there are enough to hold a byte order mark.
    head: Vec<u8>,
    bom_len: usize,
    phase: Phase,
}

enum Phase {
    Head,
    /// The encoding is set or marked, so only the line end is still to be found.
    Known {
        encoding: &'static Encoding,
        lines: LineEndSearch,
    },
    /// One tally per kind of line end, until the first line end shows which kind the file has.
    Guess {
        lines: LineEndSearch,
        tallies: Vec<Tally>,
    },
}

impl Survey {
    pub(crate) fn new(declared: Option<&'static Encoding>, quote: Option<u8>) -> Self {
        Self { declared, quote, head: Vec::new(), bom_len: 0, phase: Phase::Head }
    }

    pub(crate) fn update(&mut self, slice: &[u8]) {
        if !matches!(self.phase, Phase::Head) {
            return self.scan(slice);
        }
        self.head.extend_from_slice(slice);
        if self.head.len() >= MAX_BOM_BYTES {
            self.begin();
        }
    }

    /// Whether the rest of the file cannot change the findings.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(&self.phase, Phase::Known { lines, .. } if lines.found().is_some())
    }

    /// The line end, once the rest of the file cannot change it.
    pub(crate) fn line_end(&self) -> Option<LineEnd> {
        match &self.phase {
            Phase::Head => None,
            Phase::Known { lines, .. } | Phase::Guess { lines, .. } => lines.found(),
        }
    }

    /// Whether the file is UTF-8, judged by its complete lines so far.
    pub(crate) fn is_utf8(&self) -> bool {
        match &self.phase {
            Phase::Guess { lines, tallies } => {
                let line_end = lines.line_end().byte();
                tallies.iter().filter(|tally| tally.line_end == line_end).all(Tally::is_utf8)
            }
            Phase::Head | Phase::Known { .. } => true,
        }
    }

    /// Counts the end of the file as the end of the last line.
    pub(crate) fn end(&mut self) {
        if let Phase::Guess { tallies, .. } = &mut self.phase {
            tallies.iter_mut().for_each(Tally::end);
        }
    }

    pub(crate) fn finish(mut self) -> Findings {
        if matches!(self.phase, Phase::Head) {
            self.begin();
        }
        let (encoding, line_end) = match self.phase {
            Phase::Head => (UTF_8, LineEnd::Lf),
            Phase::Known { encoding, lines } => (encoding, lines.line_end()),
            Phase::Guess { lines, tallies } => {
                let line_end = lines.line_end();
                let tally = tallies.into_iter().find(|tally| tally.line_end == line_end.byte());
                (tally.map_or(UTF_8, Tally::encoding), line_end)
            }
        };
        Findings { encoding, bom_len: self.bom_len, line_end }
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let marked = Encoding::for_bom(&head);
        self.bom_len = marked.map_or(0, |(_, len)| len);
        self.phase = match self.declared.or(marked.map(|(encoding, _)| encoding)) {
            Some(encoding) => Phase::Known { encoding, lines: LineEndSearch::new(encoding, self.quote) },
            None => Phase::Guess {
                lines: LineEndSearch::new(UTF_8, self.quote),
                tallies: [LineEnd::Lf, LineEnd::Cr].map(|line_end| Tally::new(line_end.byte())).into(),
            },
        };
        self.scan(&head[self.bom_len..]);
    }

    fn scan(&mut self, slice: &[u8]) {
        match &mut self.phase {
            Phase::Head => {}
            Phase::Known { lines, .. } => lines.update(slice),
            Phase::Guess { lines, tallies } => {
                lines.update(slice);
                if let Some(found) = lines.found() {
                    tallies.retain(|tally| tally.line_end == found.byte());
                }
                tallies.iter_mut().for_each(|tally| tally.update(slice));
            }
        }
    }
}

/// Counts the lines with non-ASCII bytes, and how many of them are not valid UTF-8.
struct Tally {
    line_end: u8,
    non_ascii: u64,
    invalid: u64,
    line: Line,
    /// Created at the first invalid line: most files never need it.
    guesser: Option<Box<EncodingDetector>>,
    guessed_bytes: usize,
}

/// The current line, which may span several slices.
#[derive(Default)]
struct Line {
    non_ascii: bool,
    invalid: bool,
    /// The incomplete character at the end of the last slice: at most three bytes.
    incomplete: Vec<u8>,
}

impl Tally {
    fn new(line_end: u8) -> Self {
        Self { line_end, non_ascii: 0, invalid: 0, line: Line::default(), guesser: None, guessed_bytes: 0 }
    }

    fn update(&mut self, slice: &[u8]) {
        if self.line.incomplete.is_empty() && slice.is_ascii() {
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

    /// Takes a piece of a line, including its line end: an incomplete character before the line end is invalid.
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
        let piece = &piece[..piece.len().min(MAX_GUESS_BYTES - self.guessed_bytes)];
        self.guessed_bytes += piece.len();
        self.guesser
            .get_or_insert_with(|| Box::new(EncodingDetector::new(Iso2022JpDetection::Deny)))
            .feed(piece, false);
    }

    /// Ends the last line. An incomplete character in it is invalid.
    fn end(&mut self) {
        if !self.line.incomplete.is_empty() {
            let incomplete = std::mem::take(&mut self.line.incomplete);
            self.line.invalid = true;
            self.guess_by(&incomplete);
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
        if self.incomplete.is_empty() && piece.is_ascii() {
            return;
        }
        self.non_ascii = true;
        if self.invalid {
            return;
        }
        let rest = self.complete_character(piece);
        if let Err(error) = simdutf8::compat::from_utf8(rest) {
            match error.error_len() {
                Some(_) => self.invalid = true,
                None => self.incomplete.extend_from_slice(&rest[error.valid_up_to()..]),
            }
        }
    }

    /// Adds bytes to the incomplete character until it is complete or invalid, and returns the rest of the piece.
    fn complete_character<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut rest = piece;
        while !self.incomplete.is_empty()
            && let Some((first, behind)) = rest.split_first()
        {
            self.incomplete.push(*first);
            rest = behind;
            match std::str::from_utf8(&self.incomplete) {
                Err(error) if error.error_len().is_none() => {}
                result => {
                    self.invalid |= result.is_err();
                    self.incomplete.clear();
                }
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests;
