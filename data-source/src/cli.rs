//! The command line, and the checked [`Config`] that it gives.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tributary_admission::{Access, Admission, host_and_port};
use tributary_cli_common::{LogArgs, Server, with_variables};
use tributary_format_rules::{Patterns, Selection, read_formats, size};
use tributary_pace::MAX_PATIENCE;
use tributary_tls::{PairInForce, TlsFiles};

use crate::{config::Config, inspect::InspectArgs};

/// Longer times are typing errors.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);
/// More frequent scans would leave time for nothing else.
const MIN_RESCAN: Duration = Duration::from_millis(10);

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  data-source --dir feeds                                       serve a folder on this machine
  data-source --dir feeds --listen 0.0.0.0:5001 --token-file t  serve it to others, with a token
  data-source inspect feeds/prices.csv                          show how a file is read

Exit codes: 0 success, 1 failure, 2 wrong usage";

/// Serves a folder of CSV files over HTTP
#[derive(Debug, Parser)]
#[command(name = "data-source", version, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Command to run instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the server.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Options of the logs.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Cli {
    /// The command line with the environment variables of this program.
    #[must_use]
    pub fn program() -> clap::Command {
        with_variables(Self::command(), Server::Source)
    }

    /// Reads command line and environment. Wrong usage ends the program.
    #[must_use]
    pub fn read() -> Self {
        Self::from_arg_matches(&Self::program().get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Commands other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how a file is read: encoding, delimiter, columns, rows and rejects
    Inspect(InspectArgs),
}

/// Options of the server.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Folder to serve, including its subfolders
    #[arg(long, env = "TRIBUTARY_DIR", required = true)]
    pub dir: Option<PathBuf>,
    /// Address to listen on; port 0 picks a free port
    #[arg(long, env = "TRIBUTARY_LISTEN", default_value = "127.0.0.1:5001", value_name = "HOST:PORT", value_parser = host_and_port)]
    pub listen: String,
    /// Name that the source reports [default: the folder's name]
    #[arg(long, env = "TRIBUTARY_NAME")]
    pub name: Option<String>,
    /// Time a file must be quiet before it is offered
    #[arg(long, env = "TRIBUTARY_SETTLE", default_value = "250ms", value_parser = duration)]
    pub settle: Duration,
    /// Time after which a file that is never quiet is offered up to its last complete record
    #[arg(long, env = "TRIBUTARY_MAX_SETTLE", default_value = "10s", value_parser = duration)]
    pub max_settle: Duration,
    /// Time between two scans of the whole folder
    #[arg(long, env = "TRIBUTARY_RESCAN", default_value = "30s", value_parser = rescan)]
    pub rescan: Duration,
    /// Time over which a client must take 1 KiB per second of an answer on average, or it is let go
    #[arg(long, default_value = "30s", value_parser = patience)]
    pub patience: Duration,
    /// Host name that requests may use besides the listening address and this machine's own names; repeatable
    #[arg(long = "allowed-host", value_name = "HOST[:PORT]", env = "TRIBUTARY_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Pattern of the paths to serve, such as `export/**/*.csv`; repeatable [default: all]
    #[arg(long, env = "TRIBUTARY_INCLUDE", value_name = "GLOB", value_delimiter = ',', value_parser = pattern)]
    pub include: Vec<String>,
    /// Pattern of paths not to serve, whatever is included; repeatable
    #[arg(long, env = "TRIBUTARY_EXCLUDE", value_name = "GLOB", value_delimiter = ',', value_parser = pattern)]
    pub exclude: Vec<String>,
    /// File of `[[format]]` tables that say how files are read; masters are told
    #[arg(long, env = "TRIBUTARY_FORMATS", value_name = "FILE")]
    pub formats: Option<PathBuf>,
    /// Memory that the groups of the reports which are being computed may take together; others go to temporary files
    #[arg(long, env = "TRIBUTARY_REPORT_MEMORY", value_name = "SIZE", default_value = "128MiB", value_parser = memory)]
    pub report_memory: usize,
    /// Access options.
    #[command(flatten)]
    pub access: Access,
    /// The own certificate.
    #[command(flatten)]
    pub tls: TlsFiles,
}

impl ServeArgs {
    /// Checks the options and returns the configuration.
    ///
    /// # Errors
    /// The token file, the certificate or its key cannot be used; the file of formats cannot be read or is wrong.
    pub fn config(&self) -> anyhow::Result<Config> {
        let dir = self.dir.clone().unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(|| folder_name(&dir));
        let admission = Admission::new(self.access.tokens()?, self.allowed_hosts.clone()).listening_on(&self.listen);
        let pair = PairInForce::read(&self.tls)?;
        let admission = if pair.is_some() { admission.over_https() } else { admission };
        let formats = self.formats.as_deref().map(read_formats).transpose()?.unwrap_or_default();
        Ok(Config {
            dir,
            name,
            settle: self.settle,
            max_settle: self.max_settle,
            rescan: self.rescan,
            selection: Selection::new(&self.include, &self.exclude)?,
            formats,
            report_memory: self.report_memory,
            admission,
            patience: self.patience,
            access: self.access.clone(),
            pair,
            announce: true,
        })
    }
}

