//! The table `edits`: corrections by people and programs, at most one per sku. How an edit changes a product is up to the merge.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::edits::dsl},
};

/// One edit.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::edits)]
pub struct EditRow {
    /// The key.
    pub sku: String,
    /// Replaces the winner's name; `None` keeps it.
    pub name: Option<String>,
    /// Replaces the winner's description; `None` keeps it.
    pub description: Option<String>,
    /// Replaces the texts of own columns: as `own_edits` writes them, also of columns that the catalog no longer has.
    pub own: Option<String>,
    /// True if the product is hidden.
    pub hidden: bool,
    /// True if the product is shown even though no source offers it.
    pub stands: bool,
    /// Time of the last change.
    pub edited_at: String,
}

impl Store {
    /// The edit of a sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edit(&mut self, sku: &str) -> Result<Option<EditRow>, Error> {
        dsl::edits
            .filter(dsl::sku.eq(sku))
            .select(EditRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the edit of {sku:?}"))
    }

    /// At most `limit` edits, by sku; with `sku` only that one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_view(&mut self, sku: Option<&str>, limit: i64) -> Result<Vec<EditRow>, Error> {
        let query = dsl::edits.select(EditRow::as_select()).order(dsl::sku).limit(limit);
        match sku {
            Some(sku) => query.filter(dsl::sku.eq(sku)).load(&mut self.connection),
            None => query.load(&mut self.connection),
        }
        .or_cannot(|| "read the edits")
    }

    /// The number of edits; with `sku`, 1 if that sku has one and 0 otherwise.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edits_count(&mut self, sku: Option<&str>) -> Result<i64, Error> {
        match sku {
            Some(sku) => dsl::edits.filter(dsl::sku.eq(sku)).count().get_result(&mut self.connection),
            None => dsl::edits.count().get_result(&mut self.connection),
        }
        .or_cannot(|| "count the edits")
    }

    /// The skus with an edit, in order: at most `limit` after the sku `after`, or from the first on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn edited_skus(&mut self, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        let skus = dsl::edits.select(dsl::sku).order(dsl::sku).limit(limit);
        match after {
            Some(after) => skus.filter(dsl::sku.gt(after)).load(&mut self.connection),
            None => skus.load(&mut self.connection),
        }
        .or_cannot(|| "read the edited skus")
    }

    /// Stores an edit, in place of an earlier one of the same sku.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_edit(&mut self, edit: &EditRow) -> Result<(), Error> {
        let action = || format!("store the edit of {:?}", edit.sku);
        let values = (
            dsl::name.eq(edit.name.as_deref()),
            dsl::description.eq(edit.description.as_deref()),
            dsl::own.eq(edit.own.as_deref()),
            dsl::hidden.eq(edit.hidden),
            dsl::stands.eq(edit.stands),
            dsl::edited_at.eq(&edit.edited_at),
        );
        let changed = diesel::update(dsl::edits.filter(dsl::sku.eq(&edit.sku)))
            .set(values)
            .execute(&mut self.connection)
            .or_cannot(action)?;
        if changed == 0 {
            diesel::insert_into(dsl::edits)
                .values((dsl::sku.eq(&edit.sku), values))
                .execute(&mut self.connection)
                .or_cannot(action)?;
        }
        Ok(())
    }

    /// Deletes the edit of a sku, and returns true if there was one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_edit(&mut self, sku: &str) -> Result<bool, Error> {
        let deleted = diesel::delete(dsl::edits.filter(dsl::sku.eq(sku)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the edit of {sku:?}"))?;
        Ok(deleted > 0)
    }
}
