//! Fills empty cells from the rows above, as exports of shops with variants need it: only the first row of a product has its name.

use super::trimmed;
use crate::{Row, find_column, row::Field};

/// The column that keeps the rows of one product together.
const HANDLE: &str = "handle";

/// The columns to fill, and what stood in them last.
#[derive(Debug, Default)]
pub(super) struct Filler {
    /// Columns of the texts, each with its last text.
    fills: Vec<(usize, String)>,
    /// The index of the column `handle`; without one, rows inherit from whatever stands above.
    handle: Option<usize>,
    last_handle: String,
}

impl Filler {
    /// Fills these columns, by their numbers among the texts, of a table with this header.
    pub(super) fn new(fills: impl Iterator<Item = usize>, header: &[String]) -> Self {
        Self {
            fills: fills.map(|column| (column, String::new())).collect(),
            handle: find_column(header, HANDLE).ok().flatten(),
            last_handle: String::new(),
        }
    }

    /// The index of the column that keeps rows together, if any column is filled.
    pub(super) fn handle(&self) -> Option<usize> {
        self.handle.filter(|_| !self.fills.is_empty())
    }

    /// Fills the empty texts of a row with what it inherits. Do not call it for a row that deletes its sku, which inherits nothing and
    /// leaves nothing.
    pub(super) fn fill(&mut self, row: Row<'_>, texts: &mut [Field]) {
        if self.fills.is_empty() {
            return;
        }
        if let Some(handle) = self.handle {
            let handle = row.field(handle);
            if *handle != *self.last_handle {
                self.last_handle = handle.into_owned();
                self.forget();
            }
        }
        for (column, last) in &mut self.fills {
            let text = &mut texts[*column];
            match trimmed(*column, row.text_of(text)) {
                "" => text.set(last),
                filled => filled.clone_into(last),
            }
        }
    }

    /// Leaves nothing to the rows below.
    pub(super) fn forget(&mut self) {
        self.fills.iter_mut().for_each(|(_, last)| last.clear());
    }
}
