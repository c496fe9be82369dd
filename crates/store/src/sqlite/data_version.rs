//! SQLite's own count of what others have committed.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};

use crate::{Error, Store, database::error::OrCannot};

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

impl Store {
    /// A number that differs from that of an earlier call on this connection if another connection has committed since. It reads no
    /// table, and holds no transaction afterwards.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn data_version(&mut self) -> Result<i64, Error> {
        let row: DataVersion = sql_query("SELECT data_version FROM pragma_data_version")
            .get_result(&mut self.connection)
            .or_cannot(|| "ask whether the database has changed")?;
        Ok(row.data_version)
    }
}
