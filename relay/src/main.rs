//! The program `relay`: arguments, logs, signals. Everything else is in the library.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tributary_cli_common::{check_threads, exit_code, stop_on_signals};
use tributary_relay::{cli::Args, run};

fn main() -> ExitCode {
    let args = Args::parse();
    // lapin logs failures that are returned too.
    args.log.start("info,lapin=off");
    exit_code(start(&args), |_| false)
}

fn start(args: &Args) -> Result<()> {
    check_threads()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let relayed = runtime.block_on(async {
        let stop = stop_on_signals().context("failed to install the signal handlers")?;
        run(args, &stop).await
    });
    // A broker or a master that hangs must not delay the exit.
    runtime.shutdown_background();
    relayed
}
