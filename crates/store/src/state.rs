//! What the tables hold for a set of skus: where the merge starts from. Reading only.

use diesel::prelude::*;

use crate::{
    EditRow, Error, ProductRow, ShadowedRow, Store,
    connection::AnyConnection,
    error::Doing,
    schema::{edits, products, shadowed},
};

/// Keys that one statement asks for. SQLite takes 32,766 bound values at most; beyond a thousand nothing is gained.
pub(crate) const CHUNK: usize = 1_024;

/// How many rows a range may hold for each key that is wanted before asking by key is cheaper. Measured on
/// 500,000 products: stepping over a row costs about a third of looking one up.
const ROWS_PER_KEY: usize = 3;

/// What is stored for some skus.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// By sku.
    pub products: Vec<ProductRow>,
    /// By sku, then file id.
    pub shadowed: Vec<ShadowedRow>,
    /// By sku.
    pub edits: Vec<EditRow>,
}

impl Store {
    /// What is stored for some skus, which must be sorted by bytes and unique.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn state<T: AsRef<str>>(&mut self, skus: &[T]) -> Result<State, Error> {
        let skus: Vec<&str> = skus.iter().map(AsRef::as_ref).collect();
        let (connection, skus) = (&mut self.connection, skus.as_slice());
        Ok(State {
            products: wanted_rows(connection, skus, &PRODUCTS).doing(|| "read products")?,
            shadowed: wanted_rows(connection, skus, &SHADOWED).doing(|| "read shadowed")?,
            edits: wanted_rows(connection, skus, &EDITS).doing(|| "read edits")?,
        })
    }
}

/// The two ways to ask a table for the rows of some sorted keys. Both give rows in key order.
pub(crate) struct Lookup<R> {
    /// The key of a row.
    pub(crate) key: fn(&R) -> &str,
    /// The rows from one key to another, both included, at most so many.
    pub(crate) range: fn(&mut AnyConnection, &str, &str, i64) -> QueryResult<Vec<R>>,
    /// The rows of these keys.
    pub(crate) listed: fn(&mut AnyConnection, &[&str]) -> QueryResult<Vec<R>>,
}

/// The rows of some keys, which are sorted and unique.
///
/// A request may name one key in ten thousand or nearly all. So the keys are taken in chunks, and for each the range
/// that it spans is read first, but only so far as that is cheaper than asking by key: small tables and dense requests
/// are done by then. The first chunk whose range holds too much ends that attempt for the rest of the request.
pub(crate) fn wanted_rows<R>(connection: &mut AnyConnection, keys: &[&str], lookup: &Lookup<R>) -> QueryResult<Vec<R>> {
    let mut found = Vec::new();
    let mut dense = true;
    for chunk in keys.chunks(CHUNK) {
        let [first, ..] = chunk else { continue };
        let last = chunk.last().unwrap_or(first);
        if dense {
            let most = chunk.len() * ROWS_PER_KEY;
            let rows = (lookup.range)(connection, first, last, most as i64 + 1)?;
            if rows.len() <= most {
                found.extend(keep_wanted(rows, chunk, lookup.key));
                continue;
            }
            dense = false;
        }
        found.extend((lookup.listed)(connection, chunk)?);
    }
    Ok(found)
}

/// The rows whose key is wanted; both sides are sorted by key, and a key may have several rows.
fn keep_wanted<R>(rows: Vec<R>, keys: &[&str], key: fn(&R) -> &str) -> impl Iterator<Item = R> {
    let mut keys = keys.iter().peekable();
    rows.into_iter().filter(move |row| {
        while keys.next_if(|wanted| **wanted < key(row)).is_some() {}
        keys.peek().is_some_and(|wanted| **wanted == key(row))
    })
}

const PRODUCTS: Lookup<ProductRow> = Lookup {
    key: |row| &row.sku,
    range: |connection, first, last, limit| {
        products::table
            .filter(products::sku.ge(first).and(products::sku.le(last)))
            .order(products::sku)
            .limit(limit)
            .load(connection)
    },
    listed: |connection, skus| products::table.filter(products::sku.eq_any(skus)).order(products::sku).load(connection),
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

const EDITS: Lookup<EditRow> = Lookup {
    key: |row| &row.sku,
    range: |connection, first, last, limit| {
        edits::table
            .filter(edits::sku.ge(first).and(edits::sku.le(last)))
            .select(EditRow::as_select())
            .order(edits::sku)
            .limit(limit)
            .load(connection)
    },
    listed: |connection, skus| {
        edits::table.filter(edits::sku.eq_any(skus)).select(EditRow::as_select()).order(edits::sku).load(connection)
    },
};
