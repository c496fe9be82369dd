//! The product feed as a reader: which files are feeds, how they are read, and the tables that it fills.

use anyhow::{Context, Result};
use serde_json::json;
use tributary_config::{PRODUCTS, ReportConfig};
use tributary_csv_gate::{Columns, OwnColumn};
use tributary_format_rules::rank_key;
use tributary_merge::{FileChanges, Page, Patch, PatchedPages, Run, compare_pages, diff_pages};
use tributary_protocol::{FormatSpec, ManifestEntry, Order};
use tributary_store::{PageRow, Store};

use super::{FeedRules, catalog::FIRST_OWN, parts::FileOffers};
use crate::input::{Rank, Reader, ResultLink, ResultTables};

/// The reader of a source's product feeds.
pub(crate) struct Feed<'a> {
    /// All reports: a file that one claims is a feed only if the report says so.
    reports: &'a [ReportConfig],
    /// Rules by which the feeds of the source are read.
    rules: &'a FeedRules,
}

impl<'a> Feed<'a> {
    /// The feeds beside these reports, in a source with these rules.
    pub(crate) fn new(reports: &'a [ReportConfig], rules: &'a FeedRules) -> Self {
        Self { reports, rules }
    }

    /// The part of a reading that names the own columns: ` ID:NAMES` for each. Which of them mattered can be seen by it.
    fn own_columns(&self) -> String {
        let named = |(column, id): (&OwnColumn, &i64)| {
            let headers = json!(mapped(&column.headers)).to_string();
            format!(" {id}:{}", &blake3::hash(headers.as_bytes()).to_hex()[..8])
        };
        self.rules.columns.own.iter().zip(&self.rules.ids).map(named).collect()
    }
}

/// Header names as they are compared.
fn mapped(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.trim().to_owned()).collect()
}

