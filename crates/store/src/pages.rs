//! The pages of a file: the sorted list of what it offers, in pieces. What the bytes in a page mean is the merge's
//! affair; here they are stored and found.

use diesel::prelude::*;

use crate::{
    Error, Store,
    error::{Doing, exactly_one},
    schema::pages::dsl,
};

/// One page of a file, to be stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageRow<'a> {
    /// The least sku in it, which is its key within the file.
    pub first_sku: &'a str,
    /// What tells this page from another content of it; the merge says how it is made.
    pub digest: &'a [u8],
    /// Skus and content hashes.
    pub entries: &'a [u8],
    /// Where the rows stand in the file: for whoever shows all offers of a sku.
    pub lines: &'a [u8],
}

/// Entries and lines of one page.
pub type PageContent = (Vec<u8>, Vec<u8>);

impl Store {
    /// First sku and digest of every page of a file, by first sku. Reads none of the large columns.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn page_digests(&mut self, file_id: i64) -> Result<Vec<(String, Vec<u8>)>, Error> {
        dsl::pages
            .filter(dsl::file_id.eq(file_id))
            .select((dsl::first_sku, dsl::digest))
            .order(dsl::first_sku)
            .load(&mut self.connection)
            .doing(|| format!("read the page digests of file {file_id}"))
    }

    /// The entries of some pages of a file, in the order in which they are named.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page is not there.
    pub fn page_entries(&mut self, file_id: i64, first_skus: &[String]) -> Result<Vec<Vec<u8>>, Error> {
        let connection = &mut self.connection;
        let read = |first_sku: &String| {
            dsl::pages
                .filter(dsl::file_id.eq(file_id).and(dsl::first_sku.eq(first_sku)))
                .select(dsl::entries)
                .first(connection)
                .optional()
                .doing(|| format!("read the page {first_sku:?} of file {file_id}"))?
                .ok_or_else(|| Error::Corrupt { what: no_page(file_id, first_sku) })
        };
        first_skus.iter().map(read).collect()
    }

    /// Entries and lines of the page in which a sku stands if the file offers it: the one with the greatest first sku
    /// that is not greater. `None` if every page begins behind it.
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
            .doing(|| format!("read the page of {sku:?} in file {file_id}"))
    }

    /// Stores new pages of a file.
    ///
    /// # Errors
    /// [`Error::Query`], when a page of that first sku is there above all.
    pub fn insert_pages<'a>(
        &mut self,
        file_id: i64,
        pages: impl IntoIterator<Item = PageRow<'a>>,
    ) -> Result<(), Error> {
        for page in pages {
            let values = (
                dsl::file_id.eq(file_id),
                dsl::first_sku.eq(page.first_sku),
                dsl::digest.eq(page.digest),
                dsl::entries.eq(page.entries),
                dsl::lines.eq(page.lines),
            );
            self.connection
                .run(diesel::insert_into(dsl::pages).values(values))
                .doing(|| format!("insert the page {:?} of file {file_id}", page.first_sku))?;
        }
        Ok(())
    }

    /// Deletes some pages of a file.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a page is not there.
    pub fn delete_pages(&mut self, file_id: i64, first_skus: &[String]) -> Result<(), Error> {
        for first_sku in first_skus {
            let deleted = diesel::delete(dsl::pages.filter(dsl::file_id.eq(file_id).and(dsl::first_sku.eq(first_sku))))
                .execute(&mut self.connection)
                .doing(|| format!("delete the page {first_sku:?} of file {file_id}"))?;
            exactly_one(deleted, || no_page(file_id, first_sku))?;
        }
        Ok(())
    }
}

fn no_page(file_id: i64, first_sku: &str) -> String {
    format!("`pages` has no page {first_sku:?} for file {file_id}")
}
