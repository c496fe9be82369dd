//! The table `partials`: the partial of each file of a report, cut into pieces.

use diesel::prelude::*;

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::partials::dsl},
};

impl Store {
    /// Deletes the partial of a file.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn clear_partial(&mut self, id: i64) -> Result<(), Error> {
        diesel::delete(dsl::partials.filter(dsl::file_id.eq(id)))
            .execute(&mut self.connection)
            .or_cannot(|| format!("delete the partial of file {id}"))?;
        Ok(())
    }

    /// Stores one piece of a file's partial. Pieces are numbered from 0 and read back in that order.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when the piece exists already.
    pub fn add_partial_piece(&mut self, id: i64, part_no: i64, piece: &[u8]) -> Result<(), Error> {
        let values = (dsl::file_id.eq(id), dsl::part_no.eq(part_no), dsl::body.eq(piece));
        let insert = diesel::insert_into(dsl::partials).values(values);
        self.connection.run(insert).or_cannot(|| format!("store the partial of file {id}"))?;
        Ok(())
    }

    /// Passes each piece of a file's partial to `take`, in order, and returns their number. Holds one piece in memory at a time.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Query`].
    pub fn partial<E: From<Error>>(&mut self, id: i64, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<i64, E> {
        for part_no in 0_i64.. {
            let piece: Option<Vec<u8>> = dsl::partials
                .find((id, part_no))
                .select(dsl::body)
                .first(&mut self.connection)
                .optional()
                .or_cannot(|| format!("read the partial of file {id}"))?;
            let Some(piece) = piece else { return Ok(part_no) };
            take(&piece)?;
        }
        Ok(i64::MAX)
    }
}
