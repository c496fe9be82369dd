//! Decodes a file that has one encoding other than UTF-8.

use std::io::Read;

use super::{RAW_CHUNK_BYTES, transcoder::Transcoder};
use crate::{Error, charset::Charset, unpack::Unpacked};

/// The state of decoding.
pub(super) struct Foreign {
    transcoder: Transcoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has ended, but the decoder may still hold back a character.
    last: bool,
    finished: bool,
}

impl Foreign {
    pub(super) fn new(charset: Charset) -> Self {
        let transcoder = Transcoder::new(charset);
        Self { transcoder, raw: vec![0; RAW_CHUNK_BYTES], start: 0, end: 0, last: false, finished: false }
    }

    pub(super) fn read<R: Read>(&mut self, source: &mut Unpacked<R>, out: &mut [u8]) -> Result<usize, Error> {
        let mut written = 0;
        while written == 0 && !self.finished {
            if self.start == self.end && !self.last {
                self.end = source.read(&mut self.raw)?;
                self.start = 0;
                self.last = self.end == 0;
            }
            let progress = self.transcoder.decode(&self.raw[self.start..self.end], out, self.last);
            self.start += progress.read;
            self.finished = self.last && progress.is_done;
            written = progress.written;
        }
        Ok(written)
    }
}
