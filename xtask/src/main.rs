//! The project's own chores, as `cargo xtask …`. Nothing here is part of what users run.

mod bench;
mod generate;
mod services;
mod tidy;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tributary_cli_common::exit_code;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
enum Task {
    /// Write a generated product feed.
    Generate(generate::Args),
    /// Apply two generated feeds with the release binaries and compare both tables with what the sqlite3 shell computes.
    Verify(verify::Args),
    /// Compute reports with the release binaries and compare them with what DuckDB computes.
    VerifyReports(verify::reports::Args),
    /// Measure the release binaries; BENCHMARKS.md has the figures.
    Bench(bench::Args),
    /// Run a command with the services that the tests in `e2e/` need.
    Services(services::Args),
    /// Check what rustfmt and clippy do not: heads and lengths of files.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Generate(args) => generate::run(&args),
        Task::Verify(args) => verify::run(&args),
        Task::VerifyReports(args) => verify::reports::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Tidy => tidy::run(),
        Task::Services(args) => match services::run(&args) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
    };
    exit_code(result, |_| false)
}
