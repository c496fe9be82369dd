//! What one batch of skus changes in the tables: the difference between what the database holds for them and what their
//! current offers and edits say. Nothing else is ever written, so a second apply of the same input writes nothing.

use crate::{Batch, Edit, Error, Offer, Product, Ranks, place};

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

/// What a batch changes. Its texts are those of the batch and of what was there before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delta<'a> {
    /// Rows of `products`.
    pub products: Changes<Product<&'a str>, &'a str>,
    /// Rows of `shadowed`, by sku and file.
    pub shadowed: Changes<Offer<&'a str>, (&'a str, i64)>,
    /// By how much counts of names move, product by product: [`crate::NameMoves`] sums them.
    pub names: Vec<(&'a str, i64)>,
}

/// Merges one batch. An empty one chooses again among the stored offers, as after a change of priorities or of an edit.
///
/// # Errors
/// An offer belongs to a file without a rank.
pub fn merge<'a>(before: &'a Before, touched: &'a Batch, ranks: &Ranks) -> Result<Delta<'a>, Error> {
    let mut rows = touched.rows().peekable();
    let mut products = before.products.iter().peekable();
    let mut shadowed = before.shadowed.as_slice();
    let mut edits = before.edits.iter().peekable();
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
        let in_shadow = split_off(&mut shadowed, sku);
        offers.clear();
        offers.extend(in_shadow.iter().map(Offer::borrowed).chain(product.and_then(Product::offer)));
        while let Some((offer, gone)) = rows.next_if(|(offer, _)| offer.sku == sku) {
            offers.retain(|stored| stored.file != offer.file);
            if !gone {
                offers.push(offer);
            }
        }
        ranks.sort(&mut offers)?;
        let placement = place(sku, &offers, edits.next_if(|edit| edit.sku == sku));
        let product = product.map(Product::borrowed);
        delta.move_name(product, placement.product);
        delta.products.compare(product, placement.product, |product| product.sku);
        delta.shadowed.compare_shadowed(in_shadow, placement.shadowed);
    }
    Ok(delta)
}

/// The current offers of the skus of `before`, by sku and rank: the last one of a sku is its winner.
///
/// # Errors
/// As [`merge`].
pub fn current_offers(before: &Before, ranks: &Ranks) -> Result<Vec<Offer>, Error> {
    let shown = before.products.iter().filter_map(Product::offer);
    let mut offers: Vec<_> = before.shadowed.iter().map(Offer::borrowed).chain(shown).collect();
    ranks.sort(&mut offers)?;
    offers.sort_by(|a, b| a.sku.cmp(b.sku));
    let owned = |Offer { sku, file, deletes, name, description }: Offer<&str>| Offer {
        sku: sku.to_owned(),
        file,
        deletes,
        name: name.to_owned(),
        description: description.to_owned(),
    };
    Ok(offers.into_iter().map(owned).collect())
}

/// Takes the offers of `sku` from the front of `offers`.
fn split_off<'a>(offers: &mut &'a [Offer], sku: &str) -> &'a [Offer] {
    let count = offers.iter().take_while(|offer| offer.sku == sku).count();
    let (of_sku, rest) = offers.split_at(count);
    *offers = rest;
    of_sku
}

impl<'a> Delta<'a> {
    fn move_name(&mut self, before: Option<Product<&'a str>>, after: Option<Product<&'a str>>) {
        let (before, after) = (before.map(|product| product.name), after.map(|product| product.name));
        if before != after {
            let moves = before.map(|name| (name, -1)).into_iter().chain(after.map(|name| (name, 1)));
            self.names.extend(moves);
        }
    }
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

impl<'a> Changes<Offer<&'a str>, (&'a str, i64)> {
    /// The offers of one sku: `before` by file, `after` by rank.
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
