//! The project's own chores, as `cargo xtask …`. Nothing here is part of what users run.

mod generate;
mod tidy;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tributary_console::exit_code;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
enum Task {
    /// Write a generated product feed.
    Generate(generate::Args),
    /// Apply two generated feeds with the release binaries and compare both tables with what the sqlite3 shell computes.
    Verify(verify::Args),
    /// Check what rustfmt and clippy do not: heads and lengths of files.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Generate(args) => generate::run(&args),
        Task::Verify(args) => verify::run(&args),
        Task::Tidy => tidy::run(),
    };
    exit_code(result, |_| false)
}
