//! Compares a new run with the pages that were applied before: page digest by page digest, and row by row where those differ.

use std::{cmp::Ordering, collections::HashMap};

use crate::{
    error::Error,
    page::{decode, same_entries},
    run::Run,
};

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

#[cfg(test)]
mod tests;