/// Returns the last name of the path, with links resolved, so that `.` gives a name too.
fn folder_name(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    dir.file_name().map_or("source".into(), OsStr::to_string_lossy).into_owned()
}

fn duration(typed: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(typed).map_err(|error| error.to_string())?;
    if duration > MAX_DURATION {
        return Err(format!("at most {}", humantime::format_duration(MAX_DURATION)));
    }
    Ok(duration)
}

fn rescan(typed: &str) -> Result<Duration, String> {
    let duration = duration(typed)?;
    if duration < MIN_RESCAN {
        return Err(format!("at least {}", humantime::format_duration(MIN_RESCAN)));
    }
    Ok(duration)
}

fn patience(typed: &str) -> Result<Duration, String> {
    let patience = duration(typed)?;
    if !(Duration::from_secs(1)..=MAX_PATIENCE).contains(&patience) {
        return Err(format!("from 1s to {}", humantime::format_duration(MAX_PATIENCE)));
    }
    Ok(patience)
}

fn memory(typed: &str) -> Result<usize, String> {
    let bytes = size(typed)?;
    usize::try_from(bytes).map_err(|_| format!("`{typed}` is more than this machine can address"))
}

/// Checks a pattern, so that a wrong one is wrong usage.
fn pattern(typed: &str) -> Result<String, String> {
    Patterns::new(&[typed.to_owned()]).map_err(|error| error.to_string())?;
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use tributary_cli_common::LogFormat;

    use super::*;
    use crate::config::DEFAULT_REPORT_MEMORY;

    fn parse(args: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("data-source").chain(args.split_whitespace()))
    }

    #[test]
    fn flags_are_understood() {
        Cli::program().debug_assert();
        let cli = parse("--dir feeds --listen [::1]:0 --name north --settle 1s --max-settle 3s --rescan 2m --token-file t --allow-anonymous --log-format json").unwrap();
        assert_eq!(cli.serve.dir.as_deref(), Some(Path::new("feeds")));
        assert_eq!((cli.serve.listen.as_str(), cli.serve.name.as_deref()), ("[::1]:0", Some("north")));
        assert_eq!((cli.serve.settle, cli.serve.rescan), (Duration::from_secs(1), Duration::from_secs(120)));
        assert_eq!(cli.serve.max_settle, Duration::from_secs(3));
        assert_eq!(cli.serve.access.token_file.as_deref(), Some(Path::new("t")));
        assert_eq!(cli.serve.report_memory, DEFAULT_REPORT_MEMORY);
        assert_eq!(parse("--dir a --report-memory 2GiB").unwrap().serve.report_memory, 2 << 30);
        assert!(parse("--dir a --report-memory many").is_err());
        assert_eq!(cli.serve.allowed_hosts, [] as [&str; 0]);
        assert!(cli.serve.access.allow_anonymous && cli.log.log_format == LogFormat::Json);
    }

    #[test]
    fn hosts_are_repeated_or_separated_by_commas() {
        let hosts = parse("--dir feeds --allowed-host a.example,b:8080 --allowed-host c").unwrap().serve.allowed_hosts;
        assert_eq!(hosts, ["a.example", "b:8080", "c"]);
    }

    #[test]
    fn patterns_are_repeated_or_separated_by_commas() {
        let serve = parse("--dir feeds --include a*,b* --include **/c.csv --exclude old/**").unwrap().serve;
        assert_eq!((serve.include.len(), serve.exclude.as_slice()), (3, &["old/**".to_owned()][..]));
        let config = serve.config().unwrap();
        for (path, expect) in [("a.csv", true), ("x/c.csv", true), ("old/c.csv", false), ("c/a.csv", false)] {
            assert_eq!(config.selection.contains(path), expect, "{path}");
        }
        assert!(parse("--dir feeds").unwrap().serve.config().unwrap().selection.is_everything());
    }

    #[test]
    fn defaults_are_those_of_the_reference() {
        let serve = parse("--dir feeds").unwrap().serve;
        assert_eq!((serve.listen.as_str(), serve.name, serve.access.allow_anonymous), ("127.0.0.1:5001", None, false));
        assert_eq!((serve.settle, serve.rescan), (Duration::from_millis(250), Duration::from_secs(30)));
        assert_eq!((serve.max_settle, serve.patience), (Duration::from_secs(10), Duration::from_secs(30)));
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
            "--dir a --patience 0s",
            "--dir a --patience 31s",
            "--dir a --log-format xml",
            "--dir a --include a***",
            "--dir a --exclude a,,b",
            "--dir a --what",
            "inspect",
        ] {
            assert_eq!(parse(args).unwrap_err().exit_code(), 2, "{args}");
        }
        assert!(matches!(parse("inspect a.csv").unwrap().command, Some(Command::Inspect(_))));
    }
}
