//! The command line and the checks of its values: a run either uploads to a master or publishes to a broker.

mod values;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, ffi::OsString, path::PathBuf};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, error::ErrorKind, parser::ValueSource};
use tributary_amqp::BrokerUrl;
use tributary_cli_common::LogArgs;
use tributary_http_client::master_url;
use tributary_tls::TrustFlags;

use crate::job::{Content, Job, PublishJob, UploadJob};

/// Queue of documents, unless `--queue` names another one.
const DOCUMENTS: &str = "tributary.documents";
/// Queue of operations, unless `--queue` names another one.
const OPERATIONS: &str = "tributary.operations";
/// Flags that only an upload has.
const UPLOAD_FLAGS: [&str; 5] = ["token_file", "ca_file", "pin", "replace", "jobs"];
/// Flags that only a broker has.
const BROKER_FLAGS: [&str; 4] = ["amqp_ca", "operations", "queue", "rate"];

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  publish prices.csv --to http://127.0.0.1:5000           upload, and wait until it is in use
  publish *.csv --to https://shop.example --token-file t  several, to a master that asks for a key
  publish prices.csv --amqp amqp://127.0.0.1:5672         publish a file to a queue

Exit codes: 0 all files are complete, 1 failure, 2 wrong usage";

/// Uploads files to a master and waits until their rows are in its tables, or publishes them to the queue of a RabbitMQ broker
#[derive(Debug, Clone, Parser)]
#[command(name = "publish", version, after_help = EXAMPLES)]
pub struct Args {
    /// Files to send; each is known by its name without folders
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Address of the master, such as http://127.0.0.1:5000; either it or `--amqp` is required
    #[arg(long, env = "TRIBUTARY_TO", hide_env_values = true, value_name = "URL")]
    pub to: Option<String>,
    /// File that holds the master's token
    #[arg(long, env = "TRIBUTARY_TOKEN_FILE", value_name = "FILE", help_heading = "With --to")]
    pub token_file: Option<PathBuf>,
    /// The certificates of the master.
    #[command(flatten, next_help_heading = "With --to")]
    pub trust: TrustFlags,
    /// Replace files of the same names that the master already has
    #[arg(long, help_heading = "With --to")]
    pub replace: bool,
    /// Files to upload at the same time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16), help_heading = "With --to")]
    pub jobs: u8,
    /// Address of the broker, such as amqp://USER:PASSWORD@127.0.0.1:5672; other users of this machine see a password here, but not in the
    /// environment
    // Not even `--help` may show a password.
    #[arg(long, env = "TRIBUTARY_AMQP", hide_env_values = true, value_name = "URL")]
    pub amqp: Option<String>,
    /// PEM file of the authority that signed the broker's certificate, if this machine does not trust it anyway
    #[arg(long, env = "TRIBUTARY_AMQP_CA", value_name = "FILE", help_heading = "With --amqp")]
    pub amqp_ca: Option<PathBuf>,
    /// Publish each line of the files as operations: a JSON object, or an array of several
    #[arg(long, help_heading = "With --amqp")]
    pub operations: bool,
    /// Queue to publish to [default: tributary.documents, or tributary.operations with `--operations`]
    #[arg(long, value_name = "NAME", value_parser = values::queue, help_heading = "With --amqp")]
    pub queue: Option<String>,
    /// Most messages to publish per second [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "With --amqp")]
    pub rate: Option<u32>,
    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Args {
    /// Reads the arguments and the environment. `words` begins with the name of the program.
    ///
    /// # Errors
    /// Wrong usage, or the texts of `--help` and `--version`.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<(Job, LogArgs), clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        let args = Self::from_arg_matches(&matches)?;
        args.check_names()?;
        let job = args.job(&matches)?;
        Ok((job, args.log))
    }

    /// Refuses two files of the same name: the receiver could not tell them apart.
    fn check_names(&self) -> Result<(), clap::Error> {
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

    /// Decides between the two targets. The checks of clap are not enough for that: a flag must beat an environment variable that names
    /// the other target, and an error must not repeat a password.
    fn job(&self, matches: &ArgMatches) -> Result<Job, clap::Error> {
        let (to, amqp) = match (&self.to, &self.amqp) {
            (Some(_), Some(_)) => self.chosen(matches)?,
            one => (one.0.as_deref(), one.1.as_deref()),
        };
        match (to, amqp) {
            (Some(to), _) => {
                refuse(matches, &BROKER_FLAGS, "`--to`")?;
                let to = master_url(to).map_err(|why| invalid("--to", &why))?;
                let trust = self.trust.trust(to.scheme() == "https");
                Ok(Job::Upload(UploadJob {
                    files: self.files.clone(),
                    trust: trust.map_err(|why| invalid("--ca-file` or `--pin", &why))?,
                    to,
                    token_file: self.token_file.clone(),
                    replace: self.replace,
                    jobs: self.jobs,
                }))
            }
            (None, Some(amqp)) => {
                refuse(matches, &UPLOAD_FLAGS, "`--amqp`")?;
                let broker = amqp.parse::<BrokerUrl>().map_err(|why| invalid("--amqp", &why))?;
                let broker = match &self.amqp_ca {
                    Some(file) => broker.trusting(file).map_err(|why| invalid("--amqp-ca", &why))?,
                    None => broker,
                };
                Ok(Job::Publish(self.publish_job(broker)))
            }
            (None, None) => {
                let text = "neither `--to` nor `--amqp` is there; name a master with `--to URL`, or a broker with `--amqp URL`";
                Err(Self::command().error(ErrorKind::MissingRequiredArgument, text))
            }
        }
    }

    /// Chooses one of both targets: a flag beats an environment variable.
    fn chosen(&self, matches: &ArgMatches) -> Result<(Option<&str>, Option<&str>), clap::Error> {
        match (is_typed(matches, "to"), is_typed(matches, "amqp")) {
            (true, false) => Ok((self.to.as_deref(), None)),
            (false, true) => Ok((None, self.amqp.as_deref())),
            (true, true) => conflict("`--to` cannot be used with `--amqp`; name one target"),
            (false, false) => {
                conflict("TRIBUTARY_TO and TRIBUTARY_AMQP are both set; name one target with `--to` or `--amqp`")
            }
        }
    }

    fn publish_job(&self, broker: BrokerUrl) -> PublishJob {
        let content = if self.operations { Content::Operations } else { Content::Documents };
        let default = if self.operations { OPERATIONS } else { DOCUMENTS };
        let queue = self.queue.as_deref().unwrap_or(default).to_owned();
        PublishJob { files: self.files.clone(), broker, queue, content, rate: self.rate }
    }
}

/// Refuses flags of the other target. Environment variables are left alone: they may be meant for other programs.
fn refuse(matches: &ArgMatches, flags: &[&str], target: &str) -> Result<(), clap::Error> {
    match flags.iter().find(|flag| is_typed(matches, flag)) {
        Some(flag) => conflict(&format!("`--{}` cannot be used with {target}", flag.replace('_', "-"))),
        None => Ok(()),
    }
}

fn is_typed(matches: &ArgMatches, flag: &str) -> bool {
    matches.value_source(flag) == Some(ValueSource::CommandLine)
}

fn conflict<T>(text: &str) -> Result<T, clap::Error> {
    Err(Args::command().error(ErrorKind::ArgumentConflict, text))
}

/// An address that cannot be used. Unlike an error of clap it does not repeat the address, which may hold a password.
fn invalid(flag: &str, why: &str) -> clap::Error {
    Args::command().error(ErrorKind::ValueValidation, format!("the value of `{flag}` is invalid: {why}"))
}
