//! Fills empty cells from the rows above, as exports of shops with variants need it: only the first row of a product has its name.

use tributary_protocol::FillDown;

use super::OfferRow;
use crate::{Row, find_column};

/// The column that keeps the rows of one product together.
const HANDLE: &str = "handle";

/// The columns to fill, and what stood in them last.
#[derive(Debug, Default)]
pub(super) struct Filler {
    name: Option<String>,
    description: Option<String>,
    /// The index of the column `handle`; without one, rows inherit from whatever stands above.
    handle: Option<usize>,
    last_handle: String,
}

impl Filler {
    /// Fills these columns of a table with this header.
    pub(super) fn new(fill_down: &[FillDown], columns: &[String]) -> Self {
        let fills = |column: FillDown| fill_down.contains(&column).then(String::new);
        Self {
            name: fills(FillDown::Name),
            description: fills(FillDown::Description),
            handle: find_column(columns, HANDLE).ok().flatten(),
            last_handle: String::new(),
        }
    }

    /// The index of the column that keeps rows together, if any column is filled.
    pub(super) fn handle(&self) -> Option<usize> {
        self.handle.filter(|_| self.name.is_some() || self.description.is_some())
    }

    /// The offer of a row with what it inherits. A row that deletes its sku inherits nothing and leaves nothing.
    pub(super) fn fill<'a>(&'a mut self, row: Row<'a>, offer: OfferRow<'a>) -> OfferRow<'a> {
        if offer.deletes || (self.name.is_none() && self.description.is_none()) {
            return offer;
        }
        if let Some(handle) = self.handle {
            let handle = row.field(handle);
            if *handle != *self.last_handle {
                self.last_handle = handle.into_owned();
                self.forget();
            }
        }
        OfferRow {
            name: inherited(&mut self.name, offer.name),
            description: inherited(&mut self.description, offer.description),
            ..offer
        }
    }

    /// Leaves nothing to the rows below.
    pub(super) fn forget(&mut self) {
        [&mut self.name, &mut self.description].into_iter().flatten().for_each(String::clear);
    }
}

/// The cell, or the last one above it if it is empty.
fn inherited<'a>(last: &'a mut Option<String>, cell: &'a str) -> &'a str {
    let Some(last) = last else { return cell };
    if cell.is_empty() {
        return last;
    }
    cell.clone_into(last);
    cell
}
