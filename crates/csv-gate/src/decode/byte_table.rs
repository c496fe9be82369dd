//! Decodes encodings of single bytes by a table. Feeds in them are common, and encoding_rs takes three times as long,
//! because it is made for text that is mostly ASCII.

use super::transcoder::{MALFORMED, Progress};

/// Bytes that are decoded at a time.
const STRIDE: usize = 8;
/// Bytes that are written for each character, of which it takes three at most.
const ENTRY_BYTES: usize = 4;
/// Room for the characters of a stride, and one byte more, so that the compiler sees that every index is in range.
const STRIDE_ROOM: usize = ENTRY_BYTES * (STRIDE + 1);

/// The text of each byte: three bytes of UTF-8, padded, and their number.
pub(super) struct ByteTable([[u8; ENTRY_BYTES]; 256]);

impl ByteTable {
    pub(super) fn new(characters: [Option<char>; 256]) -> Self {
        Self(characters.map(|c| {
            let mut entry = [MALFORMED; ENTRY_BYTES];
            entry[ENTRY_BYTES - 1] = c.map_or(1, |c| c.encode_utf8(&mut entry).len() as u8);
            entry
        }))
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
            *room = self.0[usize::from(*byte)];
            progress.written += usize::from(room[ENTRY_BYTES - 1]);
            progress.read += 1;
        }
        Progress { is_done: true, ..progress }
    }

    /// Returns the number of bytes written. Each entry is written as a whole, and the next one overwrites its padding.
    #[inline]
    fn decode_stride(&self, raw: &[u8; STRIDE], out: &mut [u8; STRIDE_ROOM]) -> usize {
        if raw.is_ascii() {
            out[..STRIDE].copy_from_slice(raw);
            return STRIDE;
        }
        let mut written = 0;
        for byte in raw {
            let entry = self.0[usize::from(*byte)];
            let at = written % (ENTRY_BYTES * STRIDE);
            out[at..at + ENTRY_BYTES].copy_from_slice(&entry);
            written += usize::from(entry[ENTRY_BYTES - 1]);
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
