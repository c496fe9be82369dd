//! The edits: what people and programs changed, at most one a sku. What an edit shows is the merge's affair.

use diesel::prelude::*;

use crate::{Error, Store, error::Doing, schema::edits::dsl};

/// One edit.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::edits)]
pub struct EditRow {
    /// The key.
    pub sku: String,
    /// The name that is laid over the winner's; `None` leaves the winner's.
    pub name: Option<String>,
    /// The description that is laid over the winner's; `None` leaves the winner's.
    pub description: Option<String>,
    /// Whether the sku is not shown.
    pub hidden: bool,
    /// Whether the product is shown though no source offers it.
    pub stands: bool,
    /// When the edit was last changed.
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
            .doing(|| format!("read the edit of {sku:?}"))
    }

    /// Stores an edit in place of the one before, if there was one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_edit(&mut self, edit: &EditRow) -> Result<(), Error> {
        let action = || format!("store the edit of {:?}", edit.sku);
        let put = (
            dsl::name.eq(edit.name.as_deref()),
            dsl::description.eq(edit.description.as_deref()),
            dsl::hidden.eq(edit.hidden),
            dsl::stands.eq(edit.stands),
            dsl::edited_at.eq(&edit.edited_at),
        );
        let changed = diesel::update(dsl::edits.filter(dsl::sku.eq(&edit.sku)))
            .set(put)
            .execute(&mut self.connection)
            .doing(action)?;
        if changed == 0 {
            diesel::insert_into(dsl::edits)
                .values((dsl::sku.eq(&edit.sku), put))
                .execute(&mut self.connection)
                .doing(action)?;
        }
        Ok(())
    }

    /// Deletes the edit of a sku; gives whether there was one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn delete_edit(&mut self, sku: &str) -> Result<bool, Error> {
        let deleted = diesel::delete(dsl::edits.filter(dsl::sku.eq(sku)))
            .execute(&mut self.connection)
            .doing(|| format!("delete the edit of {sku:?}"))?;
        Ok(deleted > 0)
    }
}
