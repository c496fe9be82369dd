//! Turns unpacked bytes of any encoding into UTF-8 as they are read. UTF-8 itself passes through unchanged and
//! unchecked: whether a row is valid is looked at row by row. Where UTF-8 is but assumed, the survey is made here.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::{Error, survey::Survey, unpack::Unpacked};

/// What stands in the decoded text for a sequence that means nothing in its encoding. No UTF-8 holds this byte, so the
/// check for valid UTF-8 finds such rows in files of every encoding, and a real U+FFFD in a text is no fault.
const MALFORMED: u8 = 0xff;
/// Room a decoder needs at the least to make progress.
pub(crate) const SLACK: usize = 64;
const CHUNK: usize = 64 << 10;

/// The decoded text of a file.
pub(crate) struct Decoded<R: Read> {
    source: Unpacked<R>,
    coding: Coding,
}

enum Coding {
    Utf8,
    /// The survey has the last word at the end of the file.
    AssumedUtf8(Survey),
    Foreign(Foreign),
}

impl<R: Read> Decoded<R> {
    /// `source` stands behind its byte order mark.
    pub(crate) fn new(source: Unpacked<R>, encoding: &'static Encoding) -> Self {
        let coding = if encoding == UTF_8 { Coding::Utf8 } else { Coding::Foreign(Foreign::new(encoding)) };
        Self { source, coding }
    }

    /// For a file that has not been surveyed: `check` is new.
    pub(crate) fn assuming_utf8(source: Unpacked<R>, check: Survey) -> Self {
        Self { source, coding: Coding::AssumedUtf8(check) }
    }

    /// Reads some text, like [`Read::read`]: 0 is the end. `out` has room for [`SLACK`] bytes at the least.
    ///
    /// # Errors
    /// [`Error::Misjudged`] at the end of a file that was assumed to be UTF-8 and is not; else as for the source.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        match &mut self.coding {
            Coding::Utf8 => self.source.read(out),
            Coding::AssumedUtf8(check) => {
                let read = self.source.read(out)?;
                check.update(&out[..read]);
                if read > 0 {
                    return Ok(read);
                }
                check.end();
                if check.is_utf8() { Ok(0) } else { Err(Error::Misjudged) }
            }
            Coding::Foreign(foreign) => foreign.read(&mut self.source, out),
        }
    }

    pub(crate) fn packed_read(&self) -> u64 {
        self.source.packed_read()
    }
}

/// The state of decoding anything but UTF-8.
struct Foreign {
    decoder: Decoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has ended; the decoder may still hold something back.
    last: bool,
    finished: bool,
}

impl Foreign {
    fn new(encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { decoder, raw: vec![0; CHUNK], start: 0, end: 0, last: false, finished: false }
    }

    fn read<R: Read>(&mut self, source: &mut Unpacked<R>, out: &mut [u8]) -> Result<usize, Error> {
        let mut written = 0;
        while written == 0 && !self.finished {
            if self.start == self.end && !self.last {
                self.end = source.read(&mut self.raw)?;
                self.start = 0;
                self.last = self.end == 0;
            }
            written = self.decode(out);
        }
        Ok(written)
    }

    /// Decodes until the raw bytes are used up or `out` is full, and returns how much it wrote.
    fn decode(&mut self, out: &mut [u8]) -> usize {
        let mut written = 0;
        loop {
            let raw = &self.raw[self.start..self.end];
            // One byte is kept free for a malformed sequence, which is reported after the fact.
            let room = out.len() - 1;
            let (result, read, wrote) =
                self.decoder.decode_to_utf8_without_replacement(raw, &mut out[written..room], self.last);
            self.start += read;
            written += wrote;
            match result {
                DecoderResult::InputEmpty => {
                    self.finished = self.last;
                    return written;
                }
                DecoderResult::OutputFull => return written,
                DecoderResult::Malformed(..) => {
                    out[written] = MALFORMED;
                    written += 1;
                    // A decoder with no room at all might report the next one nevertheless.
                    if written + SLACK / 2 > out.len() {
                        return written;
                    }
                }
            }
        }
    }
}
