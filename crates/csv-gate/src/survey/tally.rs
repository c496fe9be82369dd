//! Counts the lines of a file by their encoding.

use memchr::{memchr, memchr_iter, memrchr};

use super::guess::{Guess, Guesser};
use crate::line::{LineKind, MAX_JUDGED_BYTES, Run, Runs, is_accidental, kind};

/// Valid lines that are searched for accidents. A file with more of them is not of a single other encoding.
const MAX_EXAMINED: u64 = 1000;

/// Counts lines with non-ASCII bytes, for one kind of line end.
pub(super) struct Tally {
    pub(super) line_end: u8,
    /// Lines that are valid UTF-8.
    valid: u64,
    /// Lines that are not.
    invalid: u64,
    /// Lines with valid sequences that look like text, and lines in which they look like accidents.
    genuine: u64,
    accidental: u64,
    runs: Runs,
    /// The beginning of the line that continues in the next slice.
    held: Vec<u8>,
    /// Created at the first invalid line: most files never need it.
    guesser: Option<Box<Guesser>>,
}

/// The encoding of a file, judged by all its lines.
pub(super) enum Verdict {
    Utf8,
    /// All lines have the guessed encoding.
    Foreign(Guess),
    /// Lines that are not valid UTF-8 have the guessed encoding.
    Joined(Guess),
}

impl Tally {
    pub(super) fn new(line_end: u8) -> Self {
        Self {
            line_end,
            valid: 0,
            invalid: 0,
            genuine: 0,
            accidental: 0,
            runs: Runs::new(line_end),
            held: Vec::new(),
            guesser: None,
        }
    }

    pub(super) fn update(&mut self, slice: &[u8]) {
        let complete = memrchr(self.line_end, slice).map_or(0, |at| at + 1);
        let (mut lines, rest) = slice.split_at(complete);
        if !self.held.is_empty() && !lines.is_empty() {
            let first = memchr(self.line_end, lines).map_or(lines.len(), |at| at + 1);
            self.hold(&lines[..first]);
            self.end_line();
            lines = &lines[first..];
        }
        if !lines.is_ascii() {
            self.count_lines(lines);
        }
        self.hold(rest);
    }

    /// Counts the last line, which may lack a line end.
    pub(super) fn end(&mut self) {
        self.end_line();
    }

    /// Whether the file is UTF-8, judged by its complete lines so far.
    pub(super) fn is_utf8(&self) -> bool {
        self.invalid * 10 <= self.valid + self.invalid
    }

    pub(super) fn verdict(mut self) -> Verdict {
        self.end();
        if self.is_utf8() {
            return Verdict::Utf8;
        }
        match self.guesser {
            Some(guesser) if self.genuine > self.accidental => Verdict::Joined(guesser.finish(true)),
            Some(guesser) => Verdict::Foreign(guesser.finish(false)),
            None => Verdict::Utf8,
        }
    }

    fn hold(&mut self, piece: &[u8]) {
        let room = MAX_JUDGED_BYTES - self.held.len();
        self.held.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.held);
        self.count(&line, kind(&line));
        line.clear();
        self.held = line;
    }

    fn count_lines(&mut self, lines: &[u8]) {
        let mut rest = lines;
        while !rest.is_empty() {
            let len = match self.runs.next(rest) {
                Run::Valid(len) => {
                    self.count_valid(&rest[..len]);
                    len
                }
                Run::Line(len, kind) => {
                    self.count(&rest[..len], kind);
                    len
                }
            };
            rest = &rest[len..];
        }
    }

    /// Counts the lines of valid UTF-8 that are not ASCII.
    fn count_valid(&mut self, lines: &[u8]) {
        let mut start = 0;
        for end in memchr_iter(self.line_end, lines).map(|at| at + 1) {
            if !lines[start..end].is_ascii() {
                self.count(&lines[start..end], LineKind::Utf8);
            }
            start = end;
        }
    }

    fn count(&mut self, line: &[u8], kind: LineKind) {
        match kind {
            LineKind::Ascii => {}
            LineKind::Utf8 => self.count_utf8(line),
            LineKind::Torn => {
                self.examine(line);
                self.count_invalid(line);
            }
            LineKind::Foreign => self.count_invalid(line),
        }
    }

    fn count_utf8(&mut self, line: &[u8]) {
        self.valid += 1;
        match self.valid <= MAX_EXAMINED {
            true => self.examine(line),
            false => self.genuine += 1,
        }
    }

    fn count_invalid(&mut self, line: &[u8]) {
        self.invalid += 1;
        self.guesser.get_or_insert_default().feed(line);
    }

    fn examine(&mut self, line: &[u8]) {
        match is_accidental(line) {
            true => self.accidental += 1,
            false => self.genuine += 1,
        }
    }
}
