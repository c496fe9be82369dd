//! What people and programs read of `products` and `aggr`: a page of a list, filtered. Writing them is in `products` and
//! `aggr`; what the merge works on is in `state`.

use diesel::{dsl::InnerJoin, prelude::*, sql_types::Text};

use crate::{
    AggrRow, Error, Store,
    error::Doing,
    schema::{aggr, files, products, sources},
};

diesel::define_sql_function! {
    /// Where the second text begins in the first, from 1; 0 if it is no part of it. Compares bytes, as all of the store.
    fn instr(text: Text, part: Text) -> BigInt;
}

/// A product with the winner's source and file; both are `None` for one that stands alone.
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
    /// Whether an edit lies over it.
    pub edited: bool,
}

/// Which products are wanted. All that is set must hold; nothing set means all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductFilter {
    /// Exactly this sku.
    pub sku: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// A part of the sku or of the name, compared exactly.
    pub part: Option<String>,
    /// The winner comes from this source.
    pub source: Option<String>,
}

/// The order of a list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AggrOrder {
    /// By name.
    #[default]
    Name,
    /// The names with the most products first; among equals by name.
    MostProducts,
}

/// Every product, with its file and source where it has them.
type Origins = diesel::dsl::LeftJoin<products::table, InnerJoin<files::table, sources::table>>;

/// A query whose filters are known only when it runs. A macro, because the two queries differ in type only.
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

fn origins() -> Origins {
    products::table.left_join(files::table.inner_join(sources::table))
}

impl Store {
    /// At most `limit` products behind the sku `after`, by sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_page(
        &mut self,
        filter: &ProductFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<ProductView>, Error> {
        let query = origins()
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
        query.load(&mut self.connection).doing(|| "read products")
    }

    /// Whether a sku is shown.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn is_shown(&mut self, sku: &str) -> Result<bool, Error> {
        let query = diesel::select(diesel::dsl::exists(products::table.filter(products::sku.eq(sku))));
        query.get_result(&mut self.connection).doing(|| format!("look for {sku:?} in products"))
    }

    /// How many products a filter lets through. Without a filter that is the tally; else all products may be read.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_count(&mut self, filter: &ProductFilter) -> Result<i64, Error> {
        if *filter == ProductFilter::default() {
            return Ok(self.tally()?.products);
        }
        let query = filtered!(origins().count().into_boxed(), filter);
        query.get_result(&mut self.connection).doing(|| "count products")
    }

    /// At most `limit` names with their counts, by name; with `name` only that one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_page(&mut self, name: Option<&str>, limit: i64) -> Result<Vec<AggrRow>, Error> {
        let query = aggr::table.select(AggrRow::as_select()).order(aggr::name).limit(limit);
        match name {
            Some(name) => query.filter(aggr::name.eq(name)).load(&mut self.connection),
            None => query.load(&mut self.connection),
        }
        .doing(|| "read aggr")
    }

    /// How many names there are; with `name`, whether that one is there.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_count(&mut self, name: Option<&str>) -> Result<i64, Error> {
        match name {
            Some(name) => aggr::table.filter(aggr::name.eq(name)).count().get_result(&mut self.connection),
            None => return Ok(self.tally()?.names),
        }
        .doing(|| "count aggr")
    }

    /// At most `limit` names with their counts, `offset` passed over; with `part` only names that hold it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_list(
        &mut self,
        part: Option<&str>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<AggrRow>, Error> {
        let mut query = aggr::table.select(AggrRow::as_select()).limit(limit).offset(offset).into_boxed();
        query = match order {
            AggrOrder::Name => query.order(aggr::name),
            AggrOrder::MostProducts => query.order((aggr::no_of_products.desc(), aggr::name)),
        };
        if let Some(part) = part {
            query = query.filter(instr(aggr::name, part).gt(0));
        }
        query.load(&mut self.connection).doing(|| "read aggr")
    }

    /// How many names hold a part.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn aggr_matches(&mut self, part: Option<&str>) -> Result<i64, Error> {
        let Some(part) = part else { return self.aggr_count(None) };
        let query = aggr::table.filter(instr(aggr::name, part).gt(0)).count();
        query.get_result(&mut self.connection).doing(|| "count aggr")
    }
}
