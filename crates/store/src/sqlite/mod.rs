//! Everything that only SQLite knows: URIs, pragmas, the lock file, the write-ahead log, many rows per statement, its functions
//! and system tables. A second kind of database would get a room like this one.
//! Queries that any SQL database understands do not belong here, even though SQLite alone runs them today.

mod bulk;
mod damage;
mod data_version;
mod dynamic_rows;
mod functions;
mod keys;
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

pub(crate) use bulk::{Bulk, ValueList, push_optional_text, push_pair};
pub(crate) use dynamic_rows::{InsertRows, each_dynamic_row};
pub(crate) use functions::instr;
pub(crate) use keys::{KEYS_PER_STATEMENT, Lookup, each, rows_of_keys, rows_within};
pub use lock::{FolderLocks, Lock, spool_path};
pub(crate) use own_columns::{number_of, text_of};
pub(crate) use place::FileIdentity;
pub use snapshot::{Snapshot, StandingDocument};
pub(crate) use tables::{TableColumn, table_columns, tables_with_prefix};
