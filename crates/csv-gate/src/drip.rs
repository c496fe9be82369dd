//! A reader for tests: it gives a few bytes at a time.

use std::io::{self, Read};

/// A reader that returns at most `most` bytes at a time.
pub(crate) struct Drip<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) most: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(out.len());
        self.bytes.read(&mut out[..most])
    }
}
