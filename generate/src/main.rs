//! The program `generate`: arguments, logs, signals. Everything else is in the library.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tributary_cli_common::exit_code;
use tributary_generate::{cli::Args, run, stop_on_signals};

fn main() -> ExitCode {
    let args = Args::parse();
    args.log.start("warn");
    let stop = stop_on_signals().context("failed to install the signal handlers");
    exit_code(stop.and_then(|stop| run(&args, &stop)), |_| false)
}
