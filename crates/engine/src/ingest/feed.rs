//! The product feed as a reader: which files are feeds, how they are read, and the tables that it fills.

use anyhow::{Context, Result};
use serde_json::json;
use tributary_config::{PRODUCTS, ReportConfig};
use tributary_csv_gate::{Columns, OwnColumn};
use tributary_format_rules::rank_key;
use tributary_merge::{FileChanges, Page, Run, compare_pages, diff_pages};
use tributary_protocol::{FormatSpec, ManifestEntry, Order};
use tributary_store::{PageRow, Store};

use crate::input::{Rank, Reader, ResultLink, ResultTables};

/// The reader of a source's product feeds.
pub(crate) struct Feed<'a> {
    /// All reports: a file that one claims is a feed only if the report says so.
    reports: &'a [ReportConfig],
    /// The names of the columns.
    columns: Columns,
}

impl<'a> Feed<'a> {
    /// The feeds beside these reports, in a source with these names of columns.
    pub(crate) fn new(reports: &'a [ReportConfig], columns: &Columns) -> Self {
        Self { reports, columns: columns.clone() }
    }
}

impl Reader for Feed<'_> {
    fn name(&self) -> String {
        PRODUCTS.to_owned()
    }

    fn claims(&self, path: &str) -> bool {
        self.reports.iter().filter(|report| report.claims(path)).all(|report| report.feed)
    }

    /// Changes whenever the same bytes could give other rows: with the column names, the file's format, the version of the gate's
    /// rules, and that of the stored pages.
    fn reading(&self, format: &FormatSpec) -> String {
        let mapped = |names: &[String]| names.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let Columns { sku, name, description, op, own } = &self.columns;
        let mut decides = json!({
            "role": "feed",
            "gate": tributary_csv_gate::FORMAT,
            "merge": tributary_merge::FORMAT_VERSION,
            "columns": [mapped(sku), mapped(name), mapped(description), mapped(op)],
        });
        if !own.is_empty() {
            let named = |column: &OwnColumn| json!([column.name, mapped(&column.headers)]);
            decides["own"] = own.iter().map(named).collect();
        }
        if let Some(format) = format.digest() {
            decides["format"] = format.into();
        }
        blake3::hash(decides.to_string().as_bytes()).to_hex()[..32].to_owned()
    }

    fn rank(&self, format: &FormatSpec, entry: &ManifestEntry) -> Rank {
        let order = format.order.unwrap_or_default();
        Rank { key: rank_key(order, &entry.path, &entry.modified), is_of_content: order == Order::Modified }
    }

    fn links(&self, source: &str, _path: &str) -> Vec<ResultLink> {
        let (title, path) = ("Products".to_owned(), "/products".to_owned());
        vec![ResultLink { title, path, query: vec![("source", source.to_owned())] }]
    }
}

/// The tables of offers and products. Only the pages are written here; what changes in the others is merged with other files first.
pub(super) struct ProductTables;

impl ResultTables<'_> for ProductTables {
    type Results = Run;
    type Changes = FileChanges;

    fn write(store: &mut Store, file: i64, run: Run) -> Result<FileChanges> {
        put_pages(store, file, Some(run))
    }

    fn remove(store: &mut Store, file: i64) -> Result<FileChanges> {
        put_pages(store, file, None)
    }
}

/// Writes the pages of a file's run, or deletes them all if there is none. Returns the skus that this touches.
fn put_pages(store: &mut Store, file: i64, mut run: Option<Run>) -> Result<FileChanges> {
    let stored = store.page_digests(file)?;
    let pages = run.as_mut().map(Run::take_pages).transpose()?.unwrap_or_default();
    let diff = diff_pages(&pages, &stored);
    let differing = store.page_entries(file, &diff.differing)?;
    store.delete_pages(file, &diff.deleted)?;
    let row = |index: &usize| {
        let Page { first_sku, digest, entries, lines, .. } = &pages[*index];
        PageRow { first_sku, digest, entries, lines }
    };
    store.insert_pages(file, diff.inserted.iter().map(row))?;
    compare_pages(file, run, &pages, &diff, &differing)
        .with_context(|| format!("failed to compare file {file} with its stored pages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_reading_changes_with_the_columns_and_the_format_and_with_nothing_else() {
        let none = FormatSpec::default();
        let reading = |columns: &Columns, format: &FormatSpec| Feed::new(&[], columns).reading(format);
        let sku = |name: &str| Columns { sku: vec![name.to_owned()], ..Columns::default() };
        assert_eq!(reading(&sku("Item code"), &none), reading(&sku(" Item code "), &none));
        assert_ne!(reading(&sku("Item code"), &none), reading(&sku("Item"), &none));
        assert_ne!(reading(&Columns::default(), &none), reading(&sku("sku"), &none));
        let name = Columns { name: vec!["Item".to_owned()], ..Columns::default() };
        let own = |headers: &[&str]| {
            let headers = headers.iter().map(|header| (*header).to_owned()).collect();
            Columns { own: vec![OwnColumn { name: "price".to_owned(), headers }], ..Columns::default() }
        };
        assert_ne!(reading(&Columns::default(), &none), reading(&own(&[]), &none));
        assert_ne!(reading(&own(&["RRP"]), &none), reading(&own(&[]), &none));
        assert_ne!(reading(&sku("Item"), &none), reading(&name, &none));
        let tabs = FormatSpec { delimiter: Some("\t".into()), ..FormatSpec::default() };
        assert_ne!(reading(&name, &none), reading(&name, &tabs));
        assert_eq!(reading(&name, &tabs), reading(&name, &FormatSpec { files: vec!["*".into()], ..tabs }));
    }
}
