//! Writing `shadowed`, the offers that are not shown as they came. Reading it for the merge is in `state`.

use diesel::{
    prelude::*,
    query_builder::AstPass,
    sql_types::{BigInt, Bool, Text},
    sqlite::Sqlite,
};

use crate::{
    Error, Store,
    bulk::{Bulk, push_pair},
    error::{Doing, all_of},
    schema::shadowed::dsl,
};

/// One offer that is not shown as it came. `T` is as in [`crate::ProductRow`].
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ShadowedRow<T = String> {
    /// First part of the key.
    pub sku: T,
    /// The file that makes the offer; second part of the key.
    pub file_id: i64,
    /// Whether the offer takes the sku away; name and description are empty then.
    pub deletes: bool,
    /// As offered.
    pub name: T,
    /// As offered.
    pub description: T,
}

impl Store {
    /// Inserts offers. Give them in key order: the tree then grows at its end.
    ///
    /// # Errors
    /// [`Error::Query`], when a key is there above all.
    pub fn insert_shadowed<T: AsRef<str>>(&mut self, rows: &[ShadowedRow<T>]) -> Result<(), Error> {
        let action =
            |row: &ShadowedRow<T>| format!("insert {:?} of file {} into shadowed", row.sku.as_ref(), row.file_id);
        self.bulk(rows, action).map(drop)
    }

    /// Stores every column of offers anew, found by their key.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key is not there.
    pub fn update_shadowed<T: AsRef<str>>(&mut self, rows: &[ShadowedRow<T>]) -> Result<(), Error> {
        let keys: Vec<_> = rows.iter().map(|row| (row.sku.as_ref(), row.file_id)).collect();
        self.delete_shadowed(&keys)?;
        self.insert_shadowed(rows)
    }

    /// Deletes offers by (sku, file id).
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key is not there.
    pub fn delete_shadowed<T: AsRef<str>>(&mut self, keys: &[(T, i64)]) -> Result<(), Error> {
        let keys: Vec<_> = keys.iter().map(|(sku, file_id)| Key(sku.as_ref(), *file_id)).collect();
        let action = |Key(sku, file_id): &Key<'_>| format!("delete {sku:?} of file {file_id} from shadowed");
        let deleted = self.bulk(&keys, action)?;
        all_of(&keys, deleted, |Key(sku, file_id)| format!("`shadowed` has no row for sku {sku:?} of file {file_id}"))
    }

    /// The skus with an offer in `shadowed`, each once, in order: those whose winner may change when priorities do.
    /// At most `limit` behind `after`; `None` begins at the first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn contested_skus(&mut self, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        let skus = dsl::shadowed.select(dsl::sku).distinct().order(dsl::sku).limit(limit);
        match after {
            Some(after) => skus.filter(dsl::sku.gt(after)).load(&mut self.connection),
            None => skus.load(&mut self.connection),
        }
        .doing(|| "read the contested skus")
    }
}

impl<T: AsRef<str>> Bulk for ShadowedRow<T> {
    type Kind = ShadowedRow<&'static str>;
    const BEFORE: &'static str = "INSERT INTO shadowed (sku, file_id, deletes, name, description) VALUES ";
    const AFTER: &'static str = "";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(");
        out.push_bind_param::<Text, _>(self.sku.as_ref())?;
        out.push_sql(",");
        out.push_bind_param::<BigInt, _>(&self.file_id)?;
        out.push_sql(",");
        out.push_bind_param::<Bool, _>(&self.deletes)?;
        out.push_sql(",");
        out.push_bind_param::<Text, _>(self.name.as_ref())?;
        out.push_sql(",");
        out.push_bind_param::<Text, _>(self.description.as_ref())?;
        out.push_sql(")");
        Ok(())
    }
}

/// An offer to delete.
struct Key<'a>(&'a str, i64);

impl Bulk for Key<'_> {
    type Kind = Key<'static>;
    const BEFORE: &'static str = "DELETE FROM shadowed WHERE (sku, file_id) IN (VALUES ";
    const AFTER: &'static str = ")";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_pair(out, self.0, &self.1)
    }
}
