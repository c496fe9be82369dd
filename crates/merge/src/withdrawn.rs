//! The skus that a source gives up: some of its files offered them, and none has a row for them any more.

use std::collections::HashSet;

use crate::{batch::Batch, delta::StoredRows};

/// The skus of a batch that the files of one source offered and have no row for any more, ascending. The batch holds changes of
/// these files alone, `files` are all of them. A row with `delete` offers nothing, so a sku that had no other is not given up. As
/// the row that is left it counts: it says itself that the sku goes.
#[must_use]
pub fn withdrawn<'a>(stored: &StoredRows, batch: &'a Batch, files: &HashSet<i64>) -> Vec<&'a str> {
    let mut rows = batch.rows().peekable();
    let mut withdrawn = Vec::new();
    while let Some((first, _)) = rows.peek() {
        let sku = first.sku;
        let (mut changed, mut is_gone) = (Vec::new(), true);
        while let Some((offer, gone)) = rows.next_if(|(offer, _)| offer.sku == sku) {
            changed.push(offer.file);
            is_gone &= gone;
        }
        let own = || rows_of(stored, sku).filter(|row| files.contains(&row.file));
        if is_gone && own().any(|row| !row.deletes) && own().all(|row| changed.contains(&row.file)) {
            withdrawn.push(sku);
        }
    }
    withdrawn
}

/// A stored row for a sku.
struct StoredRow {
    file: i64,
    deletes: bool,
}

/// The stored rows for a sku.
fn rows_of<'s>(stored: &'s StoredRows, sku: &'s str) -> impl Iterator<Item = StoredRow> + 's {
    let shown = stored.products.binary_search_by(|product| product.sku.as_str().cmp(sku)).ok();
    let shown = shown.and_then(|at| stored.products[at].file);
    let first = stored.shadowed.partition_point(|offer| offer.sku.as_str() < sku);
    let shadowed = stored.shadowed[first..].iter().take_while(move |offer| offer.sku == sku);
    let shown = shown.map(|file| StoredRow { file, deletes: false });
    shown.into_iter().chain(shadowed.map(|offer| StoredRow { file: offer.file, deletes: offer.deletes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batches, FileChanges, Offer, Product, Texts};

    /// A batch in which file 1 has no row for `gone` any more.
    fn batch(gone: &[&str]) -> Batch {
        let gone = gone.iter().map(|sku| (*sku).to_owned()).collect();
        let changes = FileChanges { file: 1, run: None, offers: Vec::new(), gone };
        Batches::new(&[changes], 100).unwrap().next_batch().unwrap().unwrap()
    }

    fn shown(sku: &str, file: i64) -> Product {
        Product { sku: sku.into(), texts: Texts::default(), file: Some(file), edited: false }
    }

    fn shadowed(sku: &str, file: i64, deletes: bool) -> Offer {
        Offer { sku: sku.into(), file, deletes, texts: Texts::default() }
    }

    #[test]
    fn a_sku_that_another_file_of_the_source_has_is_not_withdrawn() {
        let stored = StoredRows {
            products: vec![shown("a", 1), shown("b", 1), shown("c", 2), shown("d", 9)],
            shadowed: vec![
                shadowed("b", 2, false),
                shadowed("b", 9, false),
                shadowed("c", 1, false),
                shadowed("d", 1, false),
                shadowed("e", 1, false),
                shadowed("e", 2, true),
            ],
            edits: Vec::new(),
        };
        let batch = batch(&["a", "b", "c", "d", "e"]);
        // Files 1 and 2 are the source's; file 9 is another source's.
        assert_eq!(withdrawn(&stored, &batch, &HashSet::from([1, 2])), ["a", "d"]);
        assert_eq!(withdrawn(&stored, &batch, &HashSet::from([1])), ["a", "b", "c", "d", "e"]);
    }

    /// A file without the `delete` rows of the one before was held, although no product went.
    #[test]
    fn a_row_that_deletes_is_not_withdrawn() {
        let stored = StoredRows {
            products: vec![shown("b", 9)],
            shadowed: vec![
                shadowed("a", 1, true),
                shadowed("b", 1, true),
                shadowed("c", 1, true),
                shadowed("c", 2, false),
            ],
            edits: Vec::new(),
        };
        let batch = batch(&["a", "b", "c"]);
        assert_eq!(withdrawn(&stored, &batch, &HashSet::from([1, 2])), Vec::<&str>::new());
    }
}
