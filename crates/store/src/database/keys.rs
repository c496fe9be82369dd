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

/// Takes a row, and says whether to go on.
pub(crate) type TakeRow<'a, R> = &'a mut dyn FnMut(R) -> bool;

/// The two ways to query a table for the rows of sorted keys. Both give rows in key order.
pub(crate) struct Lookup<R> {
    /// The key of a row.
    pub(crate) key: fn(&R) -> &str,
    /// Bytes of its texts.
    pub(crate) bytes: fn(&R) -> usize,
    /// The rows from one key to another, both included, up to a limit.
    pub(crate) range: fn(&mut AnyConnection, &str, &str, i64, TakeRow<'_, R>) -> QueryResult<()>,
    /// The rows of a list of keys.
    pub(crate) listed: fn(&mut AnyConnection, &[&str], TakeRow<'_, R>) -> QueryResult<()>,
}

/// Passes rows on, until there is no more or the taker has enough.
pub(crate) fn each<R>(rows: impl Iterator<Item = QueryResult<R>>, take: TakeRow<'_, R>) -> QueryResult<()> {
    for row in rows {
        if !take(row?) {
            break;
        }
    }
    Ok(())
}

/// Reads the rows of some keys, which are sorted and unique.
pub(crate) fn rows_of_keys<R>(
    connection: &mut AnyConnection,
    keys: &[&str],
    lookup: &Lookup<R>,
) -> QueryResult<Vec<R>> {
    rows_within(connection, keys, lookup, usize::MAX).map(|(rows, _)| rows)
}

/// Reads the rows of the first keys, as many as have at most `max_bytes` of texts, but at least one. The keys are sorted and unique. Returns
/// the number of these keys, too.
///
/// A request may name one key in ten thousand, or nearly all of them. So the keys are taken in chunks. For each, the range that it
/// spans is read first, up to the number of rows at which a list of keys is cheaper. That is enough for small tables and dense
/// requests. The first chunk with too many rows in its range, or too large ones, switches the rest of the request to lists.
pub(crate) fn rows_within<R>(
    connection: &mut AnyConnection,
    keys: &[&str],
    lookup: &Lookup<R>,
    max_bytes: usize,
) -> QueryResult<(Vec<R>, usize)> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut dense = true;
    let (first, rest) = keys.split_at(keys.len().min(FIRST_KEYS));
    for chunk in std::iter::once(first).chain(rest.chunks(KEYS_PER_STATEMENT)) {
        let [first, ..] = chunk else { continue };
        let last = chunk.last().unwrap_or(first);
        if dense {
            let max_rows = chunk.len() * MAX_RANGE_ROWS_PER_KEY;
            let (mut rows, mut of_range) = (Vec::new(), bytes);
            (lookup.range)(connection, first, last, max_rows as i64 + 1, &mut |row| {
                of_range += (lookup.bytes)(&row);
                rows.push(row);
                of_range <= max_bytes
            })?;
            if rows.len() <= max_rows && of_range <= max_bytes {
                bytes = of_range;
                found.extend(keep_wanted(rows, chunk, lookup.key));
                continue;
            }
            dense = false;
        }
        let mut beyond = None;
        (lookup.listed)(connection, chunk, &mut |row| {
            let is_next = found.last().is_some_and(|last| (lookup.key)(last) != (lookup.key)(&row));
            bytes += (lookup.bytes)(&row);
            if is_next && bytes > max_bytes {
                beyond = Some((lookup.key)(&row).to_owned());
                return false;
            }
            found.push(row);
            true
        })?;
        if let Some(beyond) = beyond {
            return Ok((found, keys.partition_point(|key| *key < beyond.as_str())));
        }
    }
    Ok((found, keys.len()))
}

/// Keeps the rows whose key is wanted. Both sides are sorted by key, and a key may have several rows.
fn keep_wanted<R>(rows: Vec<R>, keys: &[&str], key: fn(&R) -> &str) -> impl Iterator<Item = R> {
    let mut keys = keys.iter().peekable();
    rows.into_iter().filter(move |row| {
        while keys.next_if(|wanted| **wanted < key(row)).is_some() {}
        keys.peek().is_some_and(|wanted| **wanted == key(row))
    })
}
