//! Rows that could not be used, kept with the file and the place they came from.

use diesel::{dsl::max, prelude::*};

use crate::{
    Error, Store,
    connection::AnyConnection,
    error::Doing,
    schema::{rejects::dsl, reported_rejects},
};

/// One row that was set aside.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectRow {
    /// The line on which the row begins; the first line is 1.
    pub line: i64,
    /// Where the row begins in the unpacked file; the first byte is 0.
    pub byte_offset: i64,
    /// Why it could not be used.
    pub reason: String,
    /// What stood there, cut at 1 KiB.
    pub raw: String,
}

impl Store {
    /// Replaces a file's rejects of one kind: those of its accepted content, or, with `whole_file`, those of the
    /// content that was rejected as a whole. They are read again in the order in which they are given.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn replace_rejects(&mut self, file_id: i64, whole_file: bool, rows: &[RejectRow]) -> Result<(), Error> {
        let action = || format!("replace the rejects of file {file_id}");
        diesel::delete(dsl::rejects.filter(dsl::file_id.eq(file_id).and(dsl::whole_file.eq(whole_file))))
            .execute(&mut self.connection)
            .doing(action)?;
        let first = next_reject_id(&mut self.connection).doing(action)?;
        for (id, row) in (first..).zip(rows) {
            diesel::insert_into(dsl::rejects)
                .values((
                    dsl::id.eq(id),
                    dsl::file_id.eq(file_id),
                    dsl::whole_file.eq(whole_file),
                    dsl::line.eq(row.line),
                    dsl::byte_offset.eq(row.byte_offset),
                    dsl::reason.eq(&row.reason),
                    dsl::raw.eq(&row.raw),
                ))
                .execute(&mut self.connection)
                .doing(action)?;
        }
        Ok(())
    }
}

/// The next number of a reject. Those of reports are counted on together with the others, so that the newest of both can be told.
pub(crate) fn next_reject_id(connection: &mut AnyConnection) -> QueryResult<i64> {
    let newest: Option<i64> = dsl::rejects.select(max(dsl::id)).first(connection)?;
    let of_reports: Option<i64> = reported_rejects::table.select(max(reported_rejects::id)).first(connection)?;
    Ok(newest.max(of_reports).unwrap_or_default() + 1)
}
