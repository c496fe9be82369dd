//! What one batch of skus changes in the tables: the difference between what the database holds for them and what their
//! current offers and edits say. Nothing else is ever written, so a second apply of the same input writes nothing.

use std::iter::Peekable;

use polars::prelude::*;

use crate::{Edit, Error, Offer, Product, Ranks, place, survive};

/// What the database holds for the skus of a batch. Each list is sorted by its key (bytes): the sku, for `shadowed` also
/// the file.
#[derive(Debug, Default)]
pub struct Before {
    /// The products that are shown.
    pub products: Vec<Product>,
    /// The offers that are not.
    pub shadowed: Vec<Offer>,
    /// The edits, as they are to hold from now on.
    pub edits: Vec<Edit>,
}

/// Rows to write into one table, each list in ascending order of its key.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes<Row, Key> {
    /// Rows whose key is not there yet.
    pub inserted: Vec<Row>,
    /// Rows whose key is there with other content.
    pub updated: Vec<Row>,
    /// Keys that go.
    pub deleted: Vec<Key>,
}

impl<Row, Key> Default for Changes<Row, Key> {
    fn default() -> Self {
        Self { inserted: Vec::new(), updated: Vec::new(), deleted: Vec::new() }
    }
}

/// What a batch changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Rows of `products`.
    pub products: Changes<Product, String>,
    /// Rows of `shadowed`, by sku and file.
    pub shadowed: Changes<Offer, (String, i64)>,
    /// By how much each name's count moves; sorted by name (bytes), never 0.
    pub aggr: Vec<(String, i64)>,
}

/// Merges one batch. `touched` are frames from [`crate::Batches`]; none at all chooses again among the stored offers, as
/// after a change of priorities or of an edit.
///
/// # Errors
/// An offer belongs to a file without a rank, or polars fails.
pub fn merge(before: Before, touched: &[DataFrame], ranks: &Ranks) -> Result<Delta, Error> {
    let stored = stored_offers(&before);
    let mut offers = survive::current_offers(&stored, touched, ranks)?.into_iter().peekable();
    let mut products = before.products.into_iter().peekable();
    let mut shadowed = before.shadowed.into_iter().peekable();
    let mut edits = before.edits.into_iter().peekable();
    let mut delta = Delta::default();
    let mut moves = Moves::default();
    loop {
        let next = [
            offers.peek().map(|offer| &offer.sku),
            products.peek().map(|product| &product.sku),
            shadowed.peek().map(|offer| &offer.sku),
            edits.peek().map(|edit| &edit.sku),
        ];
        let Some(sku) = next.into_iter().flatten().min().cloned() else { break };
        let edit = edits.next_if(|edit| edit.sku == sku);
        let placement = place(&sku, take_while(&mut offers, |offer| offer.sku == sku), edit.as_ref());
        let product_before = products.next_if(|product| product.sku == sku);
        moves.of(product_before.as_ref(), placement.product.as_ref());
        delta.products.compare(product_before, placement.product, |product| product.sku.clone());
        delta.shadowed.compare_shadowed(take_while(&mut shadowed, |offer| offer.sku == sku), placement.shadowed);
    }
    delta.aggr = moves.sum()?;
    Ok(delta)
}

/// The current offers of the skus of `before`, by sku and rank: the last one of a sku is its winner.
///
/// # Errors
/// As [`merge`].
pub fn current_offers(before: &Before, ranks: &Ranks) -> Result<Vec<Offer>, Error> {
    survive::current_offers(&stored_offers(before), &[], ranks)
}

/// Every offer that is stored for the skus: those in the shadow, and those that are shown unedited.
fn stored_offers(before: &Before) -> Vec<Offer> {
    let shown = before.products.iter().filter(|product| !product.edited).filter_map(|product| {
        product.file.map(|file| Offer {
            sku: product.sku.clone(),
            file,
            deletes: false,
            name: product.name.clone(),
            description: product.description.clone(),
        })
    });
    before.shadowed.iter().cloned().chain(shown).collect()
}

fn take_while<T>(items: &mut Peekable<impl Iterator<Item = T>>, holds: impl Fn(&T) -> bool) -> Vec<T> {
    std::iter::from_fn(|| items.next_if(&holds)).collect()
}

impl<Row: PartialEq, Key> Changes<Row, Key> {
    fn compare(&mut self, before: Option<Row>, after: Option<Row>, key: impl Fn(&Row) -> Key) {
        match (before, after) {
            (None, Some(after)) => self.inserted.push(after),
            (Some(before), Some(after)) if before != after => self.updated.push(after),
            (Some(before), None) => self.deleted.push(key(&before)),
            _ => {}
        }
    }
}

impl Changes<Offer, (String, i64)> {
    /// The offers of one sku: `before` by file, `after` by rank.
    fn compare_shadowed(&mut self, before: Vec<Offer>, mut after: Vec<Offer>) {
        after.sort_unstable_by_key(|offer| offer.file);
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        while let Some(file) = before.peek().into_iter().chain(after.peek()).map(|offer| offer.file).min() {
            let (old, new) = (before.next_if(|offer| offer.file == file), after.next_if(|offer| offer.file == file));
            self.compare(old, new, |offer| (offer.sku.clone(), offer.file));
        }
    }
}

/// Collects how names gain and lose products.
#[derive(Default)]
struct Moves {
    names: Vec<String>,
    steps: Vec<i64>,
}

impl Moves {
    fn of(&mut self, before: Option<&Product>, after: Option<&Product>) {
        let (before, after) = (before.map(|product| &product.name), after.map(|product| &product.name));
        if before == after {
            return;
        }
        for (name, step) in before.map(|name| (name, -1)).into_iter().chain(after.map(|name| (name, 1))) {
            self.names.push(name.clone());
            self.steps.push(step);
        }
    }

    fn sum(self) -> Result<Vec<(String, i64)>, Error> {
        if self.names.is_empty() {
            return Ok(Vec::new());
        }
        let frame = DataFrame::new_infer_height(vec![
            Column::new("name".into(), self.names),
            Column::new("step".into(), self.steps),
        ])?
        .lazy()
        .group_by([col("name")])
        .agg([col("step").sum()])
        .filter(col("step").neq(lit(0)))
        .sort(["name"], SortMultipleOptions::default())
        .collect()?;
        let (name, step) = (frame.column("name")?.str()?, frame.column("step")?.i64()?);
        Ok(name
            .iter()
            .zip(step.iter())
            .map(|(name, step)| (name.unwrap_or_default().to_owned(), step.unwrap_or_default()))
            .collect())
    }
}

#[cfg(test)]
mod tests;
