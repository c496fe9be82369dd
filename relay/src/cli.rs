//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Error, Result};
use clap::{Parser, ValueEnum, builder::ArgPredicate};
use reqwest::Url;
use tributary_amqp::BrokerUrl;
use tributary_cli_common::LogArgs;
use tributary_http_client::{Trust, master_url};
use tributary_tls::TrustFlags;

use crate::compat;

/// Examples under `--help`.
const EXAMPLES: &str = "\
Examples:
  relay --amqp amqp://127.0.0.1:5672 --to http://127.0.0.1:5000
  relay --amqp amqp://127.0.0.1:5672 --to http://127.0.0.1:5000 --queue prices

Exit codes: 0 a stop, 1 failure, 2 wrong usage";

/// Hands CSV documents from a RabbitMQ queue to a master. Any number of relays may share a queue
#[derive(Debug, Clone, Parser)]
#[command(name = "relay", version, after_help = EXAMPLES)]
pub struct Args {
    /// Address of the broker, such as amqp://guest:guest@127.0.0.1:5672; amqps:// for TLS. The environment keeps its password from
    /// other users of this machine
    #[arg(long, env = "TRIBUTARY_AMQP", value_name = "URL", hide_env_values = true)]
    pub amqp: BrokerUrl,
    /// PEM file of the authority that signed the broker's certificate, if this machine does not trust it anyway
    #[arg(long, env = "TRIBUTARY_AMQP_CA", value_name = "FILE")]
    pub amqp_ca: Option<PathBuf>,
    /// Address of the master, such as http://127.0.0.1:5000
    #[arg(long, env = "TRIBUTARY_TO", value_name = "URL", hide_env_values = true, value_parser = master_url)]
    pub to: Url,
    /// File that holds the master's token
    #[arg(long, env = "TRIBUTARY_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The certificates of the master.
    #[command(flatten)]
    pub trust: TrustFlags,
    /// Queue of the messages. With --compat, `csv_tasks` is the default
    #[arg(
        long,
        value_name = "NAME",
        default_value = "tributary.documents",
        default_value_if("compat", ArgPredicate::IsPresent, compat::QUEUE)
    )]
    pub queue: String,
    /// Takes the messages of older systems, as their producers publish them
    #[arg(long, value_name = "SYSTEM")]
    pub compat: Option<Compat>,
    /// Most documents in hand at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub prefetch: u16,
    /// Log options.
    #[command(flatten)]
    pub log: LogArgs,
}

impl Args {
    /// The certificates that prove who the master is.
    ///
    /// # Errors
    /// The file of `--ca-file` cannot be used, or the address is not encrypted.
    pub(crate) fn trust(&self) -> Result<Trust> {
        let trust = self.trust.trust(self.to.scheme() == "https");
        trust.map_err(Error::msg).context("--ca-file or --pin cannot be used")
    }

    /// The broker, and whom to trust.
    ///
    /// # Errors
    /// The file of `--amqp-ca` cannot be used.
    pub(crate) fn broker(&self) -> Result<BrokerUrl> {
        let broker = self.amqp.clone();
        match &self.amqp_ca {
            Some(file) => broker.trusting(file).map_err(Error::msg).context("--amqp-ca cannot be used"),
            None => Ok(broker),
        }
    }
}

/// Older systems whose messages a relay takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Tasks and changes of single rows in the queue `csv_tasks`
    #[value(name = "csv_tasks")]
    CsvTasks,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(typed: &str) -> Result<Args, ErrorKind> {
        let words = std::iter::once("relay").chain(typed.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.kind())
    }

    #[test]
    fn each_flag_is_read() {
        Args::command().debug_assert();
        let args = parse(
            "--amqp amqp://b --amqp-ca c.pem --to http://m:5000 --token-file t --ca-file a.pem --queue q --prefetch 3",
        )
        .unwrap();
        assert_eq!(args.amqp.to_string(), "amqp://b:5672");
        assert_eq!((args.to.as_str(), args.token_file), ("http://m:5000/", Some("t".into())));
        assert_eq!((args.amqp_ca, args.trust.ca_file), (Some("c.pem".into()), Some("a.pem".into())));
        assert_eq!((args.queue.as_str(), args.prefetch), ("q", 3));
        assert_eq!(args.compat, None);
        let args = parse("--amqp amqp://b --to http://m --compat csv_tasks").unwrap();
        assert_eq!((args.queue.as_str(), args.compat), ("csv_tasks", Some(Compat::CsvTasks)));
        let args = parse("--amqp amqp://b --to http://m --compat csv_tasks --queue q").unwrap();
        assert_eq!(args.queue, "q");
        let args = parse(&format!("--amqp amqps://b --to https://m --pin sha256:{}", "0".repeat(64))).unwrap();
        assert!(!args.trust().unwrap().is_default());
        assert_eq!((args.queue.as_str(), args.prefetch), ("tributary.documents", 64));
    }

    #[test]
    fn wrong_usage_is_refused() {
        let check = |typed: &str, expect: ErrorKind| assert_eq!(parse(typed).unwrap_err(), expect, "{typed}");
        check("--to http://m", ErrorKind::MissingRequiredArgument);
        check("--amqp amqp://b", ErrorKind::MissingRequiredArgument);
        check("--amqp http://b --to http://m", ErrorKind::ValueValidation);
        check("--amqp amqp://b --to http://m --compat csv", ErrorKind::InvalidValue);
        for to in ["m:5000", "ftp://m", "http://m?a", "http://u:p@m"] {
            check(&format!("--amqp amqp://b --to {to}"), ErrorKind::ValueValidation);
        }
        for prefetch in ["0", "1001", "x"] {
            check(&format!("--amqp amqp://b --to http://m --prefetch {prefetch}"), ErrorKind::ValueValidation);
        }
    }
}
