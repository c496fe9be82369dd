//! The program `master`: arguments, logs, signals; all else is in the library.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use tokio_util::sync::CancellationToken;
use tributary_admission::{OpenToAll, TokenFileError};
use tributary_cli_common::{bars::Bars, check_threads, exit_code, stop_on_signals};
use tributary_config::{Config, ConfigError};
use tributary_engine::{OnceSummary, once};
use tributary_http_common::bind;
use tributary_master::{Start, SummaryLine, accept, cli::Args, print_new_token, run, source_progress};
use tributary_tls::{PairError, PairInForce};

/// The default of `RUST_LOG`: the web server's own news of its threads are no news, and what a client
/// sends is no error of ours.
const LOGGED: &str = "info,actix_server=warn,actix_http::h1::dispatcher=off,lapin=off";

/// Gives memory back after a burst: see docs/decisions/0022-give-memory-back.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = Args::read();
    let bars = Bars::default();
    // Beside a summary of one line only what went wrong is worth a line.
    args.log.start_on(if args.once { "warn" } else { LOGGED }, bars.clone());
    let result = start(&args, &bars);
    // The summary has said what failed.
    let is_incomplete = matches!(&result, Ok(Some(summary)) if !summary.is_complete());
    let is_file_of_secrets = |error: &anyhow::Error| error.is::<TokenFileError>() || error.is::<PairError>();
    let is_usage = |error: &anyhow::Error| {
        error.is::<ConfigError>() || error.is::<OpenToAll>() || (args.check && is_file_of_secrets(error))
    };
    let code = exit_code(result.map(drop), is_usage);
    if is_incomplete { ExitCode::FAILURE } else { code }
}

fn start(args: &Args, bars: &Bars) -> Result<Option<OnceSummary>> {
    if let Some(name) = &args.new_token {
        return print_new_token(name, args.role).map(|()| None);
    }
    let config = Config::load(&args.config)?;
    if args.check {
        config.access.tokens()?;
        PairInForce::read(&config.tls)?;
        write!(io::stdout(), "{config}").context("failed to write the configuration")?;
        return Ok(None);
    }
    let is_acceptance = !config.accept.is_empty() && !args.once;
    let listener = if args.once || is_acceptance { None } else { Some(bind(&config.listen, &config.access)?) };
    check_threads()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let outcome = runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to wait for signals")?;
        match listener {
            _ if is_acceptance => accept(config).await.map(|()| None),
            Some(listener) => {
                let start = Start { announces: true, read_only: args.read_only };
                run(config, Some(args.config.clone()), listener, start, shutdown).await.map(|()| None)
            }
            None => run_once(config, bars, shutdown).await.map(Some),
        }
    });
    // A file that is being read in the background must not hold the stop back; nothing of it is applied.
    runtime.shutdown_background();
    bars.clear();
    let summary = outcome?;
    summary.map(print).transpose()
}

async fn run_once(config: Config, bars: &Bars, shutdown: CancellationToken) -> Result<OnceSummary> {
    if let Some(url) = &config.results.url {
        tracing::warn!("`--once` writes nothing to {url}, the `url` in [results]: a master that goes on running does");
    }
    let bars = bars.clone();
    let observer = move |name: &str| source_progress(&bars, name);
    tokio::select! {
        summary = once(config, &observer) => summary,
        () = shutdown.cancelled() => bail!("stopped; what was not applied is applied by the next run"),
    }
}

fn print(summary: OnceSummary) -> Result<OnceSummary> {
    match writeln!(io::stdout(), "{}", SummaryLine(&summary)) {
        // Nobody reads the summary; the exit code still says what it says.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(summary),
        written => written.context("failed to write the summary").map(|()| summary),
    }
}
