//! Holds back the last lines of a file, which are not rows. Without a footer the text passes through.

use std::io::Read;

use memchr::{memchr_iter, memrchr_iter};

use crate::{
    Error, LineEnd,
    decode::{Decoded, MIN_DECODE_ROOM},
};

/// Most bytes of the lines that are held back. This bounds the memory of a file with a footer.
const MAX_FOOTER_BYTES: usize = 16 << 20;
/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// The decoded text of a file without its last lines.
pub(crate) struct Source<R: Read> {
    decoded: Decoded<R>,
    held: Option<HeldBack>,
}

/// The end of the text that was read.
struct HeldBack {
    /// Physical lines to leave out.
    lines: usize,
    line_end: u8,
    buf: Vec<u8>,
    /// `buf[start..ready]` can be returned.
    start: usize,
    ready: usize,
    /// The number of line ends in `buf[ready..]`.
    line_ends: usize,
    eof: bool,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(decoded: Decoded<R>, footer_lines: u64, line_end: LineEnd) -> Self {
        let held = (footer_lines > 0).then(|| HeldBack {
            lines: usize::try_from(footer_lines).unwrap_or(usize::MAX),
            line_end: line_end.byte(),
            buf: Vec::new(),
            start: 0,
            ready: 0,
            line_ends: 0,
            eof: false,
        });
        Self { decoded, held }
    }

    /// Reads some text, like [`Decoded::read`].
    ///
    /// # Errors
    /// [`Error::Rejected`] if the last lines are too long to be held back; otherwise as for [`Decoded::read`].
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        match &mut self.held {
            None => self.decoded.read(out),
            Some(held) => held.read(&mut self.decoded, out),
        }
    }

    pub(crate) fn packed_read(&self) -> u64 {
        self.decoded.packed_read()
    }
}

impl HeldBack {
    fn read<R: Read>(&mut self, decoded: &mut Decoded<R>, out: &mut [u8]) -> Result<usize, Error> {
        while self.start == self.ready && !self.eof {
            self.fill(decoded)?;
        }
        let len = out.len().min(self.ready - self.start);
        out[..len].copy_from_slice(&self.buf[self.start..self.start + len]);
        self.start += len;
        Ok(len)
    }

    fn fill<R: Read>(&mut self, decoded: &mut Decoded<R>) -> Result<(), Error> {
        self.buf.drain(..self.start);
        (self.start, self.ready) = (0, 0);
        let len = self.buf.len();
        if len > MAX_FOOTER_BYTES {
            return Err(Error::file(format!(
                "{} lines in a row hold more than {MAX_FOOTER_BYTES} bytes: lower `skip_footer`",
                self.lines
            )));
        }
        self.buf.resize(len + CHUNK_BYTES.max(MIN_DECODE_ROOM), 0);
        let read = decoded.read(&mut self.buf[len..])?;
        self.buf.truncate(len + read);
        self.eof = read == 0;
        self.line_ends += memchr_iter(self.line_end, &self.buf[len..]).count();
        // After the last line end may follow a line without one, or nothing.
        let kept = match self.eof && self.buf.last().is_some_and(|last| *last != self.line_end) {
            true => self.lines.saturating_sub(1),
            false => self.lines,
        };
        if self.line_ends > kept {
            let mut ends = memrchr_iter(self.line_end, &self.buf);
            self.ready = ends.nth(kept).map_or(0, |at| at + 1);
            self.line_ends = kept;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{Limits, charset::Charset, unpack::Unpacked};

    fn read(text: impl Read, lines: u64, out: usize) -> Result<String, Error> {
        let source = Unpacked::new(text, 1, &Limits::default())?;
        let mut source = Source::new(Decoded::new(source, Charset::UTF_8, None), lines, LineEnd::Lf);
        let (mut all, mut slice) = (Vec::new(), vec![0; out]);
        loop {
            match source.read(&mut slice)? {
                0 => return Ok(String::from_utf8(all).expect("the text is ASCII")),
                len => all.extend_from_slice(&slice[..len]),
            }
        }
    }

    #[test]
    fn the_last_lines_are_left_out() {
        let check = |text: &str, lines, expect: &str| {
            for out in [MIN_DECODE_ROOM, 1000] {
                assert_eq!(read(text.as_bytes(), lines, out).unwrap(), expect, "{text:?} without {lines}");
            }
        };
        check("a\nb\nc\n", 0, "a\nb\nc\n");
        check("a\nb\nc\n", 1, "a\nb\n");
        check("a\nb\nc", 1, "a\nb\n");
        check("a\nb\nc", 2, "a\n");
        check("a\nb\n\n", 1, "a\nb\n");
        check("a\nb\n\n", 2, "a\n");
        check("a\r\nb\r\n", 1, "a\r\n");
        check("a\nb\nc", 3, "");
        check("a\nb\nc\n", 3, "");
        check("a\nb\nc\n", 9, "");
        check("", 1, "");
        let long = "x\n".repeat(100_000);
        check(&format!("{long}b\nc\n"), 2, &long);
    }

    #[test]
    fn lines_too_long_to_be_held_back_reject_the_file() {
        let error = read(io::repeat(b'x').take(20 << 20), 1, 1 << 16).expect_err("one line of 20 MiB").to_string();
        assert!(error.contains("skip_footer"), "{error}");
    }
}
