//! The master: it polls every source, merges what changed, and writes `products` and `aggr`.
//!
//! `poll` asks the sources, `ingest` turns what they hold into rows of the database, `writer` owns the one connection
//! that writes. [`once`] passes over every source once. Nothing here prints but the progress display and the logs.
#![warn(missing_docs)]

pub mod cli;
pub mod config;
mod edit;
mod ingest;
mod once;
mod poll;
mod progress;
mod writer;

pub use edit::{clear_edit, set_edit};
pub use once::{Summary, once};
pub use progress::Progress;
