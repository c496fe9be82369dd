//! Byte layout of a row in a run. No other file knows it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{Error, texts::pack};

/// A file's row for one sku.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The key.
    pub(crate) sku: &'a [u8],
    /// The texts, packed as in [`crate::Texts`].
    pub(crate) texts: &'a [u8],
    /// True if the row deletes the sku.
    pub(crate) deletes: bool,
    /// The line on which the row begins.
    pub(crate) line: u64,
    /// Hash of the texts and `deletes`.
    pub(crate) content_hash: u64,
}

/// Bytes before the sku and the texts: their lengths, `deletes`, line, content hash.
pub(crate) const HEADER_BYTES: usize = 2 * 4 + 1 + 8 + 8;

/// Appends the record of a row to `out`. `seed` tells apart what the same texts mean in catalogs of other columns.
pub(crate) fn encode<'t>(
    out: &mut Vec<u8>,
    sku: &str,
    texts: impl IntoIterator<Item = &'t str>,
    deletes: bool,
    line: u64,
    seed: u64,
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    out.extend_from_slice(sku.as_bytes());
    let texts_start = out.len();
    pack(out, texts);
    let hash = hash_content(&out[texts_start..], deletes, seed);
    // Fits: the CSV gate rejects rows of more than a few MiB.
    let texts_len = (out.len() - texts_start) as u32;
    let header = &mut out[start..start + HEADER_BYTES];
    header[..4].copy_from_slice(&(sku.len() as u32).to_le_bytes());
    header[4..8].copy_from_slice(&texts_len.to_le_bytes());
    header[8] = u8::from(deletes);
    header[9..17].copy_from_slice(&line.to_le_bytes());
    header[17..].copy_from_slice(&hash.to_le_bytes());
}

/// XXH3 over the texts. A collision between the old and the new content of a sku in one file would hide the change. The odds are
/// 2^-64 per changed row, and a deliberate collision affects only its author's own file. blake3 took four times as long.
fn hash_content(texts: &[u8], deletes: bool, seed: u64) -> u64 {
    xxh3_64_with_seed(texts, seed ^ u64::from(deletes))
}

/// The length of the record at the start of `bytes`, which must hold at least [`HEADER_BYTES`].
pub(crate) fn encoded_len(bytes: &[u8]) -> usize {
    (0..2).fold(HEADER_BYTES, |sum, slot| sum.saturating_add(text_len(bytes, slot)))
}

/// The record at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Record<'_> {
    let (header, body) = bytes.split_at(HEADER_BYTES);
    let (sku, rest) = body.split_at(text_len(header, 0));
    Record {
        sku,
        texts: &rest[..text_len(header, 1)],
        deletes: header[8] != 0,
        line: read_u64(&header[9..17]),
        content_hash: read_u64(&header[17..HEADER_BYTES]),
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
