//! The project's own chores, as `cargo xtask …`. Users run none of it.

mod attack;
mod bench;
mod cluster;
mod dist;
mod generate;
mod processes;
mod screenshots;
mod services;
mod soak;
mod tidy;
mod verify;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tributary_cli_common::exit_code;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
enum Task {
    /// Write a generated product feed
    Generate(generate::Args),
    /// Apply two generated feeds with the release binaries, and compare both tables with those of the sqlite3 shell
    Verify(verify::Args),
    /// Compute reports with the release binaries, and compare them with those of DuckDB
    VerifyReports(verify::reports::Args),
    /// Measure the release binaries; BENCHMARKS.md has the figures
    Bench(bench::Args),
    /// Run the programs under a random load for a time, or kill them or fail their system calls over and over; check their tables
    Soak(soak::Args),
    /// Attack the programs as people with bad intent, broken peers and bad luck do; print a line for each attack, with the memory that it cost
    Attack(attack::Args),
    /// Run a command with the services that the tests in `e2e/` need
    Services(services::Args),
    /// Run a stock Ballista cluster on this machine: a scheduler and two executors
    Cluster(cluster::Args),
    /// Make a Debian package and an archive of the release programs, in `target/dist`
    Dist(dist::Args),
    /// Photograph the form and a report in Chromium, for `docs/images`
    Screenshots(screenshots::Args),
    /// Check links of documents, heads and lengths of files, and doc comments
    Tidy,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Generate(args) => generate::run(&args),
        Task::Verify(args) => verify::run(&args),
        Task::VerifyReports(args) => verify::reports::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Soak(args) => soak::run(&args),
        Task::Attack(args) => attack::run(&args),
        Task::Dist(args) => dist::main(&args),
        Task::Tidy => tidy::run(),
        Task::Screenshots(args) => return exit(screenshots::photograph(&args)),
        Task::Cluster(args) => return exit(cluster::run(&args)),
        Task::Services(args) => return exit(services::run(&args)),
    };
    exit_code(result, |_| false)
}

/// The exit code of a task that runs a command: that of the command.
fn exit(ran: Result<ExitCode>) -> ExitCode {
    ran.unwrap_or_else(|error| exit_code(Err(error), |_| false))
}
