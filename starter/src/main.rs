//! `starter`: sets the database up and says what it holds, or shows the whole system. Here is the order of things and the
//! exit code.

mod cli;
mod demo;
mod setup;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use tributary_admission::OpenToAll;
use tributary_cli_common::exit_code;
use tributary_store::{DatabaseUrl, Error};

use crate::cli::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    args.log.start("warn");
    exit_code(run(&args), is_usage)
}

fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(Command::Demo(demo)) = &args.command {
        return demo::run(demo);
    }
    let url = DatabaseUrl::locate(args.database_url.as_deref())?;
    let counts = setup::set_up(&url, args.reset)?;
    let mut out = io::stdout().lock();
    setup::print(&url, &counts, &mut out).and_then(|()| out.flush()).context("failed to write the output")
}

/// What was typed or configured cannot be understood.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<OpenToAll>() || error.downcast_ref::<Error>().is_some_and(Error::is_usage)
}
