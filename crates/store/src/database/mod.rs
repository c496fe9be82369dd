//! The base of all other rooms: the address of a database, its connections and transactions, its schema and its errors.
//! No query of a single table belongs here; that goes into the table's room.
//! Nothing that only one kind of database understands belongs here; that goes into `sqlite` or `postgres`, and this room dispatches to it.

pub(crate) mod bulk;
pub(crate) mod connection;
mod contents;
pub(crate) mod dynamic_rows;
pub(crate) mod error;
pub(crate) mod functions;
pub(crate) mod keys;
mod lock;
mod migrations;
mod open;
mod reader_pool;
mod retention;
pub(crate) mod schema;
mod store;
pub(crate) mod tables;
mod upkeep;
mod url;
mod values;

pub use contents::Counts;
pub use error::Error;
pub use lock::{ActiveMaster, FolderLocks, Lock, LockWatch, spool_path};
pub use reader_pool::{ReaderPool, open_anew, open_anew_if_unread};
pub(crate) use retention::last_old;
pub use store::Store;
pub use url::DatabaseUrl;
pub use values::{GroupRow, ReportValue};
