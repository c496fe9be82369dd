//! The command line of `starter`.

use clap::Parser;

use tributary_console::LogArgs;

/// Sets the database up: creates it, brings its schema up to date, and prints what it holds. Doing so again changes
/// nothing.
#[derive(Debug, Parser)]
#[command(name = "starter", version)]
pub(crate) struct Args {
    /// The database: a path or sqlite:PATH. Beats TRIBUTARY_DATABASE_URL, which beats DATABASE_URL, which beats
    /// `database_url` in ./tributary.toml [default: database.db].
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,

    /// Empty the database: delete every row of every table, people's edits too. Refused while a master runs.
    #[arg(long)]
    pub(crate) reset: bool,

    /// Options of the logs.
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use tributary_console::LogFormat;

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
}
