//! The rows of `products`, `shadowed` and `edits` for a set of skus, which the merge starts from. Reads only.

use diesel::{connection::DefaultLoadingMode, prelude::*};

use super::{
    edits::{EDITS, EditRow},
    products::ProductRow,
    shadowed::ShadowedRow,
};
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        keys::{Lookup, each, rows_within},
        schema::{products, shadowed},
    },
};

/// The rows of some skus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkuRows {
    /// By sku.
    pub products: Vec<ProductRow>,
    /// By sku, then file id.
    pub shadowed: Vec<ShadowedRow>,
    /// By sku.
    pub edits: Vec<EditRow>,
}

impl Store {
    /// True if a sku is shown.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn is_shown(&mut self, sku: &str) -> Result<bool, Error> {
        let query = diesel::select(diesel::dsl::exists(products::table.filter(products::sku.eq(sku))));
        query.get_result(&mut self.connection).or_cannot(|| format!("look for {sku:?} in products"))
    }

    /// The rows of some skus, which must be sorted by bytes and unique.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sku_rows<T: AsRef<str>>(&mut self, skus: &[T]) -> Result<SkuRows, Error> {
        self.sku_rows_within(skus, true, usize::MAX).map(|(rows, _)| rows)
    }

    /// The rows of the first skus, as many as have about `max_bytes` of texts, and the number of these skus: at least one. Without
    /// `has_edits` there are no edits in the result. The skus must be sorted by bytes and unique.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sku_rows_within<T: AsRef<str>>(
        &mut self,
        skus: &[T],
        has_edits: bool,
        max_bytes: usize,
    ) -> Result<(SkuRows, usize), Error> {
        let connection = &mut self.connection;
        let mut skus: Vec<&str> = skus.iter().map(AsRef::as_ref).collect();
        let (mut products, read) =
            rows_within(connection, &skus, &PRODUCTS, max_bytes).or_cannot(|| "read products")?;
        skus.truncate(read);
        let (mut shadowed, read) =
            rows_within(connection, &skus, &SHADOWED, max_bytes).or_cannot(|| "read shadowed")?;
        skus.truncate(read);
        let mut edits = Vec::new();
        if has_edits {
            let (found, read) = rows_within(connection, &skus, &EDITS, max_bytes).or_cannot(|| "read edits")?;
            skus.truncate(read);
            edits = found;
        }
        if let Some(last) = skus.last() {
            products.truncate(products.partition_point(|row| row.sku.as_str() <= *last));
            shadowed.truncate(shadowed.partition_point(|row| row.sku.as_str() <= *last));
        }
        Ok((SkuRows { products, shadowed, edits }, skus.len()))
    }
}

/// The columns of a [`ProductRow`].
const PRODUCT: (
    products::sku,
    products::name,
    products::description,
    products::file_id,
    products::edited,
    products::own,
) = (products::sku, products::name, products::description, products::file_id, products::edited, products::own);

const PRODUCTS: Lookup<ProductRow> = Lookup {
    key: |row| &row.sku,
    bytes: |ProductRow { sku, name, description, own, .. }| {
        sku.len() + name.len() + description.len() + own.as_ref().map_or(0, String::len)
    },
    range: |connection, first, last, limit, take| {
        let query = products::table
            .filter(products::sku.ge(first).and(products::sku.le(last)))
            .select(PRODUCT)
            .order(products::sku)
            .limit(limit);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
    listed: |connection, skus, take| {
        let query = products::table.filter(products::sku.eq_any(skus)).select(PRODUCT).order(products::sku);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
};

const SHADOWED: Lookup<ShadowedRow> = Lookup {
    key: |row| &row.sku,
    bytes: |ShadowedRow { sku, name, description, own, .. }| {
        sku.len() + name.len() + description.len() + own.as_ref().map_or(0, String::len)
    },
    range: |connection, first, last, limit, take| {
        let query = shadowed::table
            .filter(shadowed::sku.ge(first).and(shadowed::sku.le(last)))
            .order((shadowed::sku, shadowed::file_id))
            .limit(limit);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
    listed: |connection, skus, take| {
        let query = shadowed::table.filter(shadowed::sku.eq_any(skus)).order((shadowed::sku, shadowed::file_id));
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
};
