//! The program `publish`: arguments, logs, signals. Everything else is in the library.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tributary_cli_common::{bars::Bars, exit_code, stop_on_signals};
use tributary_publish::{Summary, cli::Args, run};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = args.check() {
        error.exit();
    }
    let bars = Bars::default();
    // On a terminal the bars show the progress that the log shows elsewhere.
    args.log.start_on(if bars.is_hidden() { "warn,tributary_publish=info" } else { "warn" }, bars.clone());
    let result = start(&args, &bars);
    // The lines on stdout have named the files that failed.
    let is_incomplete = matches!(&result, Ok(summary) if !summary.is_complete());
    let code = exit_code(result.map(drop), |_| false);
    if is_incomplete { ExitCode::FAILURE } else { code }
}

fn start(args: &Args, bars: &Bars) -> Result<Summary> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let summary = runtime.block_on(async {
        let stop = stop_on_signals().context("failed to install the signal handlers")?;
        run(args, bars, &stop).await
    });
    // A disk or a master that hangs must not delay the exit.
    runtime.shutdown_background();
    summary
}
