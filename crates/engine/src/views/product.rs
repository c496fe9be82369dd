//! One sku in detail: the product, every current offer, and the edit.

use anyhow::Result;
use tributary_merge::{DESCRIPTION, NAME, Offer};
use tributary_store::{EditRow, FileOrigin, ProductFilter, ProductView, Store};

use crate::ingest;

/// One sku in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductDetail {
    /// The product as shown; `None` if none is.
    pub product: Option<ProductView>,
    /// Every current offer, by rank: the last one wins.
    pub offers: Vec<OfferView>,
    /// The edit, which is applied over the winner.
    pub edit: Option<EditRow>,
}

/// One current offer for a sku.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferView {
    /// Name of the source.
    pub source: String,
    /// Path of the file.
    pub file: String,
    /// The line where its row begins; the first line is 1. `None` if it is not known.
    pub row: Option<u64>,
    /// Whether it deletes the product; name and description are then empty.
    pub deletes: bool,
    /// As offered.
    pub name: String,
    /// As offered.
    pub description: String,
    /// Whether it is the winner.
    pub wins: bool,
}

/// Reads one sku in detail, without reading the files that do not offer it.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn detail(store: &mut Store, sku: &str) -> Result<ProductDetail> {
    let filter = ProductFilter { sku: Some(sku.to_owned()), ..ProductFilter::default() };
    let product = store.products_page(&filter, None, 1)?.pop();
    let offers = ingest::current_offers(store, sku)?;
    Ok(ProductDetail { product, offers: views(store, offers)?, edit: store.edit(sku)? })
}

fn views(store: &mut Store, offers: Vec<(Offer, FileOrigin)>) -> Result<Vec<OfferView>> {
    let count = offers.len();
    let view = |(rank, (offer, origin)): (usize, (Offer, FileOrigin))| {
        let row = match store.page_lines(offer.file, &offer.sku)? {
            Some((entries, lines)) => tributary_merge::line_of(&offer.sku, &entries, &lines)?,
            None => None,
        };
        let (Offer { deletes, texts, .. }, FileOrigin { source, path: file, .. }) = (offer, origin);
        let text = |column| texts.borrowed().get(column).to_owned();
        let (name, description) = (text(NAME), text(DESCRIPTION));
        Ok(OfferView { source, file, row, deletes, name, description, wins: rank + 1 == count })
    };
    offers.into_iter().enumerate().map(view).collect()
}
