//! Compares the rows that the database holds for a batch of skus with the rows that their current offers and edits call for.
//! Only the differences are written, so applying the same input twice writes nothing the second time.

use std::borrow::Cow;

use crate::{
    batch::Batch,
    error::Error,
    offer::{Edit, Offer, Product},
    resolve::resolve,
    survivorship::Survivorship,
    texts::Texts,
};

/// Rows that the database holds for the skus of a batch. Each list is sorted by its key as bytes: the sku, for `shadowed` the
/// sku and the file.
#[derive(Debug, Default)]
pub struct StoredRows {
    /// Rows of `products`.
    pub products: Vec<Product>,
    /// Rows of `shadowed`: the offers that are not shown as they are.
    pub shadowed: Vec<Offer>,
    /// The edits, including the change being made.
    pub edits: Vec<Edit>,
}

impl StoredRows {
    /// Bytes of the offered texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let products = self.products.iter().map(|row| row.texts.0.len());
        products.chain(self.shadowed.iter().map(|row| row.texts.0.len())).sum()
    }
}

/// Rows to write to one table, each list in ascending order of its key.
#[derive(Debug, PartialEq, Eq)]
pub struct TableChanges<Row, Key> {
    /// Rows with a new key.
    pub inserted: Vec<Row>,
    /// Rows whose key is stored with other content.
    pub updated: Vec<Row>,
    /// Keys to delete.
    pub deleted: Vec<Key>,
}

impl<Row, Key> Default for TableChanges<Row, Key> {
    fn default() -> Self {
        Self { inserted: Vec::new(), updated: Vec::new(), deleted: Vec::new() }
    }
}

/// Changes that a batch makes. Its texts are borrowed from the batch and the stored rows, those with an edit over them aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delta<'a> {
    /// Rows of `products`.
    pub products: TableChanges<Product<Cow<'a, str>>, &'a str>,
    /// Rows of `shadowed`, by sku and file.
    pub shadowed: TableChanges<Offer<&'a str>, (&'a str, i64)>,
    /// +1 or -1 to the count of a name, product by product: of the text that is counted. [`crate::NameDeltas`] adds them up.
    pub names: Vec<(Cow<'a, str>, i64)>,
}

/// Merges one batch. With an empty batch, the winners are chosen again from the stored offers, as after a change of
/// priorities or of an edit.
///
/// # Errors
/// An offer belongs to a file without a rank.
pub fn merge<'a>(stored: &'a StoredRows, batch: &'a Batch, rules: &Survivorship) -> Result<Delta<'a>, Error> {
    let mut rows = batch.rows().peekable();
    let mut products = stored.products.iter().peekable();
    let mut shadowed = stored.shadowed.as_slice();
    let mut edits = stored.edits.iter().peekable();
    let mut delta = Delta::default();
    let mut offers = Vec::new();
    loop {
        let next = [
            rows.peek().map(|(offer, _)| offer.sku),
            products.peek().map(|product| product.sku.as_str()),
            shadowed.first().map(|offer| offer.sku.as_str()),
            edits.peek().map(|edit| edit.sku.as_str()),
        ];
        let Some(sku) = next.into_iter().flatten().min() else { break };
        let product = products.next_if(|product| product.sku == sku);
        let old_shadowed = split_off(&mut shadowed, sku);
        offers.clear();
        let shown = product.and_then(|product| product.offer(old_shadowed));
        offers.extend(old_shadowed.iter().map(Offer::borrowed).chain(shown));
        while let Some((offer, gone)) = rows.next_if(|(offer, _)| offer.sku == sku) {
            offers.retain(|old| old.file != offer.file);
            if !gone {
                offers.push(offer);
            }
        }
        rules.sort(&mut offers)?;
        let resolved = resolve(sku, &offers, edits.next_if(|edit| edit.sku == sku), rules)?;
        let product = product.map(Product::borrowed);
        delta.count_name(product.as_ref(), resolved.product.as_ref(), rules.group_by);
        delta.products.compare(product.map(Product::cow), resolved.product, |_| sku);
        delta.shadowed.compare_shadowed(old_shadowed, resolved.shadowed);
    }
    Ok(delta)
}

/// The current offers, in order of sku. The last offer for a sku is its winner.
///
/// # Errors
/// An offer belongs to a file without a rank.
pub fn current_offers(stored: &StoredRows, rules: &Survivorship) -> Result<Vec<Offer>, Error> {
    let of_sku = |sku: &str| {
        let first = stored.shadowed.partition_point(|offer| offer.sku.as_str() < sku);
        split_off(&mut &stored.shadowed[first..], sku)
    };
    let shown = stored.products.iter().filter_map(|product| product.offer(of_sku(&product.sku)));
    let mut offers: Vec<_> = stored.shadowed.iter().map(Offer::borrowed).chain(shown).collect();
    rules.sort(&mut offers)?;
    offers.sort_by(|a, b| a.sku.cmp(b.sku));
    Ok(offers.into_iter().map(Offer::owned).collect())
}

/// Splits the offers for `sku` off the front of `offers`.
fn split_off<'a>(offers: &mut &'a [Offer], sku: &str) -> &'a [Offer] {
    let count = offers.iter().take_while(|offer| offer.sku == sku).count();
    let (of_sku, rest) = offers.split_at(count);
    *offers = rest;
    of_sku
}

impl<'a> Delta<'a> {
    fn count_name(&mut self, before: Option<&Product<&'a str>>, after: Option<&Product<Cow<'a, str>>>, column: usize) {
        let (before, after) =
            (before.map(|product| product.texts.get(column)), after.map(|product| name(product, column)));
        if before != after.as_deref() {
            self.names.extend(before.map(|name| (name.into(), -1)).into_iter().chain(after.map(|name| (name, 1))));
        }
    }
}

/// The text of a column, borrowed for as long as the product's own texts are.
fn name<'a>(product: &Product<Cow<'a, str>>, column: usize) -> Cow<'a, str> {
    match &product.texts.0 {
        Cow::Borrowed(texts) => Texts(*texts).get(column).into(),
        Cow::Owned(texts) => Texts(texts.as_str()).get(column).to_owned().into(),
    }
}

impl<Row: PartialEq, Key> TableChanges<Row, Key> {
    fn compare(&mut self, before: Option<Row>, after: Option<Row>, key: impl Fn(&Row) -> Key) {
        match (before, after) {
            (None, Some(after)) => self.inserted.push(after),
            (Some(before), Some(after)) if before != after => self.updated.push(after),
            (Some(before), None) => self.deleted.push(key(&before)),
            _ => {}
        }
    }
}

impl<'a> TableChanges<Offer<&'a str>, (&'a str, i64)> {
    /// Compares the shadowed offers of one sku. `before` is in order of file, `after` in order of rank.
    fn compare_shadowed(&mut self, before: &'a [Offer], after: &[Offer<&'a str>]) {
        if before.is_empty() && after.is_empty() {
            return;
        }
        let mut after = after.to_vec();
        after.sort_unstable_by_key(|offer| offer.file);
        let (mut before, mut after) = (before.iter().peekable(), after.into_iter().peekable());
        loop {
            let files = [before.peek().map(|offer| offer.file), after.peek().map(|offer| offer.file)];
            let Some(file) = files.into_iter().flatten().min() else { return };
            let old = before.next_if(|offer| offer.file == file).map(Offer::borrowed);
            self.compare(old, after.next_if(|offer| offer.file == file), |offer| (offer.sku, offer.file));
        }
    }
}

#[cfg(test)]
mod tests;
