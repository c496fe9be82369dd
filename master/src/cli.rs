//! The command line of `master`.

use clap::{Command, CommandFactory, FromArgMatches, Parser};
use tributary_admission::{Role, check_token_name};
use tributary_cli_common::{LogArgs, Server, with_variables};
use tributary_config::ConfigArgs;

/// Text under `--help`.
const AFTER_HELP: &str = "\
Examples:
  master --source shop=http://127.0.0.1:5001          follow one source; pages on 127.0.0.1:5000
  master --config tributary.toml --check              say what a configuration means
  master --once --source shop=http://127.0.0.1:5001   one pass over all sources, for cron

Where to find:
  keys      the tokens that requests bring, as `Authorization: Bearer TOKEN`, stand in the file
            that --token-file names; --new-token NAME prints a line for it. Keys of
            tributary.toml are in docs/reference/configuration.md
  reports   each [[report]] of tributary.toml is on the page /reports, in the table report_NAME,
            and printed by `readdb report NAME`
  guide     docs/guide/README.md, one page per task; a running master shows its API on /docs

Exit codes: 0 success, also a stop; 1 failure, which stderr explains; 2 wrong usage";

/// Polls every source, merges what changed, and writes the tables `products` and `aggr`
#[derive(Debug, Clone, Parser)]
#[command(name = "master", version, about, after_help = AFTER_HELP)]
pub struct Args {
    /// Settings that override the configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Pass over every source once, print one summary line, and stop. Exit code 0: every source was reached and everything but
    /// rejected rows was applied
    #[arg(long)]
    pub once: bool,

    /// Read the database beside the master that writes it: serve pages, API and events, and send changes on to that master
    #[arg(long, env = "TRIBUTARY_READ_ONLY", conflicts_with_all = ["once", "check", "accept", "drop_sources"])]
    pub read_only: bool,

    /// Validate the configuration, print what it means, and stop. Exit code 0: it can be used; 2: it cannot, and why
    #[arg(long, conflicts_with = "once")]
    pub check: bool,

    /// Make a token, print its line for the file of `--token-file`, and stop. Nothing is stored
    #[arg(long, value_name = "NAME", value_parser = token_name, conflicts_with_all = ["once", "check", "accept"])]
    pub new_token: Option<String>,

    /// Role of the new token: read, edit, upload or admin; each includes those before it [default: all]
    #[arg(long, requires = "new_token")]
    pub role: Option<Role>,

    /// Options of the logs.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Args {
    /// The command line with the environment variables of this program.
    #[must_use]
    pub fn program() -> Command {
        with_variables(Self::command(), Server::Master)
    }

    /// Reads command line and environment. Wrong usage ends the program.
    #[must_use]
    pub fn read() -> Self {
        Self::from_arg_matches(&Self::program().get_matches()).unwrap_or_else(|error| error.exit())
    }
}

fn token_name(typed: &str) -> Result<String, String> {
    check_token_name(typed).map(|()| typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_has_a_name_and_perhaps_a_role() {
        let parse = |typed: &str| Args::try_parse_from(typed.split_whitespace());
        let args = parse("master --new-token ann --role edit").unwrap();
        assert_eq!((args.new_token.as_deref(), args.role), (Some("ann"), Some(Role::Edit)));
        for wrong in
            ["--new-token", "--new-token a:b", "--new-token a --role owner", "--role edit", "--new-token a --once"]
        {
            assert_eq!(parse(&format!("master {wrong}")).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_master_that_only_reads_is_given_nothing_to_change() {
        let parse = |typed: &str| Args::try_parse_from(typed.split_whitespace());
        assert!(parse("master --read-only --listen 127.0.0.1:0").unwrap().read_only);
        assert!(!parse("master").unwrap().read_only);
        for wrong in ["--once", "--accept north", "--drop-sources all", "--check"] {
            assert_eq!(parse(&format!("master --read-only {wrong}")).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn the_help_says_where_things_are() {
        let help = Args::program().render_long_help().to_string();
        for part in ["--token-file", "[[report]]", "docs/guide/README.md", "Exit codes: 0"] {
            assert!(help.contains(part), "{part}: {help}");
        }
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        let examples: Vec<&str> = examples.take_while(|line| !line.is_empty()).collect();
        assert_eq!(examples.len(), 3, "{help}");
        for example in examples {
            let typed = example.trim().split("   ").next().unwrap_or_default();
            let parsed = Args::try_parse_from(typed.split_whitespace());
            assert!(parsed.is_ok(), "{typed}: {parsed:?}");
        }
    }
}
