//! Converts unpacked bytes of any encoding to UTF-8 as they are read. UTF-8 itself passes through unchanged and
//! unchecked, because rows are validated one by one. Where UTF-8 is only assumed, the survey runs here.

mod byte_table;
mod foreign;
mod joined;
mod transcoder;

use std::io::Read;

use self::{foreign::Foreign, joined::Joined};
use crate::{Error, LineEnd, charset::Charset, survey::Survey, unpack::Unpacked};

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
    Joined(Joined),
}

impl<R: Read> Decoded<R> {
    /// Decodes `source`, whose byte order mark was already read. With `utf8_lines`, lines that are valid UTF-8 pass
    /// unchanged, and these are the line ends.
    pub(crate) fn new(source: Unpacked<R>, charset: Charset, utf8_lines: Option<LineEnd>) -> Self {
        let coding = match (charset, utf8_lines) {
            (charset, _) if charset == Charset::UTF_8 => Coding::Utf8,
            (Charset::Web(encoding), Some(line_end)) => Coding::Joined(Joined::new(encoding, line_end)),
            (charset, _) => Coding::Foreign(Foreign::new(charset)),
        };
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
            Coding::Joined(joined) => joined.read(&mut self.source, out),
        }
    }

    pub(crate) fn packed_read(&self) -> u64 {
        self.source.packed_read()
    }
}
