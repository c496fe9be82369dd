//! A run: the offers of one file, at most one a sku, sorted by sku.

use polars::prelude::*;

use crate::{Error, Page, page};

/// Takes a file's offers in the order of its rows.
pub struct RunBuilder {
    sku: StringChunkedBuilder,
    deletes: BooleanChunkedBuilder,
    name: StringChunkedBuilder,
    description: StringChunkedBuilder,
    line: Vec<u64>,
    content: Vec<u64>,
}

impl Default for RunBuilder {
    fn default() -> Self {
        Self {
            sku: StringChunkedBuilder::new("sku".into(), 0),
            deletes: BooleanChunkedBuilder::new("deletes".into(), 0),
            name: StringChunkedBuilder::new("name".into(), 0),
            description: StringChunkedBuilder::new("description".into(), 0),
            line: Vec::new(),
            content: Vec::new(),
        }
    }
}

impl RunBuilder {
    /// Adds the row that begins on `line`. A later row of the same sku replaces an earlier one.
    pub fn push(&mut self, sku: &str, name: &str, description: &str, deletes: bool, line: u64) {
        self.sku.append_value(sku);
        self.deletes.append_value(deletes);
        self.name.append_value(name);
        self.description.append_value(description);
        self.line.push(line);
        self.content.push(content_hash(name, description, deletes));
    }

    /// How many rows were taken so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.line.len()
    }

    /// Sorts, keeps the last row of each sku, and cuts the run into pages.
    ///
    /// # Errors
    /// Only if polars fails, which means a lack of memory.
    pub fn finish(self) -> Result<Run, Error> {
        let frame = DataFrame::new_infer_height(vec![
            self.sku.finish().into_column(),
            self.deletes.finish().into_column(),
            self.name.finish().into_column(),
            self.description.finish().into_column(),
            Column::new("line".into(), self.line),
            Column::new("content".into(), self.content),
        ])?;
        // The sort keeps the order of the file inside a sku, so the last of its rows is the last good row of the file.
        let mut frame = frame
            .lazy()
            .sort(["sku"], SortMultipleOptions::default().with_maintain_order(true))
            .filter(col("sku").neq_missing(col("sku").shift(lit(-1))))
            .collect()?;
        frame.rechunk_mut();
        let pages = page::cut(&frame)?;
        Ok(Run { frame, pages })
    }
}

/// The offers of one file: columns `sku`, `deletes`, `name`, `description`, `line` and `content` (the hash of what the
/// offer says), no nulls, one row a sku, in ascending order of sku (bytes); and the pages that are stored of it.
pub struct Run {
    pub(crate) frame: DataFrame,
    pub(crate) pages: Vec<Page>,
}

impl Run {
    /// How many offers the file gives.
    #[must_use]
    pub fn offers(&self) -> usize {
        self.frame.height()
    }

    /// The run's pages in the order of their first sku.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }
}

/// The first eight bytes of a blake3 over what an offer says. Two contents of one sku in one file that collide would hide
/// a change; the chance is 2^-64 a changed row.
fn content_hash(name: &str, description: &str, deletes: bool) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(deletes)]);
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher.update(description.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
