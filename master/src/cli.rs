//! The command line of `master`: what may be typed, as typed. `config` turns it, with the configuration file, into what
//! the program runs with.

use std::path::PathBuf;

use clap::Parser;
use tributary_admission::Access;
use tributary_cli_common::LogArgs;

/// Polls every source, merges what changed, and writes the tables `products` and `aggr`.
#[derive(Debug, Clone, Parser)]
#[command(name = "master", version, about)]
pub struct Args {
    /// Configuration file; ./tributary.toml is read if it is there.
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,

    /// Database to write: a path or `sqlite:PATH`; TRIBUTARY_DATABASE_URL and DATABASE_URL say it too [default: database.db].
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// A source to poll, in place of the configuration file's; may be given several times. NAME defaults to HOST:PORT.
    /// TRIBUTARY_SOURCE says the same, several parted by blanks.
    #[arg(long = "source", value_name = "[NAME=]URL")]
    pub sources: Vec<String>,

    /// Address of the form and the API; `--once` does not listen [default: 127.0.0.1:5000].
    #[arg(long, value_name = "ADDR:PORT", env = "TRIBUTARY_LISTEN")]
    pub listen: Option<String>,

    /// How often a source is asked that cannot hold its answer; `--once` asks once [default: 1s].
    #[arg(long, value_name = "DURATION", env = "TRIBUTARY_POLL_INTERVAL")]
    pub poll_interval: Option<String>,

    /// Pass over every source once, print one summary line, and stop. Exit code 0: every source was reached and everything
    /// but rejected rows was applied.
    #[arg(long)]
    pub once: bool,

    /// A name under which browsers may ask for the form, beside the address it listens on and those of this machine; may be
    /// given several times.
    #[arg(long = "allowed-host", value_name = "HOST[:PORT]", env = "TRIBUTARY_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// Who is let in.
    #[command(flatten)]
    pub access: Access,

    /// Options of the logs.
    #[command(flatten)]
    pub log: LogArgs,
}
