//! The table `exports`: what was last written to S3 or a folder. There is a row per report, and two more.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{
        error::OrCannot,
        schema::exports::{self, dsl},
    },
};

/// A list or a report as it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = exports)]
pub struct ExportRow {
    /// `products`, `aggr` or `reports/NAME`.
    pub name: String,
    /// The place that it was written to.
    pub url: String,
    /// The names of its columns, as JSON.
    pub header: String,
    /// It has all changes up to this event.
    pub event_id: i64,
    /// Bytes of all its files.
    pub bytes: i64,
    /// When it was written, RFC 3339.
    pub written_at: String,
}

impl Store {
    /// All of them, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn exports(&mut self) -> Result<Vec<ExportRow>, Error> {
        let select = dsl::exports.select(ExportRow::as_select()).order(dsl::name);
        select.load(&mut self.connection).or_cannot(|| "read what was exported")
    }

    /// Notes what was written, in place of what was written before. Call it in a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_export(&mut self, row: &ExportRow) -> Result<(), Error> {
        let action = || format!("note that {:?} was exported", row.name);
        diesel::delete(dsl::exports.find(&row.name)).execute(&mut self.connection).or_cannot(action)?;
        diesel::insert_into(dsl::exports).values(row).execute(&mut self.connection).or_cannot(action)?;
        Ok(())
    }

    /// Notes that these have all changes up to an event: none of the events before it concerned them.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn note_exports_current(&mut self, names: &[String], event: i64) -> Result<(), Error> {
        let these = dsl::exports.filter(dsl::name.eq_any(names));
        let update = diesel::update(these).set(dsl::event_id.eq(event));
        update.execute(&mut self.connection).or_cannot(|| "note which exports are current")?;
        Ok(())
    }
}
