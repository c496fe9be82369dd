//! The command line: what was typed, and its way to a checked [`Config`]. It starts nothing but the logs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use tributary_admission::{Access, Admission, host_and_port};
use tributary_cli_common::LogArgs;

use crate::{Config, inspect::InspectArgs};

/// Longer times are typing errors.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A rescan more often than this would do nothing else.
const SHORTEST_RESCAN: Duration = Duration::from_millis(10);

/// Serves a folder of CSV files over HTTP
#[derive(Debug, Parser)]
#[command(name = "data-source", version, subcommand_negates_reqs = true)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the server.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Options of the logs.
    #[command(flatten)]
    pub log: LogArgs,
}

/// What the program does when it does not serve.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the gate makes of a file
    Inspect(InspectArgs),
}

/// Options of the server.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The folder to serve, with all folders in it
    #[arg(long, env = "TRIBUTARY_DIR", required = true)]
    pub dir: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "TRIBUTARY_LISTEN", default_value = "127.0.0.1:5001", value_name = "HOST:PORT", value_parser = host_and_port)]
    pub listen: String,
    /// The name that the source gives itself [default: the folder's name]
    #[arg(long, env = "TRIBUTARY_NAME")]
    pub name: Option<String>,
    /// A file is offered once no change of it was seen for this long
    #[arg(long, env = "TRIBUTARY_SETTLE", default_value = "250ms", value_parser = duration)]
    pub settle: Duration,
    /// The time between two looks at the whole folder
    #[arg(long, env = "TRIBUTARY_RESCAN", default_value = "30s", value_parser = rescan)]
    pub rescan: Duration,
    /// A host name that requests may use, besides the listening address and this machine's own names; repeatable
    #[arg(long = "allowed-host", value_name = "HOST[:PORT]", env = "TRIBUTARY_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Who may connect.
    #[command(flatten)]
    pub access: Access,
}

impl ServeArgs {
    /// The checked configuration.
    ///
    /// # Errors
    /// When the token file cannot be read or is empty.
    pub fn config(&self) -> anyhow::Result<Config> {
        let dir = self.dir.clone().unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(|| folder_name(&dir));
        let admission = Admission::new(self.access.token()?, self.allowed_hosts.clone()).listening_on(&self.listen);
        Ok(Config { dir, name, settle: self.settle, rescan: self.rescan, admission, announce: true })
    }
}

/// The last name of the path, links resolved, so that `.` gives a name too.
fn folder_name(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    dir.file_name().map_or("source".into(), OsStr::to_string_lossy).into_owned()
}

fn duration(typed: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(typed).map_err(|error| error.to_string())?;
    if duration > LONGEST {
        return Err(format!("at most {}", humantime::format_duration(LONGEST)));
    }
    Ok(duration)
}

fn rescan(typed: &str) -> Result<Duration, String> {
    let duration = duration(typed)?;
    if duration < SHORTEST_RESCAN {
        return Err(format!("at least {}", humantime::format_duration(SHORTEST_RESCAN)));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use tributary_cli_common::LogFormat;

    use super::*;

    fn parse(args: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("data-source").chain(args.split_whitespace()))
    }

    #[test]
    fn flags_are_understood() {
        Cli::command().debug_assert();
        let cli = parse("--dir feeds --listen [::1]:0 --name north --settle 1s --rescan 2m --token-file t --allow-anonymous --log-format json").unwrap();
        assert_eq!(cli.serve.dir.as_deref(), Some(Path::new("feeds")));
        assert_eq!((cli.serve.listen.as_str(), cli.serve.name.as_deref()), ("[::1]:0", Some("north")));
        assert_eq!((cli.serve.settle, cli.serve.rescan), (Duration::from_secs(1), Duration::from_secs(120)));
        assert_eq!(cli.serve.access.token_file.as_deref(), Some(Path::new("t")));
        assert_eq!(cli.serve.allowed_hosts, [] as [&str; 0]);
        assert!(cli.serve.access.allow_anonymous && cli.log.log_format == LogFormat::Json);
    }

    #[test]
    fn hosts_are_repeated_or_separated_by_commas() {
        let hosts = parse("--dir feeds --allowed-host a.example,b:8080 --allowed-host c").unwrap().serve.allowed_hosts;
        assert_eq!(hosts, ["a.example", "b:8080", "c"]);
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let serve = parse("--dir feeds").unwrap().serve;
        assert_eq!((serve.listen.as_str(), serve.name, serve.access.allow_anonymous), ("127.0.0.1:5001", None, false));
        assert_eq!((serve.settle, serve.rescan), (Duration::from_millis(250), Duration::from_secs(30)));
    }

    #[test]
    fn wrong_usage_is_refused() {
        for args in [
            "",
            "--dir",
            "--dir a b",
            "--dir a --listen 5001",
            "--dir a --listen :5001",
            "--dir a --listen h:99999",
            "--dir a --settle 5",
            "--dir a --rescan 0s",
            "--dir a --settle 100000years",
            "--dir a --log-format xml",
            "--dir a --what",
            "inspect",
        ] {
            assert_eq!(parse(args).unwrap_err().exit_code(), 2, "{args}");
        }
        assert!(matches!(parse("inspect a.csv").unwrap().command, Some(Command::Inspect(_))));
    }
}