impl Reader for Feed<'_> {
    fn name(&self) -> String {
        PRODUCTS.to_owned()
    }

    fn claims(&self, path: &str) -> bool {
        self.reports.iter().filter(|report| report.claims(path)).all(|report| report.feed)
    }

    /// Changes whenever the same bytes could give other rows: with the column names, the checks, the file's format, the version of the
    /// gate's rules, and that of the stored pages. The own columns follow, each by itself.
    fn reading(&self, format: &FormatSpec) -> String {
        let FeedRules { columns: Columns { sku, name, description, op, own, newest }, checks, .. } = self.rules;
        let mut decides = json!({
            "role": "feed",
            "gate": tributary_csv_gate::FORMAT,
            "merge": tributary_merge::FORMAT_VERSION,
            "columns": [mapped(sku), mapped(name), mapped(description), mapped(op)],
        });
        if !checks.is_empty() {
            // A name in a check is a column of the catalog if there is one, and else a header.
            let meant = own.iter().zip(&self.rules.ids).filter(|(own, _)| self.rules.checks_name(&own.name));
            let meant: Vec<_> = meant.map(|(own, id)| (id, mapped(&own.headers))).collect();
            decides["check"] = json!([&**checks, meant]);
        }
        if let Some(newest) = newest {
            // The place of an own column among the texts may be that of another one later.
            let id = newest.checked_sub(FIRST_OWN).and_then(|own| self.rules.ids.get(own));
            decides["newest"] = id.map_or_else(|| json!([newest]), |id| json!(id));
        }
        if let Some(format) = format.digest() {
            decides["format"] = format.into();
        }
        let digest = blake3::hash(decides.to_string().as_bytes()).to_hex();
        format!("{}{}", &digest[..32], self.own_columns())
    }

    /// A file that was read for more columns is not read again because one of them is gone.
    fn is_read_so(&self, stored: &str, wanted: &str) -> bool {
        let parts = |reading: &'_ str| reading.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (stored, wanted) = (parts(stored), parts(wanted));
        stored.first() == wanted.first() && wanted.iter().all(|part| stored.contains(part))
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
    type Results = FileOffers;
    type Changes = FileChanges;

    fn write(store: &mut Store, file: i64, offers: FileOffers) -> Result<FileChanges> {
        match offers {
            FileOffers::Whole(run) => put_pages(store, file, Some(run)),
            FileOffers::Patch { patch, .. } => patch_pages(store, file, *patch),
        }
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
    store.insert_pages(file, diff.inserted.iter().map(|index| page_row(&pages[*index])))?;
    compare_pages(file, run, &pages, &diff, &differing)
        .with_context(|| format!("failed to compare file {file} with its stored pages"))
}

/// Changes the pages of a file of which only parts were read. Returns the skus that this touches.
fn patch_pages(store: &mut Store, file: i64, patch: Patch) -> Result<FileChanges> {
    let stored = store.page_digests(file)?;
    let touched = patch.touched_pages(&stored)?;
    let first_skus: Vec<&str> = touched.iter().map(|page| stored[*page].0.as_str()).collect();
    let contents = store.page_contents(file, &first_skus)?;
    let PatchedPages { deleted, inserted, changes } = patch
        .apply(file, &stored, &touched, &contents)
        .with_context(|| format!("failed to change the stored pages of file {file}"))?;
    store.delete_pages(file, &deleted)?;
    store.insert_pages(file, inserted.iter().map(page_row))?;
    Ok(changes)
}

fn page_row(Page { first_sku, digest, entries, lines, .. }: &Page) -> PageRow<'_> {
    PageRow { first_sku, digest, entries, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(columns: Columns) -> FeedRules {
        let ids = (1..).take(columns.own.len()).collect();
        FeedRules { columns, ids, ..FeedRules::default() }
    }

    fn reading(columns: &Columns, format: &FormatSpec) -> String {
        Feed::new(&[], &rules(columns.clone())).reading(format)
    }

    #[test]
    fn its_reading_changes_with_the_columns_and_the_format_and_with_nothing_else() {
        let none = FormatSpec::default();
        let sku = |name: &str| Columns { sku: vec![name.to_owned()], ..Columns::default() };
        assert_eq!(reading(&sku("Item code"), &none), reading(&sku(" Item code "), &none));
        assert_ne!(reading(&sku("Item code"), &none), reading(&sku("Item"), &none));
        assert_ne!(reading(&Columns::default(), &none), reading(&sku("sku"), &none));
        let name = Columns { name: vec!["Item".to_owned()], ..Columns::default() };
        assert_ne!(reading(&sku("Item"), &none), reading(&name, &none));
        let tabs = FormatSpec { delimiter: Some("\t".into()), ..FormatSpec::default() };
        assert_ne!(reading(&name, &none), reading(&name, &tabs));
        assert_eq!(reading(&name, &tabs), reading(&name, &FormatSpec { files: vec!["*".into()], ..tabs }));
        assert_ne!(reading(&name, &none), reading(&Columns { newest: Some(2), ..name.clone() }, &none));
        let checked = FeedRules { checks: ["price > 0".to_owned()].into(), ..rules(name.clone()) };
        assert_ne!(reading(&name, &none), Feed::new(&[], &checked).reading(&none));
    }

    #[test]
    fn a_file_is_read_again_for_a_new_column_and_not_for_one_that_is_gone() {
        let own = |columns: &[(i64, &str)]| {
            let own = |(_, header): &(i64, &str)| OwnColumn { name: "price".into(), headers: vec![(*header).into()] };
            let columns_of = Columns { own: columns.iter().map(own).collect(), ..Columns::default() };
            FeedRules { ids: columns.iter().map(|(id, _)| *id).collect(), ..rules(columns_of) }
        };
        let is_read_so = |stored: &[(i64, &str)], wanted: &[(i64, &str)]| {
            let format = FormatSpec::default();
            let (stored, wanted) = (own(stored), own(wanted));
            let feed = Feed::new(&[], &wanted);
            feed.is_read_so(&Feed::new(&[], &stored).reading(&format), &feed.reading(&format))
        };
        assert!(is_read_so(&[], &[]));
        assert!(is_read_so(&[(1, "RRP"), (2, "Stock")], &[(1, "RRP"), (2, "Stock")]));
        assert!(is_read_so(&[(1, "RRP"), (2, "Stock")], &[(2, "Stock")]));
        assert!(is_read_so(&[(1, "RRP"), (2, "Stock")], &[]));
        assert!(!is_read_so(&[], &[(1, "RRP")]));
        assert!(!is_read_so(&[(1, "RRP")], &[(2, "RRP")]));
        assert!(!is_read_so(&[(1, "RRP")], &[(1, "Price")]));
    }
}
