//! Prints the tables of a database. It only reads, each time in one snapshot, and works while a master writes.
#![warn(missing_docs)]

pub mod cli;

mod cell;
mod print;
mod select;
mod watch;

use std::io::{self, Write};

use anyhow::Result;
use terminal_size::{Height, Width, terminal_size_of};
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
    match request.watch {
        Some(every) => watch::follow(&mut store, &request, every),
        None => {
            let width = terminal().map(|(width, _)| width);
            print(&mut store, &request, io::BufWriter::new(io::stdout().lock()), width)
        }
    }
}

/// Prints what is asked for.
fn print(store: &mut Store, request: &Request, out: impl Write, width: Option<u16>) -> Result<()> {
    let mut printer = Printer::new(request, out, width);
    // One snapshot: products and aggr must not come from two versions.
    store.snapshot(|store| {
        let own = store.catalog_settings()?.shown;
        for &table in request.tables() {
            printer.begin(table, select::columns(store, request, table, &own)?)?;
            select::each_row(store, request, table, &own, |cells| printer.row(cells))?;
            printer.end(table, select::count(store, request, table)?)?;
        }
        printer.finish()
    })
}

/// Returns the columns and lines of the terminal that stdout is, if it is one.
fn terminal() -> Option<(u16, u16)> {
    terminal_size_of(io::stdout()).map(|(Width(width), Height(height))| (width, height))
}

/// Whether an error means that the arguments or the configuration are wrong.
#[must_use]
pub fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
