//! The table `rejects`: rows that could not be used, with their file and position.

use diesel::{dsl::max, prelude::*};

use crate::{
    Error, Store,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
        schema::rejects::dsl,
    },
};

/// One rejected row.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectRow {
    /// The line where the row begins, counted from 1.
    pub line: i64,
    /// The byte where the row begins in the unpacked file, counted from 0.
    pub byte_offset: i64,
    /// The reason why it could not be used.
    pub reason: String,
    /// The raw text, cut at 1 KiB.
    pub raw: String,
}

impl Store {
    /// Replaces a file's rejects of one kind: those of its accepted content, or, with `whole_file`, those of the content that was
    /// rejected as a whole. They are read back in the order of `rows`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn replace_rejects(&mut self, file_id: i64, whole_file: bool, rows: &[RejectRow]) -> Result<(), Error> {
        let action = || format!("replace the rejects of file {file_id}");
        diesel::delete(dsl::rejects.filter(dsl::file_id.eq(file_id).and(dsl::whole_file.eq(whole_file))))
            .execute(&mut self.connection)
            .or_cannot(action)?;
        if rows.is_empty() {
            return Ok(());
        }
        let newest: Option<i64> = dsl::rejects.select(max(dsl::id)).first(&mut self.connection).or_cannot(action)?;
        let ids = newest.unwrap_or_default() + 1..;
        let rows: Vec<_> = ids.zip(rows).map(|(id, row)| Inserted { id, row, file_id, whole_file }).collect();
        self.bulk(&rows, |_| action()).map(drop)
    }
}

/// A reject to insert.
struct Inserted<'a> {
    id: i64,
    row: &'a RejectRow,
    file_id: i64,
    whole_file: bool,
}

impl Bulk for Inserted<'_> {
    type Kind = Inserted<'static>;
    const CHANGE: Change = Change::Insert {
        table: "rejects",
        columns: &["id", "line", "byte_offset", "reason", "raw", "file_id", "whole_file"],
        on_conflict: "",
        scattered: false,
    };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        let RejectRow { line, byte_offset, reason, raw } = self.row;
        [&self.id, line, byte_offset].into_iter().try_for_each(|number| out.number(number))?;
        [reason, raw].into_iter().try_for_each(|text| out.text(text))
    }

    fn push_shared<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.number(&self.file_id)?;
        out.flag(&self.whole_file)
    }
}
