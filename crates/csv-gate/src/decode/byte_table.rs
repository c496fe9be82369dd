//! Decodes encodings of single bytes by a table. Feeds in them are common, and encoding_rs takes three times as long,
//! because it is made for text that is mostly ASCII.

use super::transcoder::{MALFORMED, Progress};

/// Bytes that are checked for ASCII at a time.
const STRIDE: usize = 8;
/// Most bytes of a character in UTF-8, padding included.
const MAX_CHAR_BYTES: usize = 4;

/// The text of each byte.
pub(super) struct ByteTable {
    utf8: [[u8; MAX_CHAR_BYTES]; 256],
    len: [u8; 256],
}

impl ByteTable {
    pub(super) fn new(characters: [Option<char>; 256]) -> Self {
        let mut utf8 = [[MALFORMED; MAX_CHAR_BYTES]; 256];
        let mut len = [1; 256];
        for (byte, c) in characters.into_iter().enumerate() {
            if let Some(c) = c {
                len[byte] = c.encode_utf8(&mut utf8[byte]).len() as u8;
            }
        }
        Self { utf8, len }
    }

    /// Decodes until the raw bytes are used up or `out` is almost full.
    pub(super) fn decode(&self, raw: &[u8], out: &mut [u8]) -> Progress {
        let mut progress = Progress { read: 0, written: 0, is_done: false };
        while let (Some(stride), Some(room)) =
            (raw[progress.read..].first_chunk(), out[progress.written..].first_chunk_mut())
        {
            progress.written += self.decode_stride(stride, room);
            progress.read += STRIDE;
        }
        for byte in &raw[progress.read..] {
            let Some(room) = out[progress.written..].first_chunk_mut() else { return progress };
            *room = self.utf8[usize::from(*byte)];
            progress.written += usize::from(self.len[usize::from(*byte)]);
            progress.read += 1;
        }
        Progress { is_done: true, ..progress }
    }

    /// Returns the number of bytes written. Each character is written with its padding, and the next one overwrites it.
    #[inline]
    fn decode_stride(&self, raw: &[u8; STRIDE], out: &mut [u8; MAX_CHAR_BYTES * STRIDE]) -> usize {
        if raw.is_ascii() {
            out[..STRIDE].copy_from_slice(raw);
            return STRIDE;
        }
        let mut written = 0;
        for byte in raw {
            out[written..written + MAX_CHAR_BYTES].copy_from_slice(&self.utf8[usize::from(*byte)]);
            written += usize::from(self.len[usize::from(*byte)]);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset::Charset;

    #[test]
    fn every_byte_in_any_room() {
        let bytes: Vec<u8> = (0..=255).rev().chain(b"a long run of ASCII".iter().copied()).chain(0..=255).collect();
        for label in ["windows-1252", "windows-1253", "koi8-u", "cp437"] {
            let characters = Charset::for_label(label).and_then(Charset::characters).expect("a single-byte encoding");
            let text =
                |byte: &u8| characters[usize::from(*byte)].map_or(vec![MALFORMED], |c| c.to_string().into_bytes());
            let expect: Vec<u8> = bytes.iter().flat_map(text).collect();
            for room in [64, 65, 80, 1000] {
                let (table, mut out) = (ByteTable::new(characters), vec![0; room]);
                let (mut read, mut found) = (0, Vec::new());
                while read < bytes.len() {
                    let progress = table.decode(&bytes[read..], &mut out);
                    assert_eq!(progress.is_done, read + progress.read == bytes.len());
                    read += progress.read;
                    found.extend_from_slice(&out[..progress.written]);
                }
                assert_eq!(found, expect, "{label}, {room} bytes of room");
            }
        }
    }
}
