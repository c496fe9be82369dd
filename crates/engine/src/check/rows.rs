//! One table of two databases, side by side in the order of its keys. A few pages of each are in memory, but all rows of a report, as
//! when it is computed.

use std::{cmp::Ordering, collections::BTreeMap, iter::zip, vec};

use anyhow::Result;
use tributary_store::{GroupRow, ProductFilter, ProductView, ReportRange, ReportTable, ReportValue, Store, read_own};

/// Rows that are read together.
const PAGE: i64 = 2_000;
/// Longest text of a cell in a difference.
const MAX_CHARS: usize = 200;

/// A table that is compared.
pub(super) enum Table<'a> {
    Products,
    Names,
    Report(&'a ReportTable),
}

/// A row of any table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// The texts of its key, in the order of which a table is read.
    key: Vec<String>,
    /// The cells that must be equal, by column.
    cells: BTreeMap<String, String>,
}

/// Compares a table of two databases. Returns its number of rows if both have the same, or the first difference in words.
pub(super) fn compare(table: &Table<'_>, stored: &mut Store, computed: &mut Store) -> Result<Result<u64, String>> {
    first_difference(table, &mut |after| table.page(stored, after), &mut |after| table.page(computed, after))
}

impl Table<'_> {
    fn name(&self) -> String {
        match self {
            Self::Products => "products".to_owned(),
            Self::Names => "aggr".to_owned(),
            Self::Report(table) => format!("report_{}", table.name),
        }
    }

    /// A key in words, such as `: sku "A1"`.
    fn key(&self, key: &[String]) -> String {
        let columns: Vec<&str> = match self {
            Self::Products => vec!["sku"],
            Self::Names => vec!["name"],
            Self::Report(table) => table.group_by.iter().map(String::as_str).collect(),
        };
        let parts: Vec<String> = zip(columns, key).map(|(column, text)| format!("{column} {text:?}")).collect();
        if parts.is_empty() { ": its row".to_owned() } else { format!(": {}", parts.join(", ")) }
    }

    /// The next rows behind a key.
    fn page(&self, store: &mut Store, after: Option<&[String]>) -> Result<Vec<Row>> {
        let text = after.and_then(<[String]>::first).map(String::as_str);
        match self {
            Self::Products => {
                store.products_page(&ProductFilter::default(), text, PAGE)?.into_iter().map(product).collect()
            }
            Self::Names => {
                let names = store.aggr_page(None, text, PAGE)?.into_iter();
                let cells = |count: i64| [("no_of_products".to_owned(), count.to_string())].into();
                Ok(names.map(|row| Row { key: vec![row.name], cells: cells(row.no_of_products) }).collect())
            }
            Self::Report(_) if after.is_some() => Ok(Vec::new()),
            Self::Report(table) => {
                let rows = store.report_rows(table, ReportRange::ALL)?;
                Ok(rows.into_iter().map(|row| group(table, row)).collect())
            }
        }
    }
}

/// All of a product but its times, which tell of the past.
fn product(row: ProductView) -> Result<Row> {
    let ProductView { sku, name, description, own, source, file, edited, first_seen: _, changed_at: _ } = row;
    let mut cells: BTreeMap<String, String> = [
        ("name", name),
        ("description", description),
        ("source", source.unwrap_or_default()),
        ("file", file.unwrap_or_default()),
        ("edited", edited.to_string()),
    ]
    .map(|(column, text)| (column.to_owned(), text))
    .into();
    read_own(own.as_deref(), |column, text| {
        if !text.is_empty() {
            cells.insert(column.to_owned(), text);
        }
    })?;
    Ok(Row { key: vec![sku], cells })
}

fn group(table: &ReportTable, GroupRow { group, values }: GroupRow) -> Row {
    let cells = zip(&table.metrics, values).map(|(metric, value)| {
        let text = match value {
            ReportValue::Text(text) => text,
            value => value.digits().unwrap_or_default(),
        };
        (metric.clone(), text)
    });
    Row { key: group, cells: cells.collect() }
}

/// The next rows behind a key.
type Read<'a> = &'a mut dyn FnMut(Option<&[String]>) -> Result<Vec<Row>>;

