//! Cuts what several files touch into batches of neighbouring skus: all that is known about a sku is in one batch, and
//! what the database holds is read a batch at a time. The files' own runs are in memory as a whole.

use polars::prelude::*;

use crate::{Error, Touched};

/// Goes through the touched skus of all files in ascending order. Each item holds, of every file, the rows between two
/// skus; none of the frames is empty, and their skus are never in another batch.
pub struct Batches {
    files: Vec<DataFrame>,
    /// Of each file, how many rows have been given out.
    done: Vec<usize>,
    rows: usize,
}

impl Batches {
    /// `rows` bounds a batch: about so many rows of all files together.
    #[must_use]
    pub fn new(files: Vec<Touched>, rows: usize) -> Self {
        let files: Vec<_> = files.into_iter().filter(|file| !file.is_empty()).map(|file| file.frame).collect();
        Self { done: vec![0; files.len()], rows: (rows / files.len().max(1)).max(1), files }
    }

    /// The next batch, or `None` when all is given out.
    ///
    /// # Errors
    /// Only if polars fails.
    pub fn next_batch(&mut self) -> Result<Option<Vec<DataFrame>>, Error> {
        if self.files.iter().zip(&self.done).all(|(frame, done)| *done == frame.height()) {
            return Ok(None);
        }
        // A file with more than `rows` left bounds the batch at the sku that lies `rows` ahead; without one, all goes.
        let mut end: Option<&str> = None;
        for (frame, done) in self.files.iter().zip(&self.done) {
            if frame.height() - done > self.rows {
                let reach = frame.column("sku")?.str()?.get(done + self.rows - 1);
                end = end.into_iter().chain(reach).min();
            }
        }
        let end = end.map(str::to_owned);
        let mut batch = Vec::new();
        for (frame, done) in self.files.iter().zip(&mut self.done) {
            let sku = frame.column("sku")?.str()?;
            let within = |row| end.as_deref().is_none_or(|end| sku.get(row).unwrap_or_default() <= end);
            let upto = partition_point(*done, sku.len(), within);
            if upto > *done {
                batch.push(frame.slice(*done as i64, upto - *done));
            }
            *done = upto;
        }
        Ok(Some(batch))
    }
}

/// All skus of a batch, ascending, each once.
///
/// # Errors
/// Only if polars fails.
pub fn skus(batch: &[DataFrame]) -> Result<Vec<String>, Error> {
    let mut skus = Vec::new();
    for frame in batch {
        skus.extend(frame.column("sku")?.str()?.iter().flatten().map(str::to_owned));
    }
    skus.sort_unstable();
    skus.dedup();
    Ok(skus)
}

/// The first index in `from..to` for which `holds` is false; it must hold for a prefix only.
fn partition_point(from: usize, to: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
