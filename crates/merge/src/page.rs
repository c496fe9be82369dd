//! Pages: what the database remembers of a file's run, so that a changed file costs what changed in it.
//!
//! A page holds (sku, content hash) of about a thousand neighbouring offers. Where a page ends is decided by the skus
//! themselves: the same offers give the same pages whatever was there before, and one changed row changes one page. So
//! the new run is compared with the applied one page digest by page digest, and only pages that differ are read.

use std::{cmp::Ordering, collections::HashMap};

use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Run, record};

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

/// How a file's stored pages become those of its new run.
#[derive(Debug, Default)]
pub struct PagePlan {
    /// First skus of stored pages that have to go.
    pub dropped: Vec<String>,
    /// Those of them whose offers differ, so that their entries must be read.
    pub differing: Vec<String>,
    /// Indices into [`Run::pages`] of the pages that have to be written.
    pub written: Vec<usize>,
    /// Those of them whose offers differ.
    fresh: Vec<usize>,
}

/// Compares a run with the stored pages of the same file, given as (first sku, digest). Without a run, the file is gone.
#[must_use]
pub fn plan_pages(run: Option<&Run>, stored: &[(String, Vec<u8>)]) -> PagePlan {
    let pages = run.map_or(&[][..], Run::pages);
    let new: HashMap<&str, &[u8]> =
        pages.iter().map(|page| (page.first_sku.as_str(), page.digest.as_slice())).collect();
    let old: HashMap<&str, &[u8]> = stored.iter().map(|(sku, digest)| (sku.as_str(), digest.as_slice())).collect();
    let mut plan = PagePlan::default();
    for (first_sku, digest) in stored {
        let other = new.get(first_sku.as_str());
        if other.is_none_or(|other| other != digest) {
            plan.dropped.push(first_sku.clone());
        }
        if other.is_none_or(|other| !same_entries(other, digest)) {
            plan.differing.push(first_sku.clone());
        }
    }
    for (index, page) in pages.iter().enumerate() {
        let other = old.get(page.first_sku.as_str());
        if other.is_none_or(|other| *other != page.digest) {
            plan.written.push(index);
        }
        if other.is_none_or(|other| !same_entries(other, &page.digest)) {
            plan.fresh.push(index);
        }
    }
    plan
}

/// Whether two digests are of the same offers, on whatever lines they stand.
fn same_entries(a: &[u8], b: &[u8]) -> bool {
    a.get(..ENTRIES_DIGEST) == b.get(..ENTRIES_DIGEST)
}

/// What one file changes: the offers that are new or say something else, and the skus that it no longer offers. None of
/// the latter is among the former.
pub struct Touched<'a> {
    /// The file's number in the database.
    pub(crate) file: i64,
    pub(crate) run: Option<&'a Run>,
    /// Numbers of the run's offers, ascending.
    pub(crate) offers: Vec<u32>,
    /// Sorted by bytes.
    pub(crate) gone: Vec<String>,
}

impl Touched<'_> {
    /// How many skus the file touches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offers.len() + self.gone.len()
    }

    /// Whether the file's offers are what they were.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Compares the differing pages row by row. `old` are the entries of `plan.differing`, in order of first sku; `file` is
/// the file's number in the database.
///
/// # Errors
/// A stored page is damaged.
pub fn touched<'a>(file: i64, run: Option<&'a Run>, plan: &PagePlan, old: &[Vec<u8>]) -> Result<Touched<'a>, Error> {
    let mut before = Vec::new();
    for entries in old {
        decode(entries, |sku, content| before.push((sku, content)))?;
    }
    let mut before = before.into_iter().peekable();
    let mut touched = Touched { file, run, offers: Vec::new(), gone: Vec::new() };
    for page in plan.fresh.iter().filter_map(|page| run?.pages().get(*page)) {
        let mut offer = page.start as u32;
        decode(&page.entries, |sku, content| {
            while let Some((old_sku, _)) = before.next_if(|(old_sku, _)| *old_sku < sku) {
                touched.gone.push(old_sku.to_owned());
            }
            match before.next_if(|(old_sku, _)| old_sku.cmp(&sku) == Ordering::Equal) {
                Some((_, old_content)) if old_content == content => {}
                _ => touched.offers.push(offer),
            }
            offer += 1;
        })?;
    }
    touched.gone.extend(before.map(|(sku, _)| sku.to_owned()));
    Ok(touched)
}

/// The skus of a stored page, in order.
fn skus_of(entries: &[u8]) -> Result<Vec<&str>, Error> {
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

fn decode<'a>(entries: &'a [u8], mut entry: impl FnMut(&'a str, u64)) -> Result<(), Error> {
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

#[cfg(test)]
mod tests;
