//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use tributary_admission::{Access, host_and_port};
use tributary_cli_common::LogArgs;

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  starter demo                      the whole system in one process; it prints what to try
  starter demo --dir d --rows 1000  the same, small, and kept in the folder d
  starter --database-url shop.db    sets a database up, and says what it holds

Exit codes: 0 success, 1 failure, 2 wrong usage";

/// Sets the database up: creates it, migrates its schema, and prints what it holds. Running it again changes nothing
#[derive(Debug, Parser)]
#[command(name = "starter", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Args {
    /// A different task.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The database: a path or sqlite:PATH. If absent, TRIBUTARY_DATABASE_URL, then DATABASE_URL, then `database_url` in
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
    fn the_demo_has_its_own_flags() {
        let demo =
            |typed: &str| match Args::parse_from(std::iter::once("starter").chain(typed.split_whitespace())).command {
                Some(Command::Demo(demo)) => (demo.rows, demo.dir, demo.listen),
                None => panic!("{typed} is a command"),
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
