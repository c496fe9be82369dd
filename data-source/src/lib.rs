//! Serves one folder of CSV files over HTTP: its manifest (`/sense`), its bytes and rows (`/read`), and the partial results of
//! reports (`/aggregate`), as `docs/reference/source-protocol.md` says. It changes nothing in the folder and writes nothing
//! to disk.
#![warn(missing_docs)]

pub mod cli;
mod config;
mod http;
pub mod inspect;
mod left_out;
mod partials;
mod server;

pub use config::{Config, DEFAULT_REPORT_MEMORY};
pub use server::run;
