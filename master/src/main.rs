//! The program `master`: arguments, logs, signals; all else is in the library.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tributary_console::exit_code;
use tributary_master::{
    Progress, Summary,
    cli::Args,
    config::{Config, ConfigError},
    once,
};

fn main() -> ExitCode {
    let args = Args::parse();
    let progress = Progress::default();
    args.log.start_on("warn", progress.clone());
    match run(&args, &progress) {
        // The summary has said what failed.
        Ok(summary) if !summary.is_complete() => ExitCode::FAILURE,
        result => exit_code(result.map(drop), |error| error.is::<ConfigError>()),
    }
}

fn run(args: &Args, progress: &Progress) -> Result<Summary> {
    let config = Config::load(args)?;
    // Another provider cannot have been installed before: this is the first thing that asks for one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            summary = once(config, progress) => summary,
            stopped = stop_signal() => stopped,
        }
    });
    // A file that is being read in the background must not hold the stop back; nothing of it is applied.
    runtime.shutdown_background();
    progress.clear();
    let summary = outcome?;
    match writeln!(io::stdout(), "{summary}") {
        // Nobody reads the summary; the exit code still says what it says.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(summary),
        written => written.context("failed to write the summary").map(|()| summary),
    }
}

async fn stop_signal() -> Result<Summary> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => bail!("interrupted; what was not applied is applied by the next run"),
        _ = terminate.recv() => bail!("terminated; what was not applied is applied by the next run"),
    }
}
