//! Rows of a list on their way to whoever takes it, in batches that are bounded in rows and in bytes.

use anyhow::Result;
use tributary_store::GroupRow;

/// Rows in a batch.
const MAX_ROWS: usize = 1_000;
/// Bytes of their texts after which it ends.
const MAX_BYTES: usize = 1 << 20;

/// Rows that were read and not sent yet.
pub(crate) struct Batch<'s, T> {
    rows: Vec<T>,
    bytes: usize,
    send: &'s mut dyn FnMut(Vec<T>) -> Result<()>,
}

impl<'s, T> Batch<'s, T> {
    pub(crate) fn new(send: &'s mut dyn FnMut(Vec<T>) -> Result<()>) -> Self {
        Self { rows: Vec::new(), bytes: 0, send }
    }

    /// Adds a row whose texts have so many bytes. Sends the batch if it is full.
    pub(crate) fn push(&mut self, row: T, bytes: usize) -> Result<()> {
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() < MAX_ROWS && self.bytes < MAX_BYTES {
            return Ok(());
        }
        self.bytes = 0;
        (self.send)(std::mem::take(&mut self.rows))
    }

    /// Sends the last rows.
    pub(crate) fn finish(self) -> Result<()> {
        if self.rows.is_empty() { Ok(()) } else { (self.send)(self.rows) }
    }
}

impl Batch<'_, GroupRow> {
    /// Adds a row of a report.
    pub(crate) fn push_group(&mut self, row: GroupRow) -> Result<()> {
        let bytes = row.group.iter().map(String::len).sum();
        self.push(row, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_by_its_rows_or_by_its_bytes() {
        let check = |rows: usize, bytes: usize, expect: &[usize]| {
            let mut sent = Vec::new();
            let mut send = |rows: Vec<usize>| {
                sent.push(rows.len());
                Ok(())
            };
            let mut batch = Batch::new(&mut send);
            (0..rows).for_each(|row| batch.push(row, bytes).unwrap());
            batch.finish().unwrap();
            assert_eq!(sent, expect);
        };
        check(0, 0, &[]);
        check(2_001, 10, &[1_000, 1_000, 1]);
        check(2, MAX_BYTES, &[1, 1]);
        check(5, MAX_BYTES / 2, &[2, 2, 1]);
    }
}
