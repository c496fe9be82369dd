//! Comparison of a file's new run with the pages that were applied before: digest by digest, then row by row where digests
//! differ.

use std::{cmp::Ordering, collections::HashMap};

use crate::{
    error::Error,
    page::{Page, decode, same_entries},
    run::Run,
};

/// Stored pages to delete and new pages to insert.
#[derive(Debug, Default)]
pub struct PageDiff {
    /// First skus of the stored pages to delete.
    pub deleted: Vec<String>,
    /// First skus of the stored pages whose offers differ. [`compare_pages`] needs their entries.
    pub differing: Vec<String>,
    /// Indices of the new pages to insert.
    pub inserted: Vec<usize>,
    /// Indices of the new pages whose offers differ.
    new_differing: Vec<usize>,
}

/// Compares the pages of a run with the stored ones of the same file, given as (first sku, digest). A file that is gone has none.
#[must_use]
pub fn diff_pages(pages: &[Page], stored: &[(String, Vec<u8>)]) -> PageDiff {
    let new: HashMap<&str, &[u8]> =
        pages.iter().map(|page| (page.first_sku.as_str(), page.digest.as_slice())).collect();
    let old: HashMap<&str, &[u8]> = stored.iter().map(|(sku, digest)| (sku.as_str(), digest.as_slice())).collect();
    let mut diff = PageDiff::default();
    for (first_sku, digest) in stored {
        let other = new.get(first_sku.as_str());
        if other.is_none_or(|other| other != digest) {
            diff.deleted.push(first_sku.clone());
        }
        if other.is_none_or(|other| !same_entries(other, digest)) {
            diff.differing.push(first_sku.clone());
        }
    }
    for (index, page) in pages.iter().enumerate() {
        let other = old.get(page.first_sku.as_str());
        if other.is_none_or(|other| *other != page.digest) {
            diff.inserted.push(index);
        }
        if other.is_none_or(|other| !same_entries(other, &page.digest)) {
            diff.new_differing.push(index);
        }
    }
    diff
}

/// Offers of one file that are new or differ from before, and skus that it no longer offers. No sku is in both lists.
pub struct FileChanges {
    /// The file's number in the database.
    pub file: i64,
    pub(crate) run: Option<Run>,
    /// Numbers of the run's offers, ascending.
    pub(crate) offers: Vec<u32>,
    /// Skus, sorted by bytes.
    pub(crate) gone: Vec<String>,
}

impl FileChanges {
    /// Number of skus that the file changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offers.len() + self.gone.len()
    }

    /// The skus that the file no longer has, sorted by bytes.
    #[must_use]
    pub fn gone(&self) -> &[String] {
        &self.gone
    }

    /// Returns true if the file's offers are the same as before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Compares the differing pages row by row. `pages` are those of the run; `old` holds the entries of `diff.differing` in order of
/// first sku. `file` is the file's number in the database.
///
/// # Errors
/// A stored page is damaged.
pub fn compare_pages(
    file: i64,
    run: Option<Run>,
    pages: &[Page],
    diff: &PageDiff,
    old: &[Vec<u8>],
) -> Result<FileChanges, Error> {
    let mut before = Vec::new();
    for entries in old {
        decode(entries, |sku, hash| before.push((sku, hash)))?;
    }
    let mut before = before.into_iter().peekable();
    let mut changes = FileChanges { file, run, offers: Vec::new(), gone: Vec::new() };
    for page in diff.new_differing.iter().filter_map(|page| pages.get(*page)) {
        let mut offer = page.start as u32;
        decode(&page.entries, |sku, hash| {
            while let Some((old_sku, _)) = before.next_if(|(old_sku, _)| *old_sku < sku) {
                changes.gone.push(old_sku.to_owned());
            }
            match before.next_if(|(old_sku, _)| old_sku.cmp(&sku) == Ordering::Equal) {
                Some((_, old_hash)) if old_hash == hash => {}
                _ => changes.offers.push(offer),
            }
            offer += 1;
        })?;
    }
    changes.gone.extend(before.map(|(sku, _)| sku.to_owned()));
    changes.offers.shrink_to_fit();
    Ok(changes)
}

#[cfg(test)]
mod tests;
