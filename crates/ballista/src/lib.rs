//! A client of a stock Ballista cluster: opens a session by Arrow Flight SQL, declares files as tables, runs one query and takes its rows a
//! batch at a time. Every step has a time limit. A query is cancelled, and tables are dropped, when nobody waits for them any more.
//!
//! It knows neither reports nor sources, and does not contain DataFusion: SQL goes there as text.
#![warn(missing_docs)]

mod cluster;
mod error;
mod jobs;
mod rows;
mod session;
mod sql;
mod table;

pub use cluster::{Cluster, TimeLimits};
pub use error::Error;
pub use rows::{RowBatch, Rows};
pub use session::Session;
pub use sql::{identifier, text};
pub use table::{CsvTable, TableColumn};
