//! The table `pages`: the sorted list of a file's offers, cut into pages. The merge defines the bytes of a page; here they are
//! stored and found.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::{OrCannot, all_of},
        schema::pages::dsl,
    },
};

/// One page of a file, to be stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageRow<'a> {
    /// Its first sku, which is its key within the file.
    pub first_sku: &'a str,
    /// Digest of its content, as the merge computes it.
    pub digest: &'a [u8],
    /// Skus and content hashes.
    pub entries: &'a [u8],
    /// The positions of the rows in the file, shown with the offers of a sku.
    pub lines: &'a [u8],
}

/// Entries and lines of one page.
pub type PageContent = (Vec<u8>, Vec<u8>);

/// Reads columns of some pages of a file, in the order of their first skus. A server takes as long for one page as for many.
macro_rules! columns_of_pages {
    ($store:ident, $file_id:ident, $first_skus:ident, $columns:expr) => {{
        let mut contents = Vec::with_capacity($first_skus.len());
        for some in $first_skus.chunks(PAGES_PER_QUERY) {
            let mut found: HashMap<String, _> = dsl::pages
                .filter(dsl::file_id.eq($file_id).and(dsl::first_sku.eq_any(some)))
                .select((dsl::first_sku, $columns))
                .load(&mut $store.connection)
                .or_cannot(|| format!("read pages of file {}", $file_id))?
                .into_iter()
                .collect();
            for first_sku in some {
                let missing = || Error::Corrupt { what: no_page($file_id, first_sku) };
                contents.push(found.remove(&**first_sku).ok_or_else(missing)?);
            }
        }
        Ok(contents)
    }};
}

impl Store {
    /// First sku and digest of each page of a file, by first sku. Reads none of the large columns.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn page_digests(&mut self, file_id: i64) -> Result<Vec<(String, Vec<u8>)>, Error> {
        dsl::pages
            .filter(dsl::file_id.eq(file_id))
            .select((dsl::first_sku, dsl::digest))
            .order(dsl::first_sku)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the page digests of file {file_id}"))
    }

    /// The entries of some pages of a file, in the order of `first_skus`, which are unique.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page does not exist.
    pub fn page_entries(&mut self, file_id: i64, first_skus: &[String]) -> Result<Vec<Vec<u8>>, Error> {
        columns_of_pages!(self, file_id, first_skus, dsl::entries)
    }

    /// Entries and lines of some pages of a file, in the order of `first_skus`, which are unique.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page does not exist.
    pub fn page_contents(&mut self, file_id: i64, first_skus: &[&str]) -> Result<Vec<PageContent>, Error> {
        columns_of_pages!(self, file_id, first_skus, (dsl::entries, dsl::lines))
    }

    /// Entries and lines of the page that holds a sku if the file offers it: the last page that does not begin after the sku.
    /// `None` if all pages begin after it.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn page_lines(&mut self, file_id: i64, sku: &str) -> Result<Option<PageContent>, Error> {
        dsl::pages
            .filter(dsl::file_id.eq(file_id).and(dsl::first_sku.le(sku)))
            .select((dsl::entries, dsl::lines))
            .order(dsl::first_sku.desc())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the page of {sku:?} in file {file_id}"))
    }

    /// Stores new pages of a file.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when a page with the same first sku exists already.
    pub fn insert_pages<'a>(
        &mut self,
        file_id: i64,
        pages: impl IntoIterator<Item = PageRow<'a>>,
    ) -> Result<(), Error> {
        let mut pages = pages.into_iter().map(|page| Inserted { page, file_id });
        loop {
            let some: Vec<_> = pages.by_ref().take(PAGES_PER_STATEMENT).collect();
            if some.is_empty() {
                return Ok(());
            }
            self.bulk(&some, |Inserted { page, .. }| {
                format!("insert the page {:?} of file {file_id}", page.first_sku)
            })?;
        }
    }

    /// Deletes some pages of a file.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page does not exist.
    pub fn delete_pages(&mut self, file_id: i64, first_skus: &[String]) -> Result<(), Error> {
        let keys: Vec<_> = first_skus.iter().map(|first_sku| PageKey(file_id, first_sku)).collect();
        let deleted =
            self.bulk(&keys, |PageKey(_, first_sku)| format!("delete the page {first_sku:?} of file {file_id}"))?;
        all_of(&keys, deleted, |PageKey(_, first_sku)| no_page(file_id, first_sku))
    }
}

/// Pages in a query, each of some 20 KiB.
const PAGES_PER_QUERY: usize = 64;
/// Pages in a statement, which are copied into it.
const PAGES_PER_STATEMENT: usize = 16;

/// A page to insert.
struct Inserted<'a> {
    page: PageRow<'a>,
    file_id: i64,
}

impl Bulk for Inserted<'_> {
    type Kind = Inserted<'static>;
    const CHANGE: Change = Change::Insert {
        table: "pages",
        columns: &["first_sku", "digest", "entries", "lines", "file_id"],
        on_conflict: "",
        scattered: false,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        let PageRow { first_sku, digest, entries, lines } = self.page;
        out.text(first_sku)?;
        [digest, entries, lines].into_iter().try_for_each(|bytes| out.bytes(bytes))
    }

    fn push_shared<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.number(&self.file_id)
    }
}

/// The key of a page to delete.
struct PageKey<'a>(i64, &'a str);

impl Bulk for PageKey<'_> {
    type Kind = PageKey<'static>;
    const CHANGE: Change = Change::Delete { table: "pages", key: &["file_id", "first_sku"] };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.number(&self.0)?;
        out.text(self.1)
    }
}

fn no_page(file_id: i64, first_sku: &str) -> String {
    format!("`pages` has no page {first_sku:?} for file {file_id}")
}
