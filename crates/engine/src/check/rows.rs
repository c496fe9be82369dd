//! The rows of two databases, side by side in the order of their keys. A few pages of each are in memory.

use std::{cmp::Ordering, collections::BTreeMap, vec};

use anyhow::Result;
use tributary_store::{AggrRow, ProductFilter, ProductView, Store, read_own};

/// Rows that are read together.
const PAGE: i64 = 2_000;
/// Longest text of a cell in a difference.
const MAX_CHARS: usize = 200;

/// The number of products and names if all are the same, or the first difference in words.
pub(super) fn compare(stored: &mut Store, computed: &mut Store) -> Result<Result<(u64, u64), String>> {
    let filter = ProductFilter::default();
    let products = first_difference(&mut |after| Ok(stored.products_page(&filter, after, PAGE)?), &mut |after| {
        Ok(computed.products_page(&filter, after, PAGE)?)
    })?;
    let products = match products {
        Ok(products) => products,
        Err(difference) => return Ok(Err(difference)),
    };
    let names = first_difference(&mut |after| Ok(stored.aggr_page(None, after, PAGE)?), &mut |after| {
        Ok(computed.aggr_page(None, after, PAGE)?)
    })?;
    Ok(names.map(|names| (products, names)))
}

/// A row with a key.
trait Keyed {
    /// The table.
    const TABLE: &'static str;
    /// The name of the key.
    const KEY: &'static str;
    fn key(&self) -> &str;
    /// The cells that must be equal, by column.
    fn cells(&self) -> Result<BTreeMap<String, String>>;
}

impl Keyed for ProductView {
    const TABLE: &'static str = "products";
    const KEY: &'static str = "sku";

    fn key(&self) -> &str {
        &self.sku
    }

    /// All but the times, which tell of the past.
    fn cells(&self) -> Result<BTreeMap<String, String>> {
        let Self { sku: _, name, description, own, source, file, edited, first_seen: _, changed_at: _ } = self;
        let mut cells: BTreeMap<String, String> = [
            ("name", name.clone()),
            ("description", description.clone()),
            ("source", source.clone().unwrap_or_default()),
            ("file", file.clone().unwrap_or_default()),
            ("edited", edited.to_string()),
        ]
        .map(|(column, text)| (column.to_owned(), text))
        .into();
        read_own(own.as_deref(), |column, text| {
            if !text.is_empty() {
                cells.insert(column.to_owned(), text);
            }
        })?;
        Ok(cells)
    }
}

impl Keyed for AggrRow {
    const TABLE: &'static str = "aggr";
    const KEY: &'static str = "name";

    fn key(&self) -> &str {
        &self.name
    }

    fn cells(&self) -> Result<BTreeMap<String, String>> {
        Ok([("no_of_products".to_owned(), self.no_of_products.to_string())].into())
    }
}

/// The rows of a table, page by page.
struct Rows<'a, R> {
    read: &'a mut dyn FnMut(Option<&str>) -> Result<Vec<R>>,
    page: vec::IntoIter<R>,
    last: Option<String>,
}

impl<'a, R: Keyed> Rows<'a, R> {
    fn new(read: &'a mut dyn FnMut(Option<&str>) -> Result<Vec<R>>) -> Self {
        Self { read, page: Vec::new().into_iter(), last: None }
    }

    fn next(&mut self) -> Result<Option<R>> {
        if self.page.len() == 0 {
            self.page = (self.read)(self.last.as_deref())?.into_iter();
        }
        let row = self.page.next();
        self.last = row.as_ref().map(|row| row.key().to_owned());
        Ok(row)
    }
}

/// The number of rows if both have the same, or the first difference.
fn first_difference<R: Keyed>(
    stored: &mut dyn FnMut(Option<&str>) -> Result<Vec<R>>,
    computed: &mut dyn FnMut(Option<&str>) -> Result<Vec<R>>,
) -> Result<Result<u64, String>> {
    let (mut stored, mut computed) = (Rows::new(stored), Rows::new(computed));
    for count in 0.. {
        let (ours, theirs) = (stored.next()?, computed.next()?);
        let order = match (&ours, &theirs) {
            (None, None) => return Ok(Ok(count)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(ours), Some(theirs)) => ours.key().cmp(theirs.key()),
        };
        let place = |row: Option<R>| format!("{}: {} {:?}", R::TABLE, R::KEY, row.as_ref().map_or("", Keyed::key));
        match (order, ours, theirs) {
            (Ordering::Less, ours, _) => return Ok(Err(format!("{} should not be there", place(ours)))),
            (Ordering::Greater, _, theirs) => return Ok(Err(format!("{} is missing", place(theirs)))),
            (Ordering::Equal, Some(ours), Some(theirs)) => {
                if let Some(difference) = cell_difference(&ours, &theirs)? {
                    return Ok(Err(format!("{}, {difference}", place(Some(ours)))));
                }
            }
            _ => {}
        }
    }
    Ok(Ok(u64::MAX))
}

fn cell_difference<R: Keyed>(stored: &R, computed: &R) -> Result<Option<String>> {
    let (stored, computed) = (stored.cells()?, computed.cells()?);
    let text = |cells: &BTreeMap<String, String>, column: &str| {
        let text = cells.get(column).map_or("", String::as_str);
        let cut: String = text.chars().take(MAX_CHARS).collect();
        format!("{cut:?}{}", if cut.len() < text.len() { "…" } else { "" })
    };
    let columns = stored.keys().chain(computed.keys());
    let mut different = columns.filter(|column| stored.get(*column) != computed.get(*column));
    Ok(different.next().map(|column| {
        let (is, should) = (text(&stored, column), text(&computed, column));
        format!("column {column}: the database has {is}, the sources give {should}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[(&str, i64)], computed: &[(&str, i64)], expect: Result<u64, &str>) {
        // Two rows a page.
        let read = |rows: &[(&str, i64)], after: Option<&str>| {
            let behind = rows.iter().filter(|(name, _)| after.is_none_or(|after| *name > after)).take(2);
            behind.map(|(name, no)| AggrRow { name: (*name).to_owned(), no_of_products: *no }).collect()
        };
        let found =
            first_difference(&mut |after| Ok(read(stored, after)), &mut |after| Ok(read(computed, after))).unwrap();
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn the_first_difference_is_named() {
        let rows = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)];
        check(&rows, &rows, Ok(5));
        check(&[], &[], Ok(0));
        check(&rows, &rows[..4], Err("aggr: name \"e\" should not be there"));
        check(&rows[..2], &rows, Err("aggr: name \"c\" is missing"));
        check(&rows[1..], &rows, Err("aggr: name \"a\" is missing"));
        let other = [("a", 1), ("b", 2), ("c", 7), ("d", 4), ("e", 6)];
        let difference = "aggr: name \"c\", column no_of_products: the database has \"3\", the sources give \"7\"";
        check(&rows, &other, Err(difference));
    }
}
