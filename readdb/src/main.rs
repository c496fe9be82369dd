//! The program `readdb`: arguments, logs, exit code. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use tributary_cli_common::exit_code;
use tributary_readdb::{cli::Args, is_usage, run};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = args.check() {
        error.exit();
    }
    args.log.start("warn");
    exit_code(run(&args), is_usage)
}
