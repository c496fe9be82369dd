//! `readdb`: prints what the database holds. Reads only; it works while a master writes. Here is the order of things and
//! the exit code; each step has a file of its own.

mod cli;
mod escape;
mod listing;
mod print;
mod select;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use tributary_cli_common::exit_code;
use tributary_config::{ConfigError, locate_database};
use tributary_store::{Error, Store};

use crate::cli::{Args, Request};

fn main() -> ExitCode {
    let args = Args::parse();
    args.log.start("warn");
    match Request::try_from(&args) {
        Ok(request) => exit_code(run(&args, &request), is_usage),
        Err(wrong) => wrong.exit(),
    }
}

fn run(args: &Args, request: &Request) -> anyhow::Result<()> {
    let url = locate_database(args.database_url.as_deref())?;
    let mut store = Store::open_existing(&url)?;
    tracing::debug!(database.path = %url, "opened {url}");
    // One snapshot: products and aggr must not come from two versions.
    let listings = store.snapshot(|store| select::select(store, request))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    print::print(&listings, request, &mut out).and_then(|()| out.flush()).context("failed to write the output")
}

/// What was typed or configured cannot be understood.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
