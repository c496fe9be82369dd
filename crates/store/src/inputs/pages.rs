//! The table `pages`: the sorted list of a file's offers, cut into pages. The merge defines the bytes of a page; here they are
//! stored and found.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::{OrCannot, exactly_one},
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

    /// The entries of some pages of a file, in the order of `first_skus`.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page does not exist.
    pub fn page_entries(&mut self, file_id: i64, first_skus: &[String]) -> Result<Vec<Vec<u8>>, Error> {
        let connection = &mut self.connection;
        let read = |first_sku: &String| {
            dsl::pages
                .filter(dsl::file_id.eq(file_id).and(dsl::first_sku.eq(first_sku)))
                .select(dsl::entries)
                .first(connection)
                .optional()
                .or_cannot(|| format!("read the page {first_sku:?} of file {file_id}"))?
                .ok_or_else(|| Error::Corrupt { what: no_page(file_id, first_sku) })
        };
        first_skus.iter().map(read).collect()
    }

    /// Entries and lines of some pages of a file, in the order of `first_skus`.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page does not exist.
    pub fn page_contents(&mut self, file_id: i64, first_skus: &[&str]) -> Result<Vec<PageContent>, Error> {
        let connection = &mut self.connection;
        let read = |first_sku: &&str| {
            dsl::pages
                .filter(dsl::file_id.eq(file_id).and(dsl::first_sku.eq(first_sku)))
                .select((dsl::entries, dsl::lines))
                .first(connection)
                .optional()
                .or_cannot(|| format!("read the page {first_sku:?} of file {file_id}"))?
                .ok_or_else(|| Error::Corrupt { what: no_page(file_id, first_sku) })
        };
        first_skus.iter().map(read).collect()
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
        for first_sku in first_skus {
            let deleted = diesel::delete(dsl::pages.filter(dsl::file_id.eq(file_id).and(dsl::first_sku.eq(first_sku))))
                .execute(&mut self.connection)
                .or_cannot(|| format!("delete the page {first_sku:?} of file {file_id}"))?;
            exactly_one(deleted, || no_page(file_id, first_sku))?;
        }
        Ok(())
    }
}

/// Pages in a statement, each of some 20 KiB: they are copied into it.
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

fn no_page(file_id: i64, first_sku: &str) -> String {
    format!("`pages` has no page {first_sku:?} for file {file_id}")
}