/// The rows of a table, page by page.
struct Rows<'a> {
    read: Read<'a>,
    page: vec::IntoIter<Row>,
    last: Option<Vec<String>>,
}

impl<'a> Rows<'a> {
    fn new(read: Read<'a>) -> Self {
        Self { read, page: Vec::new().into_iter(), last: None }
    }

    fn next(&mut self) -> Result<Option<Row>> {
        if self.page.len() == 0 {
            self.page = (self.read)(self.last.as_deref())?.into_iter();
        }
        let row = self.page.next();
        self.last = row.as_ref().map(|row| row.key.clone());
        Ok(row)
    }
}

/// The number of rows if both have the same, or the first difference.
fn first_difference(table: &Table<'_>, stored: Read<'_>, computed: Read<'_>) -> Result<Result<u64, String>> {
    let (mut stored, mut computed) = (Rows::new(stored), Rows::new(computed));
    let place = |row: &Row| format!("{}{}", table.name(), table.key(&row.key));
    for count in 0.. {
        let (ours, theirs) = match (stored.next()?, computed.next()?) {
            (None, None) => return Ok(Ok(count)),
            (Some(ours), None) => return Ok(Err(format!("{} should not be there", place(&ours)))),
            (None, Some(theirs)) => return Ok(Err(format!("{} is missing", place(&theirs)))),
            (Some(ours), Some(theirs)) => (ours, theirs),
        };
        match ours.key.cmp(&theirs.key) {
            Ordering::Less => return Ok(Err(format!("{} should not be there", place(&ours)))),
            Ordering::Greater => return Ok(Err(format!("{} is missing", place(&theirs)))),
            Ordering::Equal => {}
        }
        if let Some(difference) = cell_difference(&ours.cells, &theirs.cells) {
            return Ok(Err(format!("{}, {difference}", place(&ours))));
        }
    }
    Ok(Ok(u64::MAX))
}

fn cell_difference(stored: &BTreeMap<String, String>, computed: &BTreeMap<String, String>) -> Option<String> {
    let text = |cells: &BTreeMap<String, String>, column: &str| {
        let text = cells.get(column).map_or("", String::as_str);
        let cut: String = text.chars().take(MAX_CHARS).collect();
        format!("{cut:?}{}", if cut.len() < text.len() { "…" } else { "" })
    };
    let mut columns = stored.keys().chain(computed.keys());
    let column = columns.find(|column| stored.get(*column) != computed.get(*column))?;
    let (is, should) = (text(stored, column), text(computed, column));
    Some(format!("column {column}: the database has {is}, the sources give {should}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[(&str, i64)], computed: &[(&str, i64)], expect: Result<u64, &str>) {
        // Two rows a page.
        let read = |rows: &[(&str, i64)], after: Option<&[String]>| {
            let behind = rows.iter().filter(|(name, _)| after.is_none_or(|after| *name > after[0].as_str())).take(2);
            let cells = |count: &i64| [("no_of_products".to_owned(), count.to_string())].into();
            behind.map(|(name, count)| Row { key: vec![(*name).to_owned()], cells: cells(count) }).collect()
        };
        let mut stored = |after: Option<&[String]>| Ok(read(stored, after));
        let found = first_difference(&Table::Names, &mut stored, &mut |after| Ok(read(computed, after))).unwrap();
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

    #[test]
    fn a_row_of_a_report_is_known_by_all_of_its_groups() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table = ReportTable { name: "r".into(), group_by: names(&["a", "b"]), metrics: names(&["n", "big"]) };
        let values = vec![ReportValue::Real(0.5), ReportValue::Text("9".repeat(30))];
        let row = group(&table, GroupRow { group: names(&["x", "y"]), values });
        assert_eq!((row.cells["n"].as_str(), row.cells["big"].len()), ("0.5", 30));
        assert_eq!(Table::Report(&table).key(&row.key), ": a \"x\", b \"y\"");
        let alone = ReportTable { group_by: Vec::new(), ..table };
        assert_eq!(Table::Report(&alone).key(&[]), ": its row");
    }
}
