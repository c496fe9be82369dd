//! Everything that only PostgreSQL knows: sessions and their settings, the lock that makes one master active, many rows per statement, its
//! system tables and types. `sqlite` is its counterpart.

mod address;
mod bulk;
mod copy;
mod dynamic_rows;
mod lease;
mod migrate;
mod number;
mod open;
mod outcome;
mod own_columns;
mod report_keys;
pub(crate) mod schema;
mod tables;

pub(crate) use address::{Fault, name_in};
pub(crate) use bulk::{ROWS_AT_A_TIME, write_bulk};
pub(crate) use copy::{CopyInto, copy_into};
pub(crate) use dynamic_rows::{each_dynamic_row, insert_rows};
pub(crate) use lease::Lease;
pub(crate) use migrate::{MIGRATIONS, apply_missing};
pub(crate) use open::{READ, Session, WRITE, connect, is_lost};
pub(crate) use outcome::{Backend, Transaction};
pub(crate) use own_columns::{AS_NUMBER, LEAST_NUMBER, number_of, text_in, time_text, without_column};
pub(crate) use report_keys::{REPORT_TYPES, create_index, key_prefixes};
pub(crate) use tables::{index_names, table_columns, tables_with_prefix};
