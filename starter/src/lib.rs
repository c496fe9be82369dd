//! Sets a database up and prints what it holds; saves, restores and checks one; or runs the demo: the whole system in one process.
#![warn(missing_docs)]

pub mod cli;

mod backup;
mod check;
mod demo;
mod setup;

use std::io::{self, Write};

use anyhow::{Context, Result};
use tributary_admission::OpenToAll;
use tributary_config::{ConfigError, locate_database};
use tributary_store::Error;

use crate::cli::{Args, Command};

/// Does what the arguments ask for.
///
/// # Errors
/// The database cannot be found, created or migrated, a part of the demo fails, or stdout cannot be written.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Demo(demo)) => return demo::run(demo),
        Some(Command::Backup(args)) => return backup::backup(args),
        Some(Command::Restore(args)) => return backup::restore(args),
        Some(Command::Check(place)) => return check::check(place),
        None => {}
    }
    let url = locate_database(args.database_url.as_deref())?;
    let counts = setup::set_up(&url, args.reset)?;
    let mut out = io::stdout().lock();
    setup::print(&url, &counts, &mut out).and_then(|()| out.flush()).context("failed to write the output")
}

/// Whether an error means that the arguments or the configuration are wrong.
#[must_use]
pub fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<OpenToAll>() || error.is::<ConfigError>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
