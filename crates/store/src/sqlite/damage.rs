//! Damage to the file of a database.

use diesel::{deserialize::QueryableByName, prelude::*, sql_query, sql_types::Text};

use crate::{
    Error, Store,
    database::error::{OrCannot, message},
};

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

impl Store {
    /// Reads the whole file and returns the first thing that is wrong with its pages, in SQLite's words; `None` if nothing is. Queries that
    /// only touch sound pages succeed on a damaged file.
    ///
    /// # Errors
    /// [`Error::Query`] if the file cannot be read for another reason.
    pub(crate) fn damage_of_file(&mut self) -> Result<Option<String>, Error> {
        match sql_query("PRAGMA quick_check(1)").load::<Finding>(&mut self.connection) {
            Ok(found) => Ok(found.into_iter().map(|finding| finding.quick_check).find(|found| found != "ok")),
            Err(error) if message(&error).contains("malformed") => Ok(Some(message(&error))),
            Err(error) => Err(error).or_cannot(|| "check the pages of the database"),
        }
    }
}
