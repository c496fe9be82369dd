//! The master: it polls every source, merges what changed, and writes `products` and `aggr`; people and programs see and
//! correct them over HTTP.
//!
//! `poll` asks the sources, `ingest` turns what they hold into rows of the database, `writer` owns the one connection
//! that writes, `readers` those that read, `uploads` takes files in, `reports` computes what is declared,
//! `web` answers requests. [`once`] passes over every source once, [`run`] stays.
#![warn(missing_docs)]

mod advance;
mod app;
pub mod cli;
mod clock;
pub mod config;
mod edit;
mod events;
mod ingest;
mod live;
mod once;
mod poll;
mod product;
mod progress;
mod readers;
mod reports;
mod start;
mod summary;
mod uploads;
mod web;
mod writer;

pub use live::run;
pub use once::{Summary, once};
pub use progress::Progress;
