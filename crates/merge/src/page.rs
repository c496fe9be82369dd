//! Pages: what the database remembers of a file's run, so that a changed file costs what changed in it.
//!
//! A page holds (sku, content hash) of about a thousand neighbouring offers. Where a page ends is decided by the skus
//! themselves: the same offers give the same pages whatever was there before, and one changed row changes one page. So
//! the new run is compared with the applied one page digest by page digest, and only pages that differ are read.

use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, record};

/// One page of a run, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page's first sku; unique inside a file.
    pub first_sku: String,
    /// 16 bytes over `entries`, then 8 bytes over `lines`.
    pub digest: Vec<u8>,
    /// For each offer: length of the sku (LEB128), the sku, the content hash (8 bytes, little endian).
    pub entries: Vec<u8>,
    /// For each offer: the line on which it begins, as zigzag LEB128 difference to the one before.
    pub lines: Vec<u8>,
    /// How many of the run's offers lie before the page.
    pub(crate) start: usize,
}

const ENTRIES_DIGEST: usize = 16;
const LINES_DIGEST: usize = 8;
/// A page ends before a sku whose hash has these bits clear: every 1,024th sku on average.
const PAGE_MASK: u64 = 0x3ff;
/// What the entries of a usual page take.
const PAGE_BYTES: usize = 40 << 10;

/// Whether two digests are of the same offers, on whatever lines they stand.
pub(crate) fn same_entries(a: &[u8], b: &[u8]) -> bool {
    a.get(..ENTRIES_DIGEST) == b.get(..ENTRIES_DIGEST)
}

/// The skus of a stored page, in order.
pub(crate) fn skus_of(entries: &[u8]) -> Result<Vec<&str>, Error> {
    let mut skus = Vec::new();
    decode(entries, |sku, _| skus.push(sku))?;
    Ok(skus)
}

/// The line on which the offer for `sku` begins, or `None` if the page does not hold that sku.
///
/// # Errors
/// The page is damaged.
pub fn line_of(sku: &str, entries: &[u8], lines: &[u8]) -> Result<Option<u64>, Error> {
    let Some(index) = skus_of(entries)?.iter().position(|held| *held == sku) else { return Ok(None) };
    let (mut at, mut line) = (0, 0i64);
    for _ in 0..=index {
        line += unzigzag(take_varint(lines, &mut at)?);
    }
    Ok(u64::try_from(line).ok())
}

/// Cuts the offers of a run, which come in order of sku, into pages.
#[derive(Default)]
pub(crate) struct PageCutter {
    pages: Vec<Page>,
    offers: usize,
    last_line: u64,
}

impl PageCutter {
    pub(crate) fn push(&mut self, sku: &[u8], content: u64, line: u64) -> Result<(), Error> {
        if self.pages.is_empty() || begins_page(sku) {
            self.close();
            self.pages.push(Page {
                first_sku: record::text(sku)?.to_owned(),
                digest: Vec::new(),
                entries: Vec::with_capacity(PAGE_BYTES),
                lines: Vec::new(),
                start: self.offers,
            });
        }
        if let Some(page) = self.pages.last_mut() {
            put_varint(&mut page.entries, sku.len() as u64);
            page.entries.extend_from_slice(sku);
            page.entries.extend_from_slice(&content.to_le_bytes());
            put_varint(&mut page.lines, zigzag(line as i64 - self.last_line as i64));
        }
        self.offers += 1;
        self.last_line = line;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Vec<Page> {
        self.close();
        self.pages
    }

    fn close(&mut self) {
        if let Some(page) = self.pages.last_mut() {
            page.digest.extend_from_slice(&blake3::hash(&page.entries).as_bytes()[..ENTRIES_DIGEST]);
            page.digest.extend_from_slice(&blake3::hash(&page.lines).as_bytes()[..LINES_DIGEST]);
            page.entries.shrink_to_fit();
        }
        self.last_line = 0;
    }
}

/// By the sku alone, and the same on every machine and in every version.
fn begins_page(sku: &[u8]) -> bool {
    xxh3_64(sku) & PAGE_MASK == 0
}

pub(crate) fn decode<'a>(entries: &'a [u8], mut entry: impl FnMut(&'a str, u64)) -> Result<(), Error> {
    let mut at = 0;
    while at < entries.len() {
        let damaged = Error::DamagedPage { at };
        let length = usize::try_from(take_varint(entries, &mut at)?).unwrap_or(usize::MAX);
        let sku =
            at.checked_add(length).and_then(|end| entries.get(at..end)).and_then(|sku| std::str::from_utf8(sku).ok());
        let Some(sku) = sku else { return Err(damaged) };
        at += length;
        let Some(Ok(content)) = entries.get(at..at + 8).map(<[u8; 8]>::try_from) else { return Err(damaged) };
        at += 8;
        entry(sku, u64::from_le_bytes(content));
    }
    Ok(())
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
