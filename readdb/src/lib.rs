//! Prints the tables of a database. It only reads, in one snapshot, and works while a master writes.
#![warn(missing_docs)]

pub mod cli;

mod cell;
mod print;
mod select;

use std::io;

use anyhow::Result;
use tributary_config::{ConfigError, locate_database};
use tributary_store::{Error, Store};

use crate::{
    cli::{Args, Request},
    print::Printer,
};

/// Prints what the arguments ask for on stdout.
///
/// # Errors
/// The arguments contradict each other ([`clap::Error`]), the database cannot be found or read, or stdout cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let request = Request::try_from(args)?;
    let url = locate_database(args.database_url.as_deref())?;
    let mut store = Store::open_existing(&url)?;
    tracing::debug!(database.path = %url, "opened {url}");
    let mut printer = Printer::new(&request, io::BufWriter::new(io::stdout().lock()));
    // One snapshot: products and aggr must not come from two versions.
    store.snapshot(|store| {
        let own = store.catalog_settings()?.shown;
        for &table in request.tables() {
            printer.begin(table, select::columns(table, &own))?;
            select::each_row(store, &request, table, &own, |cells| printer.row(cells))?;
            printer.end(table, select::count(store, &request, table)?)?;
        }
        printer.finish()
    })
}

/// Whether an error means that the arguments or the configuration are wrong.
#[must_use]
pub fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
