//! A client of a database that is none of ours.

#![allow(missing_docs, reason = "the derive makes items without them")]

use diesel::{PgConnection, SqliteConnection};

#[derive(diesel::MultiConnection)]
pub(crate) enum Client {
    File(SqliteConnection),
    Server(PgConnection),
}
