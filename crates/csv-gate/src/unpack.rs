//! Unpacks a file as it is read, within bounds, and tells a corrupt archive from a failing reader. It does not look at
//! the content.

use std::{
    collections::VecDeque,
    io::{self, BufReader, Read},
};

use flate2::bufread::MultiGzDecoder;
use tributary_formats::Packing;

use crate::{Error, Limits};

/// The unpacked bytes of a file.
pub(crate) struct Unpacked<R: Read> {
    stream: Stream<R>,
    packing: Packing,
    /// Bytes that were given back, to be read again.
    returned: VecDeque<u8>,
    unpacked: u64,
    /// Most bytes that it may unpack to.
    max_unpacked: u64,
}

enum Stream<R: Read> {
    Plain(CountingReader<R>),
    Gzip(Box<MultiGzDecoder<BufReader<CountingReader<R>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<CountingReader<R>>>),
}

impl<R: Read> Unpacked<R> {
    pub(crate) fn new(reader: R, packing: Packing, packed_size: u64, limits: &Limits) -> Result<Self, Error> {
        let counting = CountingReader { inner: reader, read: 0, failed: false };
        let stream = match packing {
            Packing::None => Stream::Plain(counting),
            Packing::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(counting)))),
            Packing::Zstd => Stream::Zstd(zstd::stream::read::Decoder::new(counting)?),
        };
        let by_ratio = packed_size.saturating_mul(limits.unpacked_ratio).max(limits.unpacked_floor);
        let max_unpacked = match packing {
            Packing::None => limits.unpacked_bytes,
            Packing::Gzip | Packing::Zstd => by_ratio.min(limits.unpacked_bytes),
        };
        Ok(Self { stream, packing, returned: VecDeque::new(), unpacked: 0, max_unpacked })
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
            Stream::Plain(reader) => reader,
            Stream::Gzip(reader) => reader.get_ref().get_ref(),
            Stream::Zstd(reader) => reader.get_ref().get_ref(),
        }
    }

    fn blame(&self, error: io::Error) -> Error {
        if self.packed().failed {
            return Error::Io(error);
        }
        Error::file(format!("the {} archive is corrupt or cut short: {error}", self.packing))
    }
}

/// Counts the bytes and remembers a failure: seen through an unpacker, a failing disk looks like a corrupt archive.
struct CountingReader<R> {
    inner: R,
    read: u64,
    failed: bool,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(out) {
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
