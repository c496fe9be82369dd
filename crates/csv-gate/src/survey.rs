//! The first pass over a file: detects its encoding and its line ends. It takes the unpacked bytes in slices of any
//! size and holds at most the beginning of one line. A file that is read in one pass is surveyed by the same rules while
//! it is split.
//!
//! Encoding (docs/reference/csv-rules.md#encoding): a byte order mark; else UTF-16 if every second byte is NUL; else UTF-8 if at
//! least nine in ten of the lines with non-ASCII bytes are valid UTF-8; else a guess for the lines that are not. A
//! guesser alone would take a UTF-8 file with one bad byte for windows-1252.

mod guess;
mod tally;
mod utf16;
mod western;

use std::io::Read;

use encoding_rs::{Encoding, UTF_8};
use tributary_formats::Packing;

pub(crate) use self::utf16::HEAD_BYTES;
use self::{
    tally::{Tally, Verdict},
    utf16::utf16,
};
use crate::{
    Error, Evidence, LineEnd, charset::Charset, dialect::CheckedSettings, line_end::LineEndSearch, unpack::Unpacked,
};

/// The result of the first pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) encoding: Charset,
    pub(crate) evidence: Evidence,
    /// Whether lines that are valid UTF-8 are UTF-8 all the same.
    pub(crate) keeps_utf8: bool,
    /// Length of the byte order mark in bytes, 0 if the file has none.
    pub(crate) bom_len: usize,
    pub(crate) line_end: LineEnd,
}

/// Makes the first pass, `chunk` bytes at a time. Settings take precedence over detection.
pub(crate) fn survey<R: Read>(
    mut source: Unpacked<R>,
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
        if source.packing() == Packing::None && survey.is_settled() {
            return Ok(survey.finish());
        }
    }
}

/// The state of the first pass.
pub(crate) struct Survey {
    declared: Option<Charset>,
    quote: Option<u8>,
    /// The first bytes, until there are enough to recognise UTF-16.
    head: Vec<u8>,
    bom_len: usize,
    phase: Phase,
}

enum Phase {
    Head,
    /// The encoding is set or marked, so only the line end is still to be found.
    Known {
        encoding: Charset,
        evidence: Evidence,
        lines: LineEndSearch,
    },
    /// One tally per kind of line end, until the first line end shows which kind the file has.
    Guess {
        lines: LineEndSearch,
        tallies: Vec<Tally>,
    },
}

impl Survey {
    pub(crate) fn new(declared: Option<Charset>, quote: Option<u8>) -> Self {
        Self { declared, quote, head: Vec::new(), bom_len: 0, phase: Phase::Head }
    }

    pub(crate) fn update(&mut self, slice: &[u8]) {
        if !matches!(self.phase, Phase::Head) {
            return self.scan(slice);
        }
        self.head.extend_from_slice(slice);
        if self.head.len() >= HEAD_BYTES {
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
        let utf8 = Findings {
            encoding: Charset::UTF_8,
            evidence: Evidence::Utf8,
            keeps_utf8: false,
            bom_len: self.bom_len,
            line_end: LineEnd::Lf,
        };
        match self.phase {
            Phase::Head => utf8,
            Phase::Known { encoding, evidence, lines } => {
                Findings { encoding, evidence, line_end: lines.line_end(), ..utf8 }
            }
            Phase::Guess { lines, tallies } => {
                let line_end = lines.line_end();
                let tally = tallies.into_iter().find(|tally| tally.line_end == line_end.byte());
                let (guess, keeps_utf8) = match tally.map(Tally::verdict) {
                    Some(Verdict::Foreign(guess)) => (guess, false),
                    Some(Verdict::Joined(guess)) => (guess, true),
                    Some(Verdict::Utf8) | None => return Findings { line_end, ..utf8 },
                };
                let evidence = Evidence::Guessed { lines: guess.lines, confident: guess.confident };
                Findings { encoding: guess.encoding.into(), evidence, keeps_utf8, line_end, ..utf8 }
            }
        }
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let marked = Encoding::for_bom(&head);
        self.bom_len = marked.map_or(0, |(_, len)| len);
        let set = self.declared.map(|encoding| (encoding, Evidence::Set));
        let known = set
            .or(marked.map(|(encoding, _)| (encoding.into(), Evidence::Marked)))
            .or_else(|| utf16(&head).map(|encoding| (encoding.into(), Evidence::Utf16)));
        self.phase = match known {
            Some((encoding, evidence)) => {
                let lines = LineEndSearch::new(encoding.for_line_ends(), self.quote);
                Phase::Known { encoding, evidence, lines }
            }
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

#[cfg(test)]
mod tests;
