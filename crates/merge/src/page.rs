//! Pages: the skus and content hashes of a run, as the database stores them, so that the cost of a changed file depends on the
//! size of the change.
//!
//! A page covers about a thousand neighbouring offers. The skus alone decide where a page ends, so equal offers make equal
//! pages whatever was stored before, and a changed row changes one page.

use xxhash_rust::xxh3::xxh3_64;

use crate::{error::Error, record};

/// One page of a run, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page's first sku, unique within a file.
    pub first_sku: String,
    /// 16 bytes over `entries`, then 8 bytes over `lines`.
    pub digest: Vec<u8>,
    /// Per offer: length of the sku (LEB128), the sku, the content hash (8 bytes, little endian).
    pub entries: Vec<u8>,
    /// Per offer: the line on which it begins, as zigzag LEB128 difference from the previous one.
    pub lines: Vec<u8>,
    /// Number of the run's offers before the page.
    pub(crate) start: usize,
}

/// Bytes of a digest that cover the entries.
const ENTRIES_DIGEST_BYTES: usize = 16;
/// Bytes of a digest that cover the lines.
const LINES_DIGEST_BYTES: usize = 8;
/// A page begins at each sku whose hash has these bits clear: every 1,024th sku on average.
const PAGE_START_MASK: u64 = 0x3ff;
/// Bytes reserved for the entries of a new page of a large file. Most pages need no more.
const USUAL_ENTRIES_BYTES: usize = 40 << 10;
/// The same per row of a small file: what it does not need would leave holes in the memory of many thousands of files.
const USUAL_ENTRY_BYTES: usize = 32;

/// Returns true if two digests are of the same offers. Their lines may differ.
pub(crate) fn same_entries(a: &[u8], b: &[u8]) -> bool {
    a.get(..ENTRIES_DIGEST_BYTES) == b.get(..ENTRIES_DIGEST_BYTES)
}

/// The skus of a stored page, in order.
pub(crate) fn skus_of(entries: &[u8]) -> Result<Vec<&str>, Error> {
    let mut skus = Vec::new();
    decode(entries, |sku, _| skus.push(sku))?;
    Ok(skus)
}

/// The line on which the offer for `sku` begins. `None` if the page does not contain the sku.
///
/// # Errors
/// The page is damaged.
pub fn line_of(sku: &str, entries: &[u8], lines: &[u8]) -> Result<Option<u64>, Error> {
    let Some(index) = skus_of(entries)?.iter().position(|stored| *stored == sku) else { return Ok(None) };
    let (mut at, mut line) = (0, 0i64);
    for _ in 0..=index {
        line += unzigzag(take_varint(lines, &mut at)?);
    }
    Ok(u64::try_from(line).ok())
}

/// Cuts the offers of a run into pages. They must arrive in order of sku.
#[derive(Default)]
pub(crate) struct PageCutter {
    pages: Vec<Page>,
    offers: usize,
    last_line: u64,
    /// Bytes reserved for the entries of a page.
    usual_bytes: usize,
}

impl PageCutter {
    /// Cuts a run of at most `rows` offers.
    pub(crate) fn new(rows: usize) -> Self {
        Self { usual_bytes: rows.saturating_mul(USUAL_ENTRY_BYTES).min(USUAL_ENTRIES_BYTES), ..Self::default() }
    }

    pub(crate) fn push(&mut self, sku: &[u8], content_hash: u64, line: u64) -> Result<(), Error> {
        if self.pages.is_empty() || starts_page(sku) {
            self.close();
            self.pages.push(Page {
                first_sku: record::text(sku)?.to_owned(),
                digest: Vec::new(),
                entries: Vec::with_capacity(self.usual_bytes),
                lines: Vec::new(),
                start: self.offers,
            });
        }
        if let Some(page) = self.pages.last_mut() {
            put_varint(&mut page.entries, sku.len() as u64);
            page.entries.extend_from_slice(sku);
            page.entries.extend_from_slice(&content_hash.to_le_bytes());
            put_varint(&mut page.lines, zigzag(line as i64 - self.last_line as i64));
        }
        self.offers += 1;
        self.last_line = line;
        Ok(())
    }

    /// Number of offers so far.
    pub(crate) fn offers(&self) -> usize {
        self.offers
    }

    pub(crate) fn finish(mut self) -> Vec<Page> {
        self.close();
        self.pages.shrink_to_fit();
        self.pages
    }

    fn close(&mut self) {
        if let Some(page) = self.pages.last_mut() {
            page.digest.extend_from_slice(&blake3::hash(&page.entries).as_bytes()[..ENTRIES_DIGEST_BYTES]);
            page.digest.extend_from_slice(&blake3::hash(&page.lines).as_bytes()[..LINES_DIGEST_BYTES]);
            page.entries.shrink_to_fit();
            page.lines.shrink_to_fit();
        }
        self.last_line = 0;
    }
}

/// Depends on the sku alone and must never change: other page borders would rewrite every stored page.
fn starts_page(sku: &[u8]) -> bool {
    xxh3_64(sku) & PAGE_START_MASK == 0
}

/// Calls `entry` with each sku and content hash of a page.
pub(crate) fn decode<'a>(entries: &'a [u8], mut entry: impl FnMut(&'a str, u64)) -> Result<(), Error> {
    let mut at = 0;
    while at < entries.len() {
        let damaged = Error::DamagedPage { at };
        let length = usize::try_from(take_varint(entries, &mut at)?).unwrap_or(usize::MAX);
        let sku =
            at.checked_add(length).and_then(|end| entries.get(at..end)).and_then(|sku| std::str::from_utf8(sku).ok());
        let Some(sku) = sku else { return Err(damaged) };
        at += length;
        let Some(Ok(hash)) = entries.get(at..at + 8).map(<[u8; 8]>::try_from) else { return Err(damaged) };
        at += 8;
        entry(sku, u64::from_le_bytes(hash));
    }
    Ok(())
}

/// Calls `row` with each sku, content hash and line of a page.
pub(crate) fn rows(
    entries: &[u8],
    lines: &[u8],
    mut row: impl FnMut(&str, u64, u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut at, mut line, mut result) = (0, 0i64, Ok(()));
    decode(entries, |sku, hash| {
        let mut next = || {
            line = line.wrapping_add(unzigzag(take_varint(lines, &mut at)?));
            row(sku, hash, line as u64)
        };
        if result.is_ok() {
            result = next();
        }
    })?;
    result
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(bytes: &[u8], at: &mut usize) -> Result<u64, Error> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or(Error::DamagedPage { at: *at })?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Error::DamagedPage { at: *at })
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
