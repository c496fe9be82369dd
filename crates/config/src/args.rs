//! The settings of the master as flags and environment variables.

use std::path::PathBuf;

use clap::Args;
use tributary_admission::{Access, host_and_port};
use tributary_tls::TlsFiles;

use crate::{AmqpConfig, ConfigError, GrpcConfig, Origins, SalesGatewayConfig, amqp};

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

    /// Address of this master as others reach it, such as `https://shop.example`. A master that only reads sends changes there
    #[arg(long, value_name = "URL", env = "TRIBUTARY_PUBLIC_URL", hide_env_values = true)]
    pub public_url: Option<String>,

    /// Interval in which to ask a source that cannot hold its answer [default: 1s]
    #[arg(long, value_name = "DURATION", env = "TRIBUTARY_POLL_INTERVAL")]
    pub poll_interval: Option<String>,

    /// Time over which a source, a sender or a client must move 1 KiB per second of a body on average, or it is let go [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub patience: Option<String>,

    /// A host name the form may be opened under, besides its address and this machine's own names, with `https://` before it if a
    /// proxy takes https for it; repeatable
    #[arg(
        long = "allowed-host",
        value_name = "[https://]HOST[:PORT]",
        env = "TRIBUTARY_ALLOWED_HOSTS",
        value_delimiter = ','
    )]
    pub allowed_hosts: Vec<String>,

    /// Sources that may be dropped with all their rows because they are no longer configured; `all` for any. Without it the
    /// master refuses to start when a source that holds rows is gone from the configuration, and a reload holds its rows
    #[arg(long = "drop-sources", value_name = "NAME,…|all", value_delimiter = ',')]
    pub drop_sources: Vec<String>,

    /// Accept what this source holds because it would take too much away, and stop; with `--once`, in this run. Repeatable
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,

    /// RabbitMQ broker with operations for this master: amqp://USER:PASSWORD@HOST:5672, or amqps:// for TLS. The environment keeps
    /// its password from other users of this machine
    #[arg(long, value_name = "URL", env = "TRIBUTARY_AMQP", hide_env_values = true)]
    pub amqp: Option<String>,

    /// PEM file of the authority that signed the broker's certificate, if this machine does not trust it anyway
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_AMQP_CA")]
    pub amqp_ca: Option<PathBuf>,

    /// Queue of operations [default: tributary.operations]
    #[arg(long, value_name = "NAME")]
    pub operations_queue: Option<String>,

    /// Exchange of the broker to publish every event to
    #[arg(long, value_name = "NAME")]
    pub amqp_results: Option<String>,

    /// Address of the entrance for gRPC; without it there is none
    #[arg(long, value_name = "ADDR:PORT", env = "TRIBUTARY_GRPC")]
    pub grpc: Option<String>,

    /// Address of the web gateway for files of sales; without it there is none
    #[arg(long, value_name = "ADDR:PORT", env = "TRIBUTARY_SALES_GATEWAY")]
    pub sales_gateway: Option<String>,

    /// A site whose pages may use that gateway, or `*` for any; repeatable
    #[arg(
        long = "sales-gateway-origin",
        value_name = "ORIGIN",
        env = "TRIBUTARY_SALES_GATEWAY_ORIGINS",
        value_delimiter = ','
    )]
    pub sales_gateway_origins: Vec<String>,

    /// Folder of the totals of files of sales [default: PATH.results next to the database]
    #[arg(long, value_name = "FOLDER")]
    pub results_dir: Option<PathBuf>,

    /// Clients that are let in
    #[command(flatten)]
    pub access: Access,

    /// The own certificate
    #[command(flatten)]
    pub tls: TlsFiles,
}

impl ConfigArgs {
    /// The entrance for gRPC: flags over those of the file.
    pub(super) fn grpc(&self, file: GrpcConfig) -> Result<GrpcConfig, ConfigError> {
        let listen = self.grpc.as_deref().map(host_and_port).transpose();
        let listen = listen.map_err(|why| ConfigError(format!("--grpc: {why}")))?;
        Ok(GrpcConfig {
            listen: listen.or(file.listen),
            results_dir: self.results_dir.clone().or(file.results_dir),
            ..file
        })
    }

    /// The web gateway: flags over those of the file.
    pub(super) fn sales_gateway(
        &self,
        file: SalesGatewayConfig,
        access: &Access,
    ) -> Result<SalesGatewayConfig, ConfigError> {
        let listen = self.sales_gateway.as_deref().map(host_and_port).transpose();
        let listen = listen.map_err(|why| ConfigError(format!("--sales-gateway: {why}")))?.or(file.listen);
        let origins = match self.sales_gateway_origins.as_slice() {
            [] => file.origins,
            typed => Origins::parse(typed).map_err(|why| ConfigError(format!("--sales-gateway-origin: {why}")))?,
        };
        if listen.is_some() && origins == Origins::Any && access.token_file.is_none() {
            // Any page that somebody on this machine opens could send files, and read totals.
            let why = "the sales gateway must not be open to the pages of any site without tokens; \
                       name the sites in place of `*`, or set --token-file";
            return Err(ConfigError(why.to_owned()));
        }
        Ok(SalesGatewayConfig { listen, origins })
    }

    /// The broker and its queues: flags over those of the file.
    pub(super) fn amqp(&self, file: AmqpConfig) -> Result<AmqpConfig, ConfigError> {
        fn told<T>(
            flag: &str,
            text: Option<&String>,
            parse: fn(&str) -> Result<T, String>,
        ) -> Result<Option<T>, ConfigError> {
            text.map(|text| parse(text).map_err(|why| ConfigError(format!("{flag}: {why}")))).transpose()
        }
        let url = told("--amqp", self.amqp.as_ref(), amqp::amqp_url)?;
        let operations = told("--operations-queue", self.operations_queue.as_ref(), amqp::name)?;
        let results = told("--amqp-results", self.amqp_results.as_ref(), amqp::name)?;
        Ok(AmqpConfig {
            url: url.or(file.url),
            ca_file: self.amqp_ca.clone().or(file.ca_file),
            operations_queue: operations.unwrap_or(file.operations_queue),
            results_exchange: results.or(file.results_exchange),
            ..file
        })
    }
}
