//! Decodes a file in a code page of DOS.

use std::io::Read;

use super::MIN_DECODE_ROOM;
use crate::{Error, charset::CodePage, unpack::Unpacked};

/// Most bytes of UTF-8 for one byte of a code page.
const MAX_CHAR_BYTES: usize = 3;

/// The state of decoding.
pub(super) struct Dos {
    page: &'static CodePage,
    raw: Vec<u8>,
    text: String,
}

impl Dos {
    pub(super) fn new(page: &'static CodePage) -> Self {
        Self { page, raw: Vec::new(), text: String::new() }
    }

    pub(super) fn read<R: Read>(&mut self, source: &mut Unpacked<R>, out: &mut [u8]) -> Result<usize, Error> {
        debug_assert!(out.len() >= MIN_DECODE_ROOM);
        self.raw.resize(out.len() / MAX_CHAR_BYTES, 0);
        let read = source.read(&mut self.raw)?;
        self.text.clear();
        self.page.decode(&self.raw[..read], &mut self.text);
        out[..self.text.len()].copy_from_slice(self.text.as_bytes());
        Ok(self.text.len())
    }
}
