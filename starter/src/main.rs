//! The program `starter`: arguments, logs, exit code. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use tributary_cli_common::exit_code;
use tributary_starter::{
    cli::{Args, Command},
    is_usage, run,
};

fn main() -> ExitCode {
    let args = Args::parse();
    // The demo breaks things on purpose, and says so itself.
    // A demo that is stopped cuts off what it sends, of which the HTTP library complains.
    let is_demo = matches!(args.command, Some(Command::Demo(_)));
    args.log.start(if is_demo { "error,actix_http=off" } else { "warn" });
    exit_code(run(&args), is_usage)
}
