//! A bounded window on the decoded text: keeps the record that is being split together in memory, and knows where in
//! the file the window stands. What a record is, `split` knows.

use std::io::Read;

use memchr::memchr;

use crate::{
    Error, LineEnd,
    decode::{Decoded, SLACK},
};

/// What lies behind a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Perhaps more: ask for it.
    More,
    /// More, but the window does not grow any further.
    Full,
    /// Nothing: the file ends here.
    Eof,
}

/// The window: `buf[start..end]` is text not yet used up.
pub(crate) struct Text<R: Read> {
    source: Decoded<R>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
    /// `buf[..clean]` is valid UTF-8 without NUL. To look at all of it at once is several times faster than to look at
    /// each record; records behind the first fault are looked at one by one.
    clean: usize,
    line_end: u8,
    lookahead: usize,
    /// How much is read at a time.
    chunk: usize,
    /// Physical line on which the window begins, counted from 1.
    line: u64,
    /// Offset in the decoded text at which the window begins.
    byte: u64,
}

impl<R: Read> Text<R> {
    pub(crate) fn new(source: Decoded<R>, line_end: LineEnd, lookahead: usize, chunk: usize) -> Self {
        Self {
            source,
            buf: Vec::new(),
            start: 0,
            end: 0,
            eof: false,
            clean: 0,
            line_end: line_end.byte(),
            lookahead,
            chunk,
            line: 1,
            byte: 0,
        }
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn byte(&self) -> u64 {
        self.byte
    }

    pub(crate) fn packed_read(&self) -> u64 {
        self.source.packed_read()
    }

    /// The window, at most the lookahead long. What it is and what lies behind it do not depend on how the reader cuts
    /// its answers, unless `End::More` says to ask again.
    pub(crate) fn window(&self) -> (&[u8], End) {
        let window = &self.buf[self.start..self.end];
        if window.len() > self.lookahead {
            (&window[..self.lookahead], End::Full)
        } else {
            (window, if self.eof { End::Eof } else { End::More })
        }
    }

    /// The first `most` bytes of the window, read if need be, cut short only by the end of the file.
    pub(crate) fn sample(&mut self, most: usize) -> Result<(&[u8], End), Error> {
        self.fill(most + 1)?;
        let window = &self.buf[self.start..self.end];
        match window.get(..most) {
            Some(sample) if window.len() > most => Ok((sample, End::More)),
            _ => Ok((window, End::Eof)),
        }
    }

    /// Text that was part of the window when `position` was its start; good until the window grows.
    pub(crate) fn since(&self, position: usize, len: usize) -> &[u8] {
        &self.buf[position..position + len]
    }

    /// Where the window begins in the buffer: for [`Self::since`].
    pub(crate) fn position(&self) -> usize {
        self.start
    }

    /// Whether the first `len` bytes of the window are known to be valid UTF-8 without NUL.
    pub(crate) fn is_clean(&self, len: usize) -> bool {
        self.start + len <= self.clean
    }

    /// Uses up the first `len` bytes of the window, which hold `lines` line ends.
    pub(crate) fn consume(&mut self, len: usize, lines: u64) {
        self.start += len;
        self.byte += len as u64;
        self.line += lines;
    }

    /// Makes the window longer; doubling keeps the work linear when a record has to be split again from its start.
    pub(crate) fn grow(&mut self) -> Result<(), Error> {
        let len = self.end - self.start;
        self.fill((2 * len).clamp(self.chunk, self.lookahead + self.chunk))
    }

    /// Makes sure that the window holds `len` bytes, or all that is left. It reads as many more, so that a caller who uses up
    /// little at a time does not have all of the window moved each time.
    pub(crate) fn want(&mut self, len: usize) -> Result<(), Error> {
        if self.end - self.start < len && !self.eof { self.fill(2 * len) } else { Ok(()) }
    }

    /// Uses up the text to the end of its physical line, however long that is; false if it has no end.
    pub(crate) fn skip_line(&mut self) -> Result<bool, Error> {
        loop {
            let window = &self.buf[self.start..self.end];
            if let Some(at) = memchr(self.line_end, window) {
                self.consume(at + 1, 1);
                return Ok(true);
            }
            self.consume(window.len(), 0);
            if self.eof {
                return Ok(false);
            }
            self.fill(self.chunk)?;
        }
    }

    /// Reads until the window holds `want` bytes or the file ends.
    fn fill(&mut self, want: usize) -> Result<(), Error> {
        if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.clean = self.clean.saturating_sub(self.start);
            self.start = 0;
        }
        if self.buf.len() < want + SLACK {
            self.buf.resize(want + SLACK, 0);
        }
        while self.end < want && !self.eof {
            match self.source.read(&mut self.buf[self.end..])? {
                0 => self.eof = true,
                read => self.end += read,
            }
        }
        let new = &self.buf[self.clean..self.end];
        let valid = match simdutf8::compat::from_utf8(new) {
            Ok(_) => new,
            Err(error) => &new[..error.valid_up_to()],
        };
        self.clean += memchr(0, valid).unwrap_or(valid.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{Limits, Packing, unpack::Unpacked};

    #[test]
    fn a_line_of_any_length_takes_bounded_memory() {
        const LONG: u64 = 16 << 20;
        let file = io::repeat(b'x').take(LONG).chain(&b"\nrest"[..]);
        let source = Unpacked::new(file, Packing::None, LONG, &Limits::default()).unwrap();
        let mut text = Text::new(Decoded::new(source, encoding_rs::UTF_8), LineEnd::Lf, 1 << 20, 1 << 16);
        while text.window().1 == End::More {
            text.grow().unwrap();
        }
        assert_eq!(text.window().0.len(), 1 << 20);
        assert!(text.skip_line().unwrap());
        assert_eq!((text.line(), text.byte(), text.window().0), (2, LONG + 1, &b"rest"[..]));
        assert!(text.buf.len() <= (1 << 20) + (1 << 16) + SLACK, "{} bytes held", text.buf.len());
    }
}
