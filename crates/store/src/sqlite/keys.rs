//! Rows of many sorted keys, read in the cheaper of two ways: the range that the keys span, or a list of the keys.

use diesel::QueryResult;

use crate::database::connection::AnyConnection;

/// Keys in one statement. SQLite allows 32,766 bound values per statement; more than a thousand gain nothing.
pub(crate) const KEYS_PER_STATEMENT: usize = 1_024;

/// Keys in the first statement of a request. Its range shows how dense the keys are, and of sparse ones it is read in vain.
const FIRST_KEYS: usize = 64;

/// Rows per key up to which a range is read in full: reading a row of a range costs about a third of finding one by its key,
/// measured on 500,000 products.
const MAX_RANGE_ROWS_PER_KEY: usize = 3;

/// The two ways to query a table for the rows of sorted keys. Both return rows in key order.
pub(crate) struct Lookup<R> {
    /// The key of a row.
    pub(crate) key: fn(&R) -> &str,
    /// The rows from one key to another, both included, up to a limit.
    pub(crate) range: fn(&mut AnyConnection, &str, &str, i64) -> QueryResult<Vec<R>>,
    /// The rows of a list of keys.
    pub(crate) listed: fn(&mut AnyConnection, &[&str]) -> QueryResult<Vec<R>>,
}

/// Reads the rows of some keys, which are sorted and unique.
///
/// A request may name one key in ten thousand, or nearly all of them. So the keys are taken in chunks. For each, the range that it
/// spans is read first, up to the number of rows at which a list of keys is cheaper. That is enough for small tables and dense
/// requests. The first chunk with too many rows in its range switches the rest of the request to lists.
pub(crate) fn rows_of_keys<R>(
    connection: &mut AnyConnection,
    keys: &[&str],
    lookup: &Lookup<R>,
) -> QueryResult<Vec<R>> {
    let mut found = Vec::new();
    let mut dense = true;
    let (first, rest) = keys.split_at(keys.len().min(FIRST_KEYS));
    for chunk in std::iter::once(first).chain(rest.chunks(KEYS_PER_STATEMENT)) {
        let [first, ..] = chunk else { continue };
        let last = chunk.last().unwrap_or(first);
        if dense {
            let max_rows = chunk.len() * MAX_RANGE_ROWS_PER_KEY;
            let rows = (lookup.range)(connection, first, last, max_rows as i64 + 1)?;
            if rows.len() <= max_rows {
                found.extend(keep_wanted(rows, chunk, lookup.key));
                continue;
            }
            dense = false;
        }
        found.extend((lookup.listed)(connection, chunk)?);
    }
    Ok(found)
}

/// Keeps the rows whose key is wanted. Both sides are sorted by key, and a key may have several rows.
fn keep_wanted<R>(rows: Vec<R>, keys: &[&str], key: fn(&R) -> &str) -> impl Iterator<Item = R> {
    let mut keys = keys.iter().peekable();
    rows.into_iter().filter(move |row| {
        while keys.next_if(|wanted| **wanted < key(row)).is_some() {}
        keys.peek().is_some_and(|wanted| **wanted == key(row))
    })
}
