//! The program `publish`: arguments, logs, signals. Everything else is in the library.

use std::process::ExitCode;

use anyhow::{Context, Result};
use tributary_cli_common::{bars::Bars, check_threads, exit_code, stop_on_signals};
use tributary_publish::{Job, cli::Args, publish, run};

fn main() -> ExitCode {
    let (job, log) = Args::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let bars = Bars::default();
    // On a terminal the bars show the progress that the log shows elsewhere. lapin logs failures that are returned too.
    let default = if bars.is_hidden() { "warn,lapin=off,tributary_publish=info" } else { "warn,lapin=off" };
    log.start_on(default, bars.clone());
    let result = start(&job, &bars);
    // The lines on stdout have named the files that failed.
    let is_incomplete = matches!(result, Ok(false));
    let code = exit_code(result.map(drop), |_| false);
    if is_incomplete { ExitCode::FAILURE } else { code }
}

/// Returns whether everything was taken.
fn start(job: &Job, bars: &Bars) -> Result<bool> {
    check_threads()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let is_complete = runtime.block_on(async {
        let stop = stop_on_signals().context("failed to install the signal handlers")?;
        match job {
            Job::Upload(job) => Ok(run(job, bars, &stop).await?.is_complete()),
            Job::Publish(job) => Ok(publish(job, bars, &stop).await?.is_complete()),
        }
    });
    // A disk or a peer that hangs must not delay the exit.
    runtime.shutdown_background();
    is_complete
}
