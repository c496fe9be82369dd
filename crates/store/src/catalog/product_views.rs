//! Lists of products, filtered, with the source and the file of each, for people and programs. Writes are in `products`.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::{files, products, sources},
    },
    sqlite::instr,
};

/// A product with the winner's source and file; both are `None` for a product that no source offers.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ProductView {
    /// The key.
    pub sku: String,
    /// As shown.
    pub name: String,
    /// As shown.
    pub description: String,
    /// Name of the winner's source.
    pub source: Option<String>,
    /// Path of the winner's file.
    pub file: Option<String>,
    /// True if an edit is applied.
    pub edited: bool,
}

/// A filter for products. All conditions that are set must hold; none means all products.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductFilter {
    /// Exactly this sku.
    pub sku: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// Text that the sku or the name contains, compared byte by byte.
    pub part: Option<String>,
    /// Name of the winner's source.
    pub source: Option<String>,
}

/// Adds the conditions of a filter to a query. A macro, because the queries have different types.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let ProductFilter { sku, name, part, source } = $filter;
        let mut query = $query;
        if let Some(sku) = sku {
            query = query.filter(products::sku.eq(sku));
        }
        if let Some(name) = name {
            query = query.filter(products::name.eq(name));
        }
        if let Some(part) = part {
            query = query.filter(instr(products::sku, part).gt(0).or(instr(products::name, part).gt(0)));
        }
        if let Some(source) = source {
            query = query.filter(sources::name.nullable().eq(source));
        }
        query
    }};
}

/// Every product, with its file and source if it has them. Both are joined to the product itself: with an inner join of files and
/// sources on the right, SQLite reads all files first, even for a single sku.
#[diesel::dsl::auto_type]
fn with_origin() -> _ {
    products::table.left_join(files::table).left_join(sources::table.on(files::source_id.eq(sources::id)))
}

impl Store {
    /// At most `limit` products after the sku `after`, by sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_page(
        &mut self,
        filter: &ProductFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<ProductView>, Error> {
        let query = with_origin()
            .select((
                products::sku,
                products::name,
                products::description,
                sources::name.nullable(),
                files::path.nullable(),
                products::edited,
            ))
            .order(products::sku)
            .limit(limit)
            .into_boxed();
        let mut query = filtered!(query, filter);
        if let Some(after) = after {
            query = query.filter(products::sku.gt(after));
        }
        query.load(&mut self.connection).or_cannot(|| "read products")
    }

    /// True if a sku is shown.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn is_shown(&mut self, sku: &str) -> Result<bool, Error> {
        let query = diesel::select(diesel::dsl::exists(products::table.filter(products::sku.eq(sku))));
        query.get_result(&mut self.connection).or_cannot(|| format!("look for {sku:?} in products"))
    }

    /// The number of products that pass a filter. Without conditions it comes from the tally; otherwise all products may be read.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_count(&mut self, filter: &ProductFilter) -> Result<i64, Error> {
        if *filter == ProductFilter::default() {
            return Ok(self.tally()?.products);
        }
        let query = filtered!(with_origin().count().into_boxed(), filter);
        query.get_result(&mut self.connection).or_cannot(|| "count products")
    }
}
