//! The origins of the files whose offers meet in a batch, which rank them. There may be a million files, so they are asked for batch by
//! batch.

use std::collections::HashMap;

use anyhow::Result;
use tributary_merge::{Batch, StoredRows};
use tributary_store::{FileOrigin, Store};

/// Origins that are remembered from one batch to the next.
const MAX_REMEMBERED: usize = 10_000;

/// The origins of files for batch after batch.
pub(super) struct Origins {
    /// Those of the files that the transaction writes: nobody else sees them yet.
    written: HashMap<i64, FileOrigin>,
    others: HashMap<i64, FileOrigin>,
}

impl Origins {
    /// Begins with the files that the transaction writes.
    pub(super) fn new(written: Vec<FileOrigin>) -> Self {
        Self { written: written.into_iter().map(|origin| (origin.id, origin)).collect(), others: HashMap::new() }
    }

    /// The origins of the files that offer skus of a batch. Those of others are read by `reader`; without one there are no others.
    ///
    /// # Errors
    /// The database fails.
    pub(super) fn of(
        &mut self,
        reader: Option<&mut Store>,
        before: &StoredRows,
        batch: &Batch,
    ) -> Result<Vec<FileOrigin>> {
        let touched: Vec<i64> = batch.touches().map(|(_, file, _)| file).collect();
        let files = offering(before, &touched);
        if self.others.len() > MAX_REMEMBERED {
            self.others.clear();
        }
        let is_unknown = |file: &i64| !self.written.contains_key(file) && !self.others.contains_key(file);
        let unknown: Vec<i64> = files.iter().copied().filter(is_unknown).collect();
        if let Some(reader) = reader.filter(|_| !unknown.is_empty()) {
            self.others.extend(reader.file_origins(&unknown)?.into_iter().map(|origin| (origin.id, origin)));
        }
        let known = |file: &i64| self.written.get(file).or_else(|| self.others.get(file)).cloned();
        Ok(files.iter().filter_map(known).collect())
    }
}

/// The files of stored offers, and `others`; each once.
pub(super) fn offering(before: &StoredRows, others: &[i64]) -> Vec<i64> {
    let shown = before.products.iter().filter_map(|product| product.file);
    let mut files: Vec<i64> = shown.chain(before.shadowed.iter().map(|offer| offer.file)).collect();
    files.extend(others);
    files.sort_unstable();
    files.dedup();
    files
}
