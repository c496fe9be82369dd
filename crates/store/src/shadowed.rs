//! Writing `shadowed`, the offers that are not shown as they came. Reading it for the merge is in `state`.

use std::slice;

use diesel::prelude::*;

use crate::error::{Doing, exactly_one};
use crate::schema::shadowed::dsl;
use crate::{Error, Store};

/// One offer that is not shown as it came.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::shadowed)]
pub struct ShadowedRow {
    /// First part of the key.
    pub sku: String,
    /// The file that makes the offer; second part of the key.
    pub file_id: i64,
    /// Whether the offer takes the sku away; name and description are empty then.
    pub deletes: bool,
    /// As offered.
    pub name: String,
    /// As offered.
    pub description: String,
}

impl Store {
    /// Inserts offers. Give them in key order: the tree then grows at its end.
    ///
    /// # Errors
    /// [`Error::Query`], when a key is there above all.
    pub fn insert_shadowed(&mut self, rows: &[ShadowedRow]) -> Result<(), Error> {
        for row in rows {
            let values = (
                dsl::sku.eq(&row.sku),
                dsl::file_id.eq(row.file_id),
                dsl::deletes.eq(row.deletes),
                dsl::name.eq(&row.name),
                dsl::description.eq(&row.description),
            );
            self.connection
                .run(diesel::insert_into(dsl::shadowed).values(values))
                .doing(|| format!("insert {:?} of file {} into shadowed", row.sku, row.file_id))?;
        }
        Ok(())
    }

    /// Stores every column of offers anew, found by their key.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key is not there.
    pub fn update_shadowed(&mut self, rows: &[ShadowedRow]) -> Result<(), Error> {
        // Not by UPDATE, for the reason given at `update_products`.
        for row in rows {
            self.delete_shadowed(&[(row.sku.clone(), row.file_id)])?;
            self.insert_shadowed(slice::from_ref(row))?;
        }
        Ok(())
    }

    /// Deletes offers by (sku, file id).
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a key is not there.
    pub fn delete_shadowed(&mut self, keys: &[(String, i64)]) -> Result<(), Error> {
        for (sku, file_id) in keys {
            let key = dsl::sku.eq(sku).and(dsl::file_id.eq(file_id));
            let deleted = self
                .connection
                .run(diesel::delete(dsl::shadowed.filter(key)))
                .doing(|| format!("delete {sku:?} of file {file_id} from shadowed"))?;
            exactly_one(deleted, || no_offer(sku, *file_id))?;
        }
        Ok(())
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

fn no_offer(sku: &str, file_id: i64) -> String {
    format!("`shadowed` has no row for sku {sku:?} of file {file_id}")
}
