//! The rows of `products`, `shadowed` and `edits` for a set of skus, which the merge starts from. Reads only.

use diesel::prelude::*;

use super::{
    edits::{EDITS, EditRow},
    products::ProductRow,
    shadowed::ShadowedRow,
};
use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{products, shadowed},
    },
    sqlite::{Lookup, rows_of_keys},
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
    /// The rows of some skus, which must be sorted by bytes and unique.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sku_rows<T: AsRef<str>>(&mut self, skus: &[T]) -> Result<SkuRows, Error> {
        let skus: Vec<&str> = skus.iter().map(AsRef::as_ref).collect();
        let rows = self.sku_rows_without_edits(&skus)?;
        let edits = rows_of_keys(&mut self.connection, &skus, &EDITS).or_cannot(|| "read edits")?;
        Ok(SkuRows { edits, ..rows })
    }

    /// As [`Store::sku_rows`] for a caller that knows the edits: there are none in the result.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sku_rows_without_edits(&mut self, skus: &[&str]) -> Result<SkuRows, Error> {
        let connection = &mut self.connection;
        Ok(SkuRows {
            products: rows_of_keys(connection, skus, &PRODUCTS).or_cannot(|| "read products")?,
            shadowed: rows_of_keys(connection, skus, &SHADOWED).or_cannot(|| "read shadowed")?,
            edits: Vec::new(),
        })
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
    range: |connection, first, last, limit| {
        products::table
            .filter(products::sku.ge(first).and(products::sku.le(last)))
            .select(PRODUCT)
            .order(products::sku)
            .limit(limit)
            .load(connection)
    },
    listed: |connection, skus| {
        products::table.filter(products::sku.eq_any(skus)).select(PRODUCT).order(products::sku).load(connection)
    },
};

const SHADOWED: Lookup<ShadowedRow> = Lookup {
    key: |row| &row.sku,
    range: |connection, first, last, limit| {
        shadowed::table
            .filter(shadowed::sku.ge(first).and(shadowed::sku.le(last)))
            .order((shadowed::sku, shadowed::file_id))
            .limit(limit)
            .load(connection)
    },
    listed: |connection, skus| {
        shadowed::table.filter(shadowed::sku.eq_any(skus)).order((shadowed::sku, shadowed::file_id)).load(connection)
    },
};
