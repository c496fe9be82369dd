//! Decodes a file that was joined from several ones: lines of valid UTF-8 pass unchanged, the others are decoded.

use std::io::Read;

use encoding_rs::Encoding;
use memchr::{memchr, memrchr};

use super::{MIN_DECODE_ROOM, RAW_CHUNK_BYTES, transcoder::Transcoder};
use crate::{
    Error, LineEnd,
    line::{LineKind, MAX_JUDGED_BYTES, Run, Runs, kind},
    unpack::Unpacked,
};

/// The state of decoding. `raw[start..end]` was read but not put out yet.
pub(super) struct Joined {
    /// Decodes all lines that need it: no encoding that is guessed has the byte of a line end inside a character, so it
    /// is in its initial state after each line.
    transcoder: Transcoder,
    /// Whether a line that mixes valid UTF-8 with other bytes may have the other encoding. In an encoding of single
    /// bytes it is damaged: it passes unchanged, and becomes a reject because it is not UTF-8.
    decodes_torn: bool,
    line_end: u8,
    runs: Runs,
    raw: Vec<u8>,
    start: usize,
    /// The end of the last complete line.
    complete: usize,
    end: usize,
    /// Bytes from `start` on that are treated alike.
    planned: usize,
    treatment: Treatment,
    /// The planned bytes end inside a line that is longer than lines are judged by.
    in_line: bool,
    source_ended: bool,
    finished: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Pass,
    Decode,
}

impl Joined {
    pub(super) fn new(encoding: &'static Encoding, line_end: LineEnd) -> Self {
        Self {
            transcoder: Transcoder::new(encoding.into()),
            decodes_torn: !encoding.is_single_byte(),
            line_end: line_end.byte(),
            runs: Runs::new(line_end.byte()),
            raw: vec![0; RAW_CHUNK_BYTES],
            start: 0,
            complete: 0,
            end: 0,
            planned: 0,
            treatment: Treatment::Pass,
            in_line: false,
            source_ended: false,
            finished: false,
        }
    }

    pub(super) fn read<R: Read>(&mut self, source: &mut Unpacked<R>, out: &mut [u8]) -> Result<usize, Error> {
        let mut written = 0;
        while !self.finished && out.len() - written >= MIN_DECODE_ROOM {
            if self.planned == 0 {
                self.plan();
            }
            if self.planned > 0 {
                written += self.put_out(&mut out[written..]);
            } else if self.source_ended {
                let progress = self.transcoder.decode(&[], &mut out[written..], true);
                written += progress.written;
                self.finished = progress.is_done;
            } else if written > 0 {
                break;
            } else {
                self.refill(source)?;
            }
        }
        Ok(written)
    }

    /// Decides about as many bytes as possible, or none if that takes more of the file.
    fn plan(&mut self) {
        let held = &self.raw[self.start..self.end];
        if self.in_line {
            let line_end = memchr(self.line_end, held);
            self.in_line = line_end.is_none();
            self.planned = line_end.map_or(held.len(), |at| at + 1);
        } else if self.complete > self.start {
            match self.runs.next(&self.raw[self.start..self.complete]) {
                Run::Valid(len) => {
                    self.planned = len;
                    self.treatment = Treatment::Pass;
                }
                Run::Line(len, kind) => self.plan_line(len, kind),
            }
        } else if held.len() >= MAX_JUDGED_BYTES || self.source_ended {
            self.in_line = true;
            let (len, kind) = (held.len(), kind(held));
            self.plan_line(len, kind);
        }
    }

    fn plan_line(&mut self, len: usize, kind: LineKind) {
        self.planned = len;
        self.treatment = match kind {
            LineKind::Foreign => Treatment::Decode,
            LineKind::Torn if self.decodes_torn => Treatment::Decode,
            LineKind::Torn | LineKind::Ascii | LineKind::Utf8 => Treatment::Pass,
        };
    }

    /// Puts out planned bytes, as many as fit, and returns the number of bytes written.
    fn put_out(&mut self, out: &mut [u8]) -> usize {
        let planned = &self.raw[self.start..self.start + self.planned];
        let (read, written) = match self.treatment {
            Treatment::Pass => {
                let len = planned.len().min(out.len());
                out[..len].copy_from_slice(&planned[..len]);
                (len, len)
            }
            Treatment::Decode => {
                let progress = self.transcoder.decode(planned, out, false);
                (progress.read, progress.written)
            }
        };
        self.start += read;
        self.planned -= read;
        written
    }

    /// Reads more of the file behind the bytes that are left.
    fn refill<R: Read>(&mut self, source: &mut Unpacked<R>) -> Result<(), Error> {
        self.raw.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.raw.len() {
            self.raw.resize((2 * self.end).min(MAX_JUDGED_BYTES), 0);
        }
        let read = source.read(&mut self.raw[self.end..])?;
        let new = &self.raw[self.end..self.end + read];
        self.complete = memrchr(self.line_end, new).map_or(0, |at| self.end + at + 1);
        self.end += read;
        self.source_ended = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
