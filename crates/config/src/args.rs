//! The settings of the master as flags and environment variables.

use std::path::PathBuf;

use clap::Args;
use tributary_admission::Access;

/// Flags that override the configuration file; flatten them into a program's own.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file [default: ./tributary.toml if it exists]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,

    /// Database to write: a path or `sqlite:PATH`; also TRIBUTARY_DATABASE_URL and DATABASE_URL [default: database.db]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// A source to poll, instead of those in the configuration file; repeatable. NAME defaults to HOST:PORT. TRIBUTARY_SOURCE
    /// holds several, separated by spaces
    #[arg(long = "source", value_name = "[NAME=]URL")]
    pub sources: Vec<String>,

    /// Address of the form and the API; `--once` does not listen [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR:PORT", env = "TRIBUTARY_LISTEN")]
    pub listen: Option<String>,

    /// Interval in which to ask a source that cannot hold its answer [default: 1s]
    #[arg(long, value_name = "DURATION", env = "TRIBUTARY_POLL_INTERVAL")]
    pub poll_interval: Option<String>,

    /// A host name the form may be opened under, besides its address and this machine's own names; repeatable
    #[arg(long = "allowed-host", value_name = "HOST[:PORT]", env = "TRIBUTARY_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// Sources that may be dropped with all their rows because they are no longer configured; `all` for any. Without it the
    /// master refuses to start when a source that holds rows is gone from the configuration, and a reload holds its rows
    #[arg(long = "drop-sources", value_name = "NAME,…|all", value_delimiter = ',')]
    pub drop_sources: Vec<String>,

    /// Accept what this source holds because it would take too much away, and stop; with `--once`, in this run. Repeatable
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,

    /// Clients that are let in
    #[command(flatten)]
    pub access: Access,
}
