//! The program `data-source`: reads the command line, starts the logs, binds, and calls the library.

use std::{io, process::ExitCode};

use anyhow::Context;
use tributary_admission::OpenToAll;
use tributary_cli_common::{check_threads, exit_code, stop_on_signals};
use tributary_data_source::{
    cli::{Cli, Command, ServeArgs},
    inspect, run,
};
use tributary_format_rules::{FormatFileError, SettingError};
use tributary_http_common::bind;
use tributary_tls::PairError;

/// Default of `RUST_LOG`: leaves out the web server's messages about its threads, and malformed requests of clients.
const LOG_FILTER: &str = "info,actix_server=warn,actix_http::h1::dispatcher=off";

/// Gives memory back after a burst: see docs/decisions/0022-give-memory-back.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::read();
    cli.log.start(LOG_FILTER);
    let result = match &cli.command {
        Some(Command::Inspect(args)) => inspect::run(args, &mut io::stdout().lock()),
        None => serve(&cli.serve),
    };
    exit_code(result, is_usage)
}

/// Returns whether the error is wrong usage, which exits with 2.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<OpenToAll>()
        || matches!(error.downcast_ref(), Some(PairError::Half(_)))
        || error.is::<SettingError>()
        || error.is::<FormatFileError>()
        || matches!(error.downcast_ref(), Some(tributary_csv_gate::Error::Settings(_)))
}

fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let config = args.config()?;
    let listener = bind(&args.listen, &args.access)?;
    check_threads()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to wait for signals")?;
        run(config, listener, shutdown).await.context("failed to serve")
    })
}
