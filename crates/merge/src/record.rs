//! Byte layout of a row in a run. No other file knows it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Error;

/// A file's row for one sku.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The key.
    pub(crate) sku: &'a [u8],
    /// The name, as products show it.
    pub(crate) name: &'a [u8],
    /// The description, as products show it.
    pub(crate) description: &'a [u8],
    /// True if the row deletes the sku.
    pub(crate) deletes: bool,
    /// The line on which the row begins.
    pub(crate) line: u64,
    /// Hash of name, description and `deletes`. [`encode`] computes it and ignores the value given.
    pub(crate) content_hash: u64,
}

/// Bytes before the texts: their three lengths, `deletes`, line, content hash.
pub(crate) const HEADER_BYTES: usize = 3 * 4 + 1 + 8 + 8;

/// Appends a record to `out`. The content hash is computed here because the texts are contiguous only in `out`.
pub(crate) fn encode(out: &mut Vec<u8>, record: &Record<'_>) {
    let start = out.len();
    let mut header = [0; HEADER_BYTES];
    for (slot, text) in [record.sku, record.name, record.description].into_iter().enumerate() {
        // Fits: the CSV gate rejects fields of more than a few MiB.
        header[4 * slot..4 * slot + 4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    }
    header[12] = u8::from(record.deletes);
    header[13..21].copy_from_slice(&record.line.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(record.sku);
    let texts = out.len();
    out.extend_from_slice(record.name);
    out.extend_from_slice(record.description);
    let hash = hash_content(&out[texts..], record.name.len(), record.deletes);
    out[start + 21..start + HEADER_BYTES].copy_from_slice(&hash.to_le_bytes());
}

/// XXH3 over name and description, which `texts` holds one after the other. A collision between the old and the new content of a
/// sku in one file would hide the change. The odds are 2^-64 per changed row, and a deliberate collision affects only
/// its author's own file. blake3 took four times as long.
fn hash_content(texts: &[u8], name_len: usize, deletes: bool) -> u64 {
    xxh3_64_with_seed(texts, ((name_len as u64) << 1) | u64::from(deletes))
}

/// The length of the record at the start of `bytes`, which must hold at least [`HEADER_BYTES`].
pub(crate) fn encoded_len(bytes: &[u8]) -> usize {
    (0..3).fold(HEADER_BYTES, |sum, slot| sum.saturating_add(text_len(bytes, slot)))
}

/// The record at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Record<'_> {
    let (header, texts) = bytes.split_at(HEADER_BYTES);
    let (sku, rest) = texts.split_at(text_len(header, 0));
    let (name, rest) = rest.split_at(text_len(header, 1));
    Record {
        sku,
        name,
        description: &rest[..text_len(header, 2)],
        deletes: header[12] != 0,
        line: read_u64(&header[13..21]),
        content_hash: read_u64(&header[21..29]),
    }
}

/// The sku of the record at the start of `bytes`.
pub(crate) fn sku_of(bytes: &[u8]) -> &[u8] {
    &bytes[HEADER_BYTES..HEADER_BYTES + text_len(bytes, 0)]
}

/// A record's bytes as text. They were UTF-8 when they were written.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::DamagedRun)
}

fn text_len(header: &[u8], slot: usize) -> usize {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[4 * slot..4 * slot + 4]);
    u32::from_le_bytes(bytes) as usize
}

fn read_u64(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(bytes);
    u64::from_le_bytes(number)
}
