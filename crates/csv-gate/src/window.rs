//! A bounded window on the decoded text: holds the record being split in one piece, and knows the window's position in
//! the file. What a record is, `split` decides.

use std::io::Read;

use memchr::{memchr, memchr_iter};
use xxhash_rust::xxh3::Xxh3;

use crate::{
    Error, Ignored, LineEnd,
    decode::MIN_DECODE_ROOM,
    footer::Source,
    line_end::first_line,
    rejects::raw_text,
    split::{END_OF_FILE, End},
    tail::Tail,
};

/// The position and the first line of a second table.
pub(crate) struct SecondPlace {
    pub(crate) line: u64,
    pub(crate) byte: u64,
    pub(crate) raw: String,
}

/// The window: `buf[start..end]` is the text that was not consumed yet.
pub(crate) struct TextWindow<R: Read> {
    source: Source<R>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// `buf[shown..end]` is not in the window: it may belong to a footer.
    shown: usize,
    eof: bool,
    /// Finds the footer at the end of the file.
    tail: Option<Box<Tail>>,
    /// The start of a second table in `buf`. The window ends there, and does not grow.
    stopped: Option<usize>,
    ignored: Ignored,
    /// `buf[..clean]` is valid UTF-8 without NUL. Validating the buffer at once is cheaper than validating each record;
    /// records after the first fault are validated one by one.
    clean: usize,
    line_end: u8,
    lookahead: usize,
    /// Bytes to read at a time.
    chunk: usize,
    /// The physical line on which the window begins, counted from 1.
    line: u64,
    /// The offset of the window in the decoded text.
    byte: u64,
    /// Digests what is consumed, if that is asked for.
    digest: Option<Box<Digest>>,
}

/// A digest of what was consumed.
struct Digest {
    /// Of what was consumed before `buf[from..start]`.
    hasher: Xxh3,
    from: usize,
}

