//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use tributary_admission::{Access, host_and_port};
use tributary_cli_common::LogArgs;
use tributary_config::ConfigArgs;

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  starter demo                      the whole system in one process; it prints what to try
  starter demo --dir d --rows 1000  the same, small, and kept in the folder d
  starter --database-url shop.db    sets a database up, and says what it holds
  starter backup shop.tar.zst       saves the database and all uploads, while the master runs
  starter restore shop.tar.zst      brings them back, to an empty database
  starter check                     compares the tables with what the sources hold

Exit codes: 0 success, 1 failure, 2 wrong usage";

/// Sets the database up: creates it, migrates its schema, and prints what it holds. Running it again changes nothing
#[derive(Debug, Parser)]
#[command(name = "starter", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Args {
    /// A different task.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The database: a path, sqlite:PATH or postgres://… If absent, TRIBUTARY_DATABASE_URL, then DATABASE_URL, then `database_url` in
    /// ./tributary.toml [default: database.db]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// Delete every row of every table, manual corrections included; refused while a master runs
    #[arg(long)]
    pub reset: bool,

    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Tasks other than setting a database up.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole system in one process: folders with generated feeds that keep changing, a data-source for each, and a master
    /// with its pages. It prints what to try
    Demo(DemoArgs),
    /// Save the database and all uploads in one file, as they are at one moment; a master may run meanwhile
    Backup(BackupArgs),
    /// Bring a backup back, to a database that is empty; refused while a master runs
    Restore(RestoreArgs),
    /// Compute products, aggr and the tables of reports again from the sources, the uploads and the corrections, and name the first
    /// difference from the database; a master may run meanwhile
    Check(PlaceArgs),
}

/// Names a database and its folder of uploads.
#[derive(Debug, clap::Args)]
pub struct PlaceArgs {
    /// Configuration of the master [default: ./tributary.toml if it exists]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,
    /// The database: a path, sqlite:PATH or postgres://…; also TRIBUTARY_DATABASE_URL and DATABASE_URL [default: that of the configuration]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

impl From<&PlaceArgs> for ConfigArgs {
    fn from(PlaceArgs { config, database_url }: &PlaceArgs) -> Self {
        Self { config: config.clone(), database_url: database_url.clone(), ..Self::default() }
    }
}

/// Options of a backup.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// File to write, a tar archive packed with zstd; it must not exist
    pub to: PathBuf,
    /// The database.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Options of a restore.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// File that `starter backup` wrote
    pub from: PathBuf,
    /// The database.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Options of the demo.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Rows per feed; every second product is in both feeds
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(2..=100_000_000))]
    pub rows: u64,
    /// Folder for the feeds and the database, which are kept [default: a temporary folder, deleted at the end]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Address of the pages and the API [default: 127.0.0.1:5000, or a free port if another program has that one]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub listen: Option<String>,
    /// Access options.
    #[command(flatten)]
    pub access: Access,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use tributary_cli_common::LogFormat;

    use super::*;

    #[test]
    fn each_flag_is_read() {
        Args::command().debug_assert();
        let check = |typed: &str, url: Option<&str>, reset: bool, format: LogFormat| {
            let args = Args::parse_from(std::iter::once("starter").chain(typed.split_whitespace()));
            assert_eq!(
                (args.database_url.as_deref(), args.reset, args.log.log_format),
                (url, reset, format),
                "{typed}"
            );
        };
        check("", None, false, LogFormat::Text);
        check("--database-url a.db --reset", Some("a.db"), true, LogFormat::Text);
        check("--log-format json", None, false, LogFormat::Json);
    }

    #[test]
    fn backup_restore_and_check_name_a_database() {
        let parsed = |typed: &str| Args::parse_from(std::iter::once("starter").chain(typed.split_whitespace())).command;
        let check = |file: Option<&PathBuf>, place: &PlaceArgs, expect: (Option<&str>, Option<&str>, Option<&str>)| {
            let text = |path: Option<&PathBuf>| path.map(|path| path.to_str().unwrap().to_owned());
            let found = (text(file), text(place.config.as_ref()), place.database_url.clone());
            assert_eq!((found.0.as_deref(), found.1.as_deref(), found.2.as_deref()), expect);
        };
        match parsed("backup b.tar.zst --config c.toml --database-url a.db") {
            Some(Command::Backup(args)) => {
                check(Some(&args.to), &args.place, (Some("b.tar.zst"), Some("c.toml"), Some("a.db")));
            }
            other => panic!("{other:?}"),
        }
        match parsed("restore b.tar.zst --config c.toml --database-url a.db") {
            Some(Command::Restore(args)) => {
                check(Some(&args.from), &args.place, (Some("b.tar.zst"), Some("c.toml"), Some("a.db")));
            }
            other => panic!("{other:?}"),
        }
        match parsed("check --config c.toml --database-url a.db") {
            Some(Command::Check(place)) => check(None, &place, (None, Some("c.toml"), Some("a.db"))),
            other => panic!("{other:?}"),
        }
        for wrong in ["backup", "restore", "check x", "backup a b"] {
            let typed = std::iter::once("starter").chain(wrong.split_whitespace());
            assert_eq!(Args::try_parse_from(typed).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn the_demo_has_its_own_flags() {
        let demo =
            |typed: &str| match Args::parse_from(std::iter::once("starter").chain(typed.split_whitespace())).command {
                Some(Command::Demo(demo)) => (demo.rows, demo.dir, demo.listen),
                other => panic!("{typed} is {other:?}"),
            };
        assert_eq!(demo("demo"), (50_000, None, None));
        assert_eq!(
            demo("demo --rows 9 --dir d --listen 127.0.0.1:0"),
            (9, Some(PathBuf::from("d")), Some("127.0.0.1:0".into()))
        );
        for wrong in ["demo --rows 1", "demo --listen nonsense", "demo --reset", "--reset demo"] {
            let typed = std::iter::once("starter").chain(wrong.split_whitespace());
            assert_eq!(Args::try_parse_from(typed).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
