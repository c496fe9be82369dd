//! The table `reported_rejects`: rows that a report could not use. People read them through `inputs::reject_views`.

use diesel::prelude::*;

use crate::{
    Error, RejectRow, Store,
    database::{error::OrCannot, schema::reported_rejects::dsl},
    inputs::next_reject_id,
};

impl Store {
    /// As [`Store::replace_rejects`], for a file of a report.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn replace_report_rejects(&mut self, id: i64, whole_file: bool, rows: &[RejectRow]) -> Result<(), Error> {
        let action = || format!("replace the rejects of file {id} of a report");
        let before = dsl::reported_file_id.eq(id).and(dsl::whole_file.eq(whole_file));
        diesel::delete(dsl::reported_rejects.filter(before)).execute(&mut self.connection).or_cannot(action)?;
        let first = next_reject_id(&mut self.connection).or_cannot(action)?;
        for (reject_id, row) in (first..).zip(rows) {
            let values = (
                dsl::id.eq(reject_id),
                dsl::reported_file_id.eq(id),
                dsl::whole_file.eq(whole_file),
                dsl::line.eq(row.line),
                dsl::byte_offset.eq(row.byte_offset),
                dsl::reason.eq(&row.reason),
                dsl::raw.eq(&row.raw),
            );
            self.connection.run(diesel::insert_into(dsl::reported_rejects).values(values)).or_cannot(action)?;
        }
        Ok(())
    }
}
