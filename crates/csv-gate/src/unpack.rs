//! Unpacks a file as it is read, within bounds, and tells a corrupt archive from a failing reader. It looks at the first
//! bytes, because they and not the name say how a file is packed.

mod content;
mod members;

use std::{
    collections::VecDeque,
    io::{self, BufReader, Cursor, Read},
};

use tributary_formats::Packing;
use tributary_protocol::Sheet;

use self::members::Members;
use crate::{Error, Limits, Settings};

/// The unpacked bytes of a file.
pub(crate) struct Unpacked<R: Read> {
    stream: Stream<R>,
    packing: Packing,
    /// Bytes that were given back, to be read again.
    returned: VecDeque<u8>,
    unpacked: u64,
    /// Most bytes that it may unpack to.
    max_unpacked: u64,
    max_window: u64,
}

enum Stream<R: Read> {
    Plain(CountingReader<R>),
    Gzip(Box<Members<BufReader<CountingReader<R>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<CountingReader<R>>>),
    /// A sheet of a workbook as text, and the reader that gave the workbook.
    Sheet(Cursor<Vec<u8>>, CountingReader<R>),
}

impl<R: Read> Unpacked<R> {
    /// Begins a file of `packed_size` bytes, or one of its sheets.
    ///
    /// # Errors
    /// Those of [`Self::new`]. [`Error::Rejected`] if the sheet cannot be read.
    pub(crate) fn open(reader: R, packed_size: u64, settings: &Settings) -> Result<Self, Error> {
        match &settings.sheet {
            Some(sheet) => Self::of_sheet(reader, sheet, &settings.limits),
            None => Self::new(reader, packed_size, &settings.limits),
        }
    }

    /// Reads all of a workbook: its directory is at its end.
    fn of_sheet(reader: R, sheet: &Sheet, limits: &Limits) -> Result<Self, Error> {
        let mut counting = CountingReader { inner: reader, head: VecDeque::new(), read: 0, failed: false };
        let mut workbook = Vec::new();
        counting.by_ref().take(tributary_workbook::MAX_PACKED_BYTES + 1).read_to_end(&mut workbook)?;
        let text = tributary_workbook::to_csv(&workbook, sheet).map_err(|why| Error::file(why.to_string()))?;
        Ok(Self {
            stream: Stream::Sheet(Cursor::new(text), counting),
            packing: Packing::None,
            returned: VecDeque::new(),
            unpacked: 0,
            max_unpacked: limits.unpacked_bytes,
            max_window: limits.max_window,
        })
    }

    /// Begins a file of `packed_size` bytes, and reads enough of it to see how it is packed.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it is a file of another kind, such as an Excel workbook; [`Error::Io`] if `reader` fails.
    pub(crate) fn new(reader: R, packed_size: u64, limits: &Limits) -> Result<Self, Error> {
        let mut counting = CountingReader { inner: reader, head: VecDeque::new(), read: 0, failed: false };
        let packing = content::packing(counting.fill_head(content::HEAD_BYTES)?, limits.raw_bytes)?;
        let stream = match packing {
            Packing::None => Stream::Plain(counting),
            Packing::Gzip => Stream::Gzip(Box::new(Members::new(BufReader::new(counting)))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(counting)?;
                decoder.window_log_max(limits.max_window.clamp(MIN_WINDOW, MAX_WINDOW).ilog2())?;
                Stream::Zstd(decoder)
            }
        };
        let by_ratio = packed_size.saturating_mul(limits.unpacked_ratio).max(limits.unpacked_floor);
        let max_unpacked = match packing {
            Packing::None => limits.unpacked_bytes,
            Packing::Gzip | Packing::Zstd => by_ratio.min(limits.unpacked_bytes),
        };
        let max_window = limits.max_window;
        Ok(Self { stream, packing, returned: VecDeque::new(), unpacked: 0, max_unpacked, max_window })
    }

    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    /// Reads some bytes, like [`Read::read`]: 0 is the end.
    ///
    /// # Errors
    /// [`Error::Io`] if the underlying reader failed; [`Error::Rejected`] if the archive is corrupt or too large.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        if !self.returned.is_empty() {
            return Ok(self.returned.read(out)?);
        }
        let read = match &mut self.stream {
            Stream::Plain(reader) => reader.read(out),
            Stream::Gzip(reader) => reader.read(out),
            Stream::Zstd(reader) => reader.read(out),
            Stream::Sheet(text, _) => text.read(out),
        };
        let read = read.map_err(|error| self.blame(error))?;
        self.unpacked += read as u64;
        if self.unpacked > self.max_unpacked {
            return Err(Error::file(format!(
                "the file holds more than {} bytes unpacked, which is over the limit for its size",
                self.max_unpacked
            )));
        }
        Ok(read)
    }

    /// Reads until `out` is full or the file ends, so that results do not depend on how much the reader returns at a
    /// time.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < out.len() {
            match self.read(&mut out[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// Takes back the bytes that were read last, to return them again.
    pub(crate) fn give_back(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.returned.is_empty(), "bytes given back earlier would come in the wrong order");
        self.returned = bytes.into();
    }

    /// Bytes read from the packed input so far.
    pub(crate) fn packed_read(&self) -> u64 {
        self.packed().read
    }

    fn packed(&self) -> &CountingReader<R> {
        match &self.stream {
            Stream::Plain(reader) | Stream::Sheet(_, reader) => reader,
            Stream::Gzip(reader) => reader.get_ref().get_ref(),
            Stream::Zstd(reader) => reader.get_ref().get_ref(),
        }
    }

    fn blame(&self, error: io::Error) -> Error {
        if self.packed().failed {
            return Error::Io(error);
        }
        if self.packing == Packing::Zstd && error.to_string() == WINDOW_TOO_LARGE {
            return Error::file(format!(
                "the zstd archive needs a window of more than {} bytes: raise `max_window`, or pack it without --long",
                self.max_window
            ));
        }
        Error::file(format!("the {} archive is corrupt or cut short: {error}", self.packing))
    }
}

/// The smallest and the largest window that zstd accepts as a limit.
const MIN_WINDOW: u64 = 1 << 10;
const MAX_WINDOW: u64 = if usize::BITS == 64 { 1 << 31 } else { 1 << 30 };
/// The message by which zstd refuses a window: it has no other sign of it.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// Counts the bytes and remembers a failure: seen through an unpacker, a failing disk looks like a corrupt archive.
struct CountingReader<R> {
    inner: R,
    /// The first bytes, which were looked at and are still to be read.
    head: VecDeque<u8>,
    read: u64,
    failed: bool,
}

impl<R: Read> CountingReader<R> {
    /// Reads the first `len` bytes of the file, or all of it, without consuming them.
    fn fill_head(&mut self, len: usize) -> io::Result<&[u8]> {
        let mut head = Vec::new();
        self.inner.by_ref().take(len as u64).read_to_end(&mut head)?;
        self.head = head.into();
        Ok(self.head.as_slices().0)
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let result = if self.head.is_empty() { self.inner.read(out) } else { self.head.read(out) };
            match result {
                Ok(read) => {
                    self.read += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }
}
