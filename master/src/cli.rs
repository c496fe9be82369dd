//! The command line of `master`.

use clap::Parser;
use tributary_cli_common::LogArgs;
use tributary_config::ConfigArgs;

/// Polls every source, merges what changed, and writes the tables `products` and `aggr`
#[derive(Debug, Clone, Parser)]
#[command(name = "master", version, about)]
pub struct Args {
    /// Settings that override the configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Pass over every source once, print one summary line, and stop. Exit code 0: every source was reached and everything but
    /// rejected rows was applied
    #[arg(long)]
    pub once: bool,

    /// Validate the configuration, print what it means, and stop. Exit code 0: it can be used; 2: it cannot, and why
    #[arg(long, conflicts_with = "once")]
    pub check: bool,

    /// Options of the logs.
    #[command(flatten)]
    pub log: LogArgs,
}
