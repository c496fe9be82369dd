//! Everything that only SQLite knows: URIs, pragmas, the lock file, the write-ahead log, many rows per statement, its functions
//! and system tables. `postgres` is its counterpart.
//! Queries that any SQL database understands do not belong here.

mod bulk;
mod damage;
mod dynamic_rows;
mod large;
mod lock;
mod migrate;
mod open;
mod open_error;
mod own_columns;
mod place;
mod snapshot;
mod tables;
mod uri;
mod wal;

pub(crate) use bulk::{ROWS_AT_A_TIME, write_bulk};
pub(crate) use dynamic_rows::{each_dynamic_row, insert_rows};
pub(crate) use lock::{FileLock, holder_of};
pub(crate) use migrate::{MIGRATIONS, apply_missing};
pub(crate) use open::{open_for_reading, open_for_writing};
pub(crate) use open_error::open_error;
pub(crate) use own_columns::{AS_NUMBER, LEAST_NUMBER, number_of, text_in, time_text, without_column};
pub(crate) use place::FileIdentity;
pub use snapshot::{Snapshot, StandingDocument};
pub(crate) use tables::{index_names, table_columns, tables_with_prefix};
