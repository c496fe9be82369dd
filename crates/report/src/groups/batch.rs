//! Rows on their way to their groups.

use super::KEY_SEPARATOR;
use crate::number::Number;

/// Rows that are about to be added to their groups. With many groups, most of the time is spent waiting for memory. A
/// batch looks up the groups of many rows in a row, so that the processor overlaps these waits.
#[derive(Default)]
pub(crate) struct Batch {
    /// The keys of all rows, concatenated.
    pub(super) keys: Vec<u8>,
    /// The end of each row's key.
    pub(super) ends: Vec<usize>,
    /// The values of the formulas, row by row.
    pub(super) values: Vec<Option<Number>>,
    /// The hash of each row's key, and the index of its group if that existed before the batch.
    pub(super) found: Vec<(u64, Option<u32>)>,
}

impl Batch {
    const MAX_ROWS: usize = 64;

    /// Adds a value to the current row.
    #[inline]
    pub(crate) fn push_value(&mut self, value: Option<Number>) {
        self.values.push(value);
    }

    /// Adds a text to the key of the current row.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &[u8], is_first: bool) {
        if !is_first {
            self.keys.push(KEY_SEPARATOR);
        }
        self.keys.extend_from_slice(text);
    }

    /// Completes the current row. Returns whether the batch is full.
    #[inline]
    pub(crate) fn end_row(&mut self) -> bool {
        self.ends.push(self.keys.len());
        self.ends.len() == Self::MAX_ROWS
    }

    /// Discards the current row. Each complete row has `values` values.
    pub(crate) fn undo_row(&mut self, values: usize) {
        self.keys.truncate(self.ends.last().copied().unwrap_or(0));
        self.values.truncate(self.ends.len() * values);
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.values.clear();
    }
}
