//! A record: one row of a file as it lies in a run, and the one place that knows how its bytes are laid out.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Error;

/// A file's row for one sku.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The key.
    pub(crate) sku: &'a [u8],
    /// As it is shown.
    pub(crate) name: &'a [u8],
    /// As it is shown.
    pub(crate) description: &'a [u8],
    /// Whether the row takes the sku away.
    pub(crate) deletes: bool,
    /// The line on which the row begins.
    pub(crate) line: u64,
    /// The hash of what the row says; whatever it is before the record is encoded.
    pub(crate) content: u64,
}

/// Bytes before the texts: their three lengths, `deletes`, line, content.
pub(crate) const HEAD_BYTES: usize = 3 * 4 + 1 + 8 + 8;

/// Appends a record to `out`. Its content hash is computed here, from the texts where they lie one behind the other.
pub(crate) fn encode(out: &mut Vec<u8>, record: &Record<'_>) {
    let start = out.len();
    let mut head = [0; HEAD_BYTES];
    for (place, text) in [record.sku, record.name, record.description].into_iter().enumerate() {
        // The gate lets no field of more than a few MiB pass.
        head[4 * place..4 * place + 4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    }
    head[12] = u8::from(record.deletes);
    head[13..21].copy_from_slice(&record.line.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(record.sku);
    let says = out.len();
    out.extend_from_slice(record.name);
    out.extend_from_slice(record.description);
    let content = content_hash(&out[says..], record.name.len(), record.deletes);
    out[start + 21..start + HEAD_BYTES].copy_from_slice(&content.to_le_bytes());
}

/// XXH3 over what an offer says: name and description in `texts`. Two contents of one sku in one file that collide would hide
/// a change; by chance that is 2^-64 a changed row, and who makes such a pair on purpose fools nobody but himself, for it is
/// his own file. blake3 took four times as long.
fn content_hash(texts: &[u8], name_len: usize, deletes: bool) -> u64 {
    xxh3_64_with_seed(texts, ((name_len as u64) << 1) | u64::from(deletes))
}

/// The length of the record that `bytes` begin with, which are [`HEAD_BYTES`] at least.
pub(crate) fn encoded_len(bytes: &[u8]) -> usize {
    (0..3).fold(HEAD_BYTES, |sum, place| sum.saturating_add(length(bytes, place)))
}

/// The record that `bytes` begin with.
pub(crate) fn decode(bytes: &[u8]) -> Record<'_> {
    let (head, texts) = bytes.split_at(HEAD_BYTES);
    let (sku, rest) = texts.split_at(length(head, 0));
    let (name, rest) = rest.split_at(length(head, 1));
    Record {
        sku,
        name,
        description: &rest[..length(head, 2)],
        deletes: head[12] != 0,
        line: number(&head[13..21]),
        content: number(&head[21..29]),
    }
}

/// The sku of the record that `bytes` begin with.
pub(crate) fn sku_of(bytes: &[u8]) -> &[u8] {
    &bytes[HEAD_BYTES..HEAD_BYTES + length(bytes, 0)]
}

/// A record's text, which was UTF-8 when it was written.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::DamagedRun)
}

fn length(head: &[u8], place: usize) -> usize {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&head[4 * place..4 * place + 4]);
    u32::from_le_bytes(bytes) as usize
}

fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(bytes);
    u64::from_le_bytes(number)
}
