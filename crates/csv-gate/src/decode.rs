//! Converts unpacked bytes of any encoding to UTF-8 as they are read. UTF-8 itself passes through unchanged and
//! unchecked, because rows are validated one by one. Where UTF-8 is only assumed, the survey runs here.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::{Error, survey::Survey, unpack::Unpacked};

/// Replaces a malformed sequence in the decoded text. This byte never occurs in UTF-8, so the check for valid UTF-8
/// finds such rows in files of every encoding, and a genuine U+FFFD in a text is not an error.
const MALFORMED: u8 = 0xff;
/// The room in bytes that a decoder needs to make progress.
pub(crate) const MIN_DECODE_ROOM: usize = 64;
/// Bytes of undecoded input that are read at a time.
const RAW_CHUNK_BYTES: usize = 64 << 10;

/// The decoded text of a file.
pub(crate) struct Decoded<R: Read> {
    source: Unpacked<R>,
    coding: Coding,
}

enum Coding {
    Utf8,
    /// The survey decides at the end of the file.
    AssumedUtf8(Survey),
    Foreign(Foreign),
}

impl<R: Read> Decoded<R> {
    /// Decodes `source`, whose byte order mark was already read.
    pub(crate) fn new(source: Unpacked<R>, encoding: &'static Encoding) -> Self {
        let coding = if encoding == UTF_8 { Coding::Utf8 } else { Coding::Foreign(Foreign::new(encoding)) };
        Self { source, coding }
    }

    /// Passes on a file that has not been surveyed, and surveys it with `check`, which is new.
    pub(crate) fn assuming_utf8(source: Unpacked<R>, check: Survey) -> Self {
        Self { source, coding: Coding::AssumedUtf8(check) }
    }

    /// Reads some text, like [`Read::read`]: 0 is the end. `out` has room for at least [`MIN_DECODE_ROOM`] bytes.
    ///
    /// # Errors
    /// [`Error::NeedsTwoPasses`] at the end of a file that was assumed to be UTF-8 and is not; otherwise as for
    /// [`Unpacked::read`].
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
                if check.is_utf8() { Ok(0) } else { Err(Error::NeedsTwoPasses) }
            }
            Coding::Foreign(foreign) => foreign.read(&mut self.source, out),
        }
    }

    pub(crate) fn packed_read(&self) -> u64 {
        self.source.packed_read()
    }
}

/// The state of decoding an encoding other than UTF-8.
struct Foreign {
    decoder: Decoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has ended, but the decoder may still hold back a character.
    last: bool,
    finished: bool,
}

impl Foreign {
    fn new(encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { decoder, raw: vec![0; RAW_CHUNK_BYTES], start: 0, end: 0, last: false, finished: false }
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

    /// Decodes until the raw bytes are used up or `out` is full, and returns the number of bytes written.
    fn decode(&mut self, out: &mut [u8]) -> usize {
        let mut written = 0;
        loop {
            let raw = &self.raw[self.start..self.end];
            // Keeps one byte free, because a malformed sequence is reported only after the fact.
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
                    // A decoder without any room might still report the next malformed sequence.
                    if written + MIN_DECODE_ROOM / 2 > out.len() {
                        return written;
                    }
                }
            }
        }
    }
}
