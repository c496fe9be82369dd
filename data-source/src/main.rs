//! The `data-source` program: reads the command line, starts the logs, binds, and hands over to the library.

use std::{io, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use tributary_admission::OpenToAll;
use tributary_cli_common::{exit_code, stop_on_signals};
use tributary_data_source::{
    cli::{Cli, Command, ServeArgs},
    inspect, run,
};
use tributary_http_common::bind;

/// What is logged unless `RUST_LOG` says otherwise: the web server's own news of its threads are no news, and what a client
/// sends is no error of ours.
const LOGGED: &str = "info,actix_server=warn,actix_http::h1::dispatcher=off";

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.log.start(LOGGED);
    let result = match &cli.command {
        Some(Command::Inspect(args)) => inspect::run(args, &mut io::stdout().lock()),
        None => serve(&cli.serve),
    };
    exit_code(result, is_usage)
}

/// What was typed cannot work: the exit code is 2.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<OpenToAll>() || matches!(error.downcast_ref(), Some(tributary_csv_gate::Error::Settings(_)))
}

fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let config = args.config()?;
    let listener = bind(&args.listen, &args.access)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to wait for signals")?;
        run(config, listener, shutdown).await.context("failed to serve")
    })
}
