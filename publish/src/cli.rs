//! The command line and the checks of its values.

use std::{collections::HashMap, path::PathBuf};

use clap::{CommandFactory, Parser, error::ErrorKind};
use reqwest::Url;
use tributary_cli_common::LogArgs;

/// Uploads files to a master and waits until their rows are in its tables
#[derive(Debug, Clone, Parser)]
#[command(name = "publish", version)]
pub struct Args {
    /// Files to upload; the master knows each by its name without folders
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Address of the master, such as http://127.0.0.1:5000
    #[arg(long, env = "TRIBUTARY_TO", value_name = "URL", value_parser = url)]
    pub to: Url,
    /// File that holds the master's token
    #[arg(long, env = "TRIBUTARY_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Replace files of the same names that the master already has
    #[arg(long)]
    pub replace: bool,
    /// Files to upload at the same time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub jobs: u8,
    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Args {
    /// Refuses two files of the same name: the master could not tell them apart.
    ///
    /// # Errors
    /// There are two; the text names them.
    pub fn check(&self) -> Result<(), clap::Error> {
        let mut names = HashMap::new();
        for file in &self.files {
            let Some(name) = file.file_name() else { continue };
            if let Some(other) = names.insert(name, file) {
                let (one, two) = (other.display(), file.display());
                let text = format!("{one} and {two} have the same name; publish only one of them, or rename it");
                return Err(Self::command().error(ErrorKind::ArgumentConflict, text));
            }
        }
        Ok(())
    }
}

fn url(typed: &str) -> Result<Url, String> {
    let fix = "write the master's address, such as http://127.0.0.1:5000";
    let url = Url::parse(typed).map_err(|error| format!("{error}; {fix}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("it does not start with http:// or https://; {fix}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it contains a password, which other users of this machine can see; use `--token-file FILE`".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it contains `?` or `#`; {fix}"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Result<Args, ErrorKind> {
        let words = std::iter::once("publish").chain(typed.split_whitespace());
        let args = Args::try_parse_from(words).map_err(|error| error.kind())?;
        args.check().map_err(|error| error.kind()).map(|()| args)
    }

    #[test]
    fn each_flag_is_read() {
        Args::command().debug_assert();
        let args = parse("a.csv b/c.csv --to https://master:5000/path --token-file t --replace --jobs 3").unwrap();
        assert_eq!(args.files, [PathBuf::from("a.csv"), PathBuf::from("b/c.csv")]);
        assert_eq!(args.to.as_str(), "https://master:5000/path");
        assert_eq!((args.token_file, args.replace, args.jobs), (Some("t".into()), true, 3));
        let args = parse("a.csv --to http://[::1]:5000").unwrap();
        assert_eq!((args.token_file, args.replace, args.jobs), (None, false, 2));
    }

    #[test]
    fn wrong_usage_is_refused() {
        let check = |typed: &str, expect: ErrorKind| assert_eq!(parse(typed).unwrap_err(), expect, "{typed}");
        check("--to http://m", ErrorKind::MissingRequiredArgument);
        check("a.csv", ErrorKind::MissingRequiredArgument);
        for url in ["master:5000", "127.0.0.1:5000", "ftp://m", "http://", "http://m?a", "http://m#a", "http://u:p@m"] {
            check(&format!("a.csv --to {url}"), ErrorKind::ValueValidation);
        }
        check("a.csv --to http://m --jobs 0", ErrorKind::ValueValidation);
        check("a/x.csv b/x.csv --to http://m", ErrorKind::ArgumentConflict);
        check("a.csv a.csv --to http://m", ErrorKind::ArgumentConflict);
    }
}