impl<R: Read> TextWindow<R> {
    pub(crate) fn new(source: Source<R>, line_end: LineEnd, lookahead: usize, chunk: usize) -> Self {
        Self {
            source,
            buf: Vec::new(),
            start: 0,
            end: 0,
            shown: 0,
            eof: false,
            tail: None,
            stopped: None,
            ignored: Ignored::default(),
            clean: 0,
            line_end: line_end.byte(),
            lookahead,
            chunk,
            line: 1,
            byte: 0,
            digest: None,
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

    /// The window, cut at the lookahead. Unless `End::More` asks to grow it, neither the window nor what follows
    /// depends on how much the reader returns at a time.
    pub(crate) fn window(&self) -> (&[u8], End) {
        let window = &self.buf[self.start..self.shown];
        if window.len() > self.lookahead {
            (&window[..self.lookahead], End::Full)
        } else {
            (window, if self.eof || self.stopped.is_some() { End::Eof } else { End::More })
        }
    }

    /// The next `max` bytes, read if necessary; fewer only at the end of the file.
    pub(crate) fn sample(&mut self, max: usize) -> Result<(&[u8], End), Error> {
        self.fill(max + 1)?;
        let window = &self.buf[self.start..self.end];
        match window.get(..max) {
            Some(sample) if window.len() > max => Ok((sample, End::More)),
            _ => Ok((window, End::Eof)),
        }
    }

    /// Text of the window from `position` on. Positions stay valid until the window grows.
    pub(crate) fn since(&self, position: usize, len: usize) -> &[u8] {
        &self.buf[position..position + len]
    }

    /// The next `len` bytes, unless fewer are there. They may be more than the lookahead.
    pub(crate) fn shown(&self, len: usize) -> Option<&[u8]> {
        self.buf[self.start..self.shown].get(..len)
    }

    /// Digests what is consumed from now on.
    pub(crate) fn use_digest(&mut self, seed: u64) {
        self.digest = Some(Box::new(Digest { hasher: Xxh3::with_seed(seed), from: self.start }));
    }

    /// Begins another digest here.
    pub(crate) fn digest_from_here(&mut self) {
        if let Some(Digest { hasher, from }) = self.digest.as_deref_mut() {
            hasher.reset();
            *from = self.start;
        }
    }

    /// Returns the digest of what was consumed, and begins another one; 0 if none was begun.
    pub(crate) fn digest(&mut self) -> u128 {
        let Some(Digest { hasher, from }) = self.digest.as_deref_mut() else { return 0 };
        hasher.update(&self.buf[*from..self.start]);
        let digest = hasher.digest128();
        hasher.reset();
        *from = self.start;
        digest
    }

    /// The window's start in the buffer, for [`Self::since`].
    pub(crate) fn position(&self) -> usize {
        self.start
    }

    /// Whether the first `len` bytes of the window are known to be valid UTF-8 without NUL.
    pub(crate) fn is_clean(&self, len: usize) -> bool {
        self.start + len <= self.clean
    }

    /// Consumes the first `len` bytes of the window, which contain `lines` line ends.
    pub(crate) fn consume(&mut self, len: usize, lines: u64) {
        self.start += len;
        self.byte += len as u64;
        self.line += lines;
    }

    /// Grows the window. It doubles, so that splitting a long record again from its start stays linear.
    pub(crate) fn grow(&mut self) -> Result<(), Error> {
        let len = self.shown - self.start;
        self.fill((2 * len).clamp(self.chunk, self.lookahead + self.chunk))
    }

    /// Fills the window to at least `len` bytes, or to the end of the file. It reads twice as much, so that the buffer
    /// is not moved for every few bytes that a caller consumes.
    pub(crate) fn fill_to(&mut self, len: usize) -> Result<(), Error> {
        if self.shown - self.start < len && !self.eof && self.stopped.is_none() { self.fill(2 * len) } else { Ok(()) }
    }

    /// Consumes the rest of the physical line, however long it is. Returns false if the file ends before the line does.
    pub(crate) fn skip_line(&mut self) -> Result<bool, Error> {
        loop {
            let window = &self.buf[self.start..self.shown];
            if let Some(at) = memchr(self.line_end, window) {
                self.consume(at + 1, 1);
                return Ok(true);
            }
            self.consume(window.len(), 0);
            if self.eof || self.stopped.is_some() {
                return Ok(false);
            }
            self.fill(self.chunk)?;
        }
    }

    /// Leaves out the footer that `tail` finds at the end of the file. The rest of the file begins with a record.
    pub(crate) fn leave_out(&mut self, tail: Tail) {
        self.tail = Some(Box::new(tail));
        self.hold_back();
    }

    /// Ends the window `len` bytes after its start, where a second table begins. `tail` finds the footer above it.
    pub(crate) fn stop(&mut self, len: u64, tail: &Tail) {
        let stop = self.start + usize::try_from(len).expect("a second table is found in what was read");
        self.stopped = Some(stop);
        self.shown = self.without_footer(tail, stop);
    }

    /// Returns the lines that were left out. Reads the rest of a file that was stopped.
    pub(crate) fn finish(&mut self, max_bytes: usize) -> Result<(Ignored, Option<SecondPlace>), Error> {
        let mut ignored = std::mem::take(&mut self.ignored);
        let Some(stop) = self.stopped.take() else { return Ok((ignored, None)) };
        let lines = memchr_iter(self.line_end, &self.buf[self.start..stop]).count();
        self.consume(stop - self.start, lines as u64);
        self.shown = self.end;
        let first = first_line(&self.buf[stop..self.end]);
        let second = SecondPlace { line: self.line, byte: self.byte, raw: raw_text(first, max_bytes) };
        let mut goes_on = self.skip_line()?;
        if self.start < self.end {
            let text = &self.buf[self.start..self.end];
            let next = first_line(text);
            ignored.first.get_or_insert_with(|| (self.line, raw_text(next, max_bytes)));
        }
        while goes_on {
            let before = self.byte;
            goes_on = self.skip_line()?;
            ignored.lines += u64::from(self.byte > before);
        }
        Ok((ignored, Some(second)))
    }

    /// Keeps the end of what was read out of the window as long as it may be a footer.
    fn hold_back(&mut self) {
        if self.eof
            && let Some(tail) = self.tail.take()
        {
            self.end = self.without_footer(&tail, self.end);
            self.clean = self.clean.min(self.end);
        }
        self.shown = match self.tail {
            Some(_) => self.end - self.held_back(),
            None => self.end,
        };
    }

    /// The number of bytes at the end of what was read that may belong to a footer.
    fn held_back(&self) -> usize {
        let text = &self.buf[self.start..self.end];
        self.tail.as_ref().map_or(0, |tail| tail.reach(text).min(text.len()))
    }

    /// Returns the start of the footer before `end`, and notes its lines.
    fn without_footer(&mut self, tail: &Tail, end: usize) -> usize {
        /// The most bytes of the first line that are kept to show it.
        const RAW_BYTES: usize = 1 << 10;
        let from = end.saturating_sub(tail.reach(&self.buf[self.start..end])).max(self.start);
        let is_line_start = from == self.start || tail.ends_line(&self.buf[self.start..from]);
        let cut = from + tail.find(&self.buf[from..end], is_line_start);
        if cut < end {
            let line = self.line + memchr_iter(self.line_end, &self.buf[self.start..cut]).count() as u64;
            self.ignored.add(line, &self.buf[cut..end], self.line_end, RAW_BYTES);
        }
        cut
    }

    /// Reads until the window contains `want` bytes or the file ends.
    fn fill(&mut self, want: usize) -> Result<(), Error> {
        if let Some(Digest { hasher, from }) = self.digest.as_deref_mut() {
            hasher.update(&self.buf[*from..self.start]);
            *from = 0;
        }
        if self.start > 0 {
            self.buf.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.shown -= self.start;
            self.clean = self.clean.saturating_sub(self.start);
            self.start = 0;
        }
        while self.end - self.held_back() < want && !self.eof {
            let room = want + self.held_back() + MIN_DECODE_ROOM;
            if self.buf.len() < room {
                self.buf.resize(room, 0);
            }
            match self.source.read(&mut self.buf[self.end..])? {
                0 => self.eof = true,
                read => self.end += read,
            }
        }
        // Editors of DOS end a file with this sign, and some tools a file of an old Mac with a line feed.
        let is_end = |byte: &u8| *byte == END_OF_FILE || (self.line_end == b'\r' && *byte == b'\n');
        while self.eof && self.buf[self.start..self.end].last().is_some_and(is_end) {
            self.end -= 1;
        }
        self.clean = self.clean.min(self.end);
        let new = &self.buf[self.clean..self.end];
        let valid = match simdutf8::compat::from_utf8(new) {
            Ok(_) => new,
            Err(error) => &new[..error.valid_up_to()],
        };
        self.clean += memchr(0, valid).unwrap_or(valid.len());
        self.hold_back();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{Limits, decode::Decoded, unpack::Unpacked};

    #[test]
    fn a_line_of_any_length_takes_bounded_memory() {
        const LONG: u64 = 16 << 20;
        let file = io::repeat(b'x').take(LONG).chain(&b"\nrest"[..]);
        let source = Unpacked::new(file, LONG, &Limits::default()).unwrap();
        let source = Source::new(Decoded::new(source, crate::charset::Charset::UTF_8, None), 0, LineEnd::Lf);
        let mut text = TextWindow::new(source, LineEnd::Lf, 1 << 20, 1 << 16);
        while text.window().1 == End::More {
            text.grow().unwrap();
        }
        assert_eq!(text.window().0.len(), 1 << 20);
        assert!(text.skip_line().unwrap());
        assert_eq!((text.line(), text.byte(), text.window().0), (2, LONG + 1, &b"rest"[..]));
        assert!(text.buf.len() <= (1 << 20) + (1 << 16) + MIN_DECODE_ROOM, "{} bytes held", text.buf.len());
    }
}
