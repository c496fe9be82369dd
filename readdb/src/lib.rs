//! Prints the tables of a database. It only reads, in one snapshot, and works while a master writes.
#![warn(missing_docs)]

pub mod cli;

mod listing;
mod print;
mod select;

use std::io::{self, Write};

use anyhow::{Context, Result};
use tributary_config::{ConfigError, locate_database};
use tributary_store::{Error, Store};

use crate::cli::{Args, Request};

/// Prints what the arguments ask for on stdout.
///
/// # Errors
/// The arguments contradict each other ([`clap::Error`]), the database cannot be found or read, or stdout cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let request = Request::try_from(args)?;
    let url = locate_database(args.database_url.as_deref())?;
    let mut store = Store::open_existing(&url)?;
    tracing::debug!(database.path = %url, "opened {url}");
    // One snapshot: products and aggr must not come from two versions.
    let listings = store.snapshot(|store| select::select(store, &request))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    print::print(&listings, &request, &mut out).and_then(|()| out.flush()).context("failed to write the output")
}

/// Whether an error means that the arguments or the configuration are wrong.
#[must_use]
pub fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
