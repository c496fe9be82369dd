//! The program `publish`: arguments, logs, signals; all else is in the library.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tributary_cli_common::{exit_code, stop_on_signals};
use tributary_publish::{Board, Summary, cli::Args, run};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(wrong) = args.check() {
        wrong.exit();
    }
    let board = Board::default();
    // On a terminal the bars say what is going on.
    args.log.start_on(if board.is_hidden() { "warn,tributary_publish=info" } else { "warn" }, board.log());
    let result = start(&args, &board);
    // The lines on stdout have said what failed.
    let is_incomplete = matches!(&result, Ok(summary) if !summary.is_complete());
    let code = exit_code(result.map(drop), |_| false);
    if is_incomplete { ExitCode::FAILURE } else { code }
}

fn start(args: &Args, board: &Board) -> Result<Summary> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let summary = runtime.block_on(async {
        let stop = stop_on_signals().context("failed to wait for signals")?;
        run(args, board, &stop).await
    });
    // A disk or a master that does not answer must not hold the end back.
    runtime.shutdown_background();
    summary
}
