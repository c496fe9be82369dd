//! Writes to the table `shadowed`, the offers that are not shown as offered. The merge reads it through `sku_rows`.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::{OrCannot, all_of},
        schema::shadowed::dsl,
    },
};

/// One offer that is not shown as offered. `T` is as in [`crate::ProductRow`].
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ShadowedRow<T = String> {
    /// First part of the key.
    pub sku: T,
    /// The file of the offer; second part of the key.
    pub file_id: i64,
    /// True if the offer deletes the sku. Name and description are empty then.
    pub deletes: bool,
    /// As offered.
    pub name: T,
    /// As offered.
    pub description: T,
    /// The texts of own columns, as `write_own` writes them.
    pub own: Option<T>,
}

impl Store {
    /// Inserts offers. In key order this is fastest: the tree then grows at its end.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when a key exists already.
    pub fn insert_shadowed<T: AsRef<str>>(&mut self, rows: &[ShadowedRow<T>]) -> Result<(), Error> {
        let action =
            |row: &ShadowedRow<T>| format!("insert {:?} of file {} into shadowed", row.sku.as_ref(), row.file_id);
        self.bulk(rows, action).map(drop)
    }

    /// Replaces all columns of offers, found by their key.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key does not exist.
    pub fn update_shadowed<T: AsRef<str>>(&mut self, rows: &[ShadowedRow<T>]) -> Result<(), Error> {
        let keys: Vec<_> = rows.iter().map(|row| (row.sku.as_ref(), row.file_id)).collect();
        self.delete_shadowed(&keys)?;
        self.insert_shadowed(rows)
    }

    /// Deletes offers by (sku, file id).
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key does not exist.
    pub fn delete_shadowed<T: AsRef<str>>(&mut self, keys: &[(T, i64)]) -> Result<(), Error> {
        let keys: Vec<_> = keys.iter().map(|(sku, file_id)| OfferKey(sku.as_ref(), *file_id)).collect();
        let action = |OfferKey(sku, file_id): &OfferKey<'_>| format!("delete {sku:?} of file {file_id} from shadowed");
        let deleted = self.bulk(&keys, action)?;
        let missing =
            |OfferKey(sku, file_id): &OfferKey<'_>| format!("`shadowed` has no row for sku {sku:?} of file {file_id}");
        all_of(&keys, deleted, missing)
    }

    /// The skus with an offer in `shadowed`, each once, in order: the ones whose winner may change with the priorities. At most
    /// `limit` after the sku `after`, or from the first on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn contested_skus(&mut self, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        let skus = dsl::shadowed.select(dsl::sku).distinct().order(dsl::sku).limit(limit);
        match after {
            Some(after) => skus.filter(dsl::sku.gt(after)).load(&mut self.connection),
            None => skus.load(&mut self.connection),
        }
        .or_cannot(|| "read the contested skus")
    }
}

impl<T: AsRef<str>> Bulk for ShadowedRow<T> {
    type Kind = ShadowedRow<&'static str>;
    const CHANGE: Change = Change::Insert {
        table: "shadowed",
        columns: &["sku", "file_id", "deletes", "name", "description", "own"],
        on_conflict: "",
        scattered: false,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.sku.as_ref())?;
        out.number(&self.file_id)?;
        out.flag(&self.deletes)?;
        out.text(self.name.as_ref())?;
        out.text(self.description.as_ref())?;
        out.optional_text(self.own.as_ref().map(AsRef::as_ref))
    }
}

/// The key of an offer to delete.
struct OfferKey<'a>(&'a str, i64);

impl Bulk for OfferKey<'_> {
    type Kind = OfferKey<'static>;
    const CHANGE: Change = Change::Delete { table: "shadowed", key: &["sku", "file_id"] };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.0)?;
        out.number(&self.1)
    }
}
