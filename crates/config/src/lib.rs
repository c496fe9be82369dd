//! The configuration of every program: flags over environment over `tributary.toml` over defaults, validated once.
//!
//! `file` is the configuration as typed; this module is the configuration as used. Nothing here opens a database or a
//! connection.
#![warn(missing_docs)]

mod amqp;
mod args;
mod brake;
mod cache;
mod catalog;
mod compat;
mod describe;
mod display;
mod engine;
mod fields;
mod file;
mod group_by;
mod grpc;
mod limits;
mod locate;
mod public_url;
mod reader;
mod report;
mod results;
mod sales_gateway;
mod secrets;
mod source;
mod uploads;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use tributary_admission::{Access, host_and_port};
use tributary_pace::MAX_PATIENCE;
use tributary_store::DatabaseUrl;
use tributary_tls::TlsFiles;

pub use amqp::{AmqpConfig, AmqpUrl};
pub use args::ConfigArgs;
pub use brake::{Brake, MaxRemoval};
pub use cache::CacheConfig;
pub use catalog::{CatalogConfig, ColumnConfig};
pub use compat::{CompatConfig, CompatData};
pub use display::ReportDisplay;
pub use engine::ClusterConfig;
pub use grpc::GrpcConfig;
pub use limits::{Limits, SourceLimits};
pub use locate::locate_database;
pub use reader::{PRODUCTS, report_of, report_reader};
pub use report::{ReportConfig, declared_report};
pub use results::{ExportTimes, ResultsConfig};
pub use sales_gateway::{Origins, SalesGatewayConfig};
pub use source::{SourceConfig, UPLOADS};
pub use uploads::UploadsConfig;

use self::source::sources_of;

/// A validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database to write. Default: `database.db`.
    pub database: DatabaseUrl,
    /// Address of the form and the API, as HOST:PORT; `--once` does not listen. Default: 127.0.0.1:5000.
    pub listen: String,
    /// The address of the master as others reach it, such as `https://shop.example`. Default: none, it is not known.
    pub public_url: Option<String>,
    /// Access rules. Default: only this machine is let in.
    pub access: Access,
    /// The own certificate and its key. Default: none, the server speaks no TLS.
    pub tls: TlsFiles,
    /// Host names that requests may use besides the listening address and this machine's own. Default: none.
    pub allowed_hosts: Vec<String>,
    /// Interval between two questions to a source that cannot hold its answer. Default: 1 s.
    pub poll_interval: Duration,
    /// The time over which a peer must keep [the least speed](tributary_pace::LEAST_SPEED) of a body on average. Default: 30 s.
    pub patience: Duration,
    /// The sources in the order of the configuration. Default: none.
    pub sources: Vec<SourceConfig>,
    /// The reports in the order of the configuration. Default: none.
    pub reports: Vec<ReportConfig>,
    /// The columns of the products. Default: the sku, the name and the description.
    pub catalog: CatalogConfig,
    /// Limits and folder of uploads.
    pub uploads: UploadsConfig,
    /// Bytes that stay free on a disk, whatever is written to it besides the database. Default: 1 GiB.
    pub keep_free: u64,
    /// The cache of what is remembered of files. A reload does not change it.
    pub cache: CacheConfig,
    /// Bounds of the memory that all share. A reload does not change them.
    pub limits: Limits,
    /// The broker and its queues. Default: none.
    pub amqp: AmqpConfig,
    /// The entrance for gRPC. Default: none.
    pub grpc: GrpcConfig,
    /// The web gateway of streams of sales. Default: none.
    pub sales_gateway: SalesGatewayConfig,
    /// The place that results are written to. Default: none.
    pub results: ResultsConfig,
    /// The REST paths of older systems. Default: none, they are off.
    pub compat: Option<CompatConfig>,
    /// Which sources may go with their rows because they are no longer configured. Default: none that holds rows.
    pub drop_sources: DropSources,
    /// Sources whose held version is accepted by this run. Default: none.
    pub accept: Vec<String>,
    /// When a running master reads its configuration again. Default: on SIGHUP only.
    pub reload: Reload,
    /// The file that was read. Default: none.
    pub file: Option<PathBuf>,
    /// Whether that file has no setting.
    pub is_blank: bool,
    /// Whether this is the demo, which has a page of its own. `starter demo` sets it; no setting does.
    pub is_demo: bool,
}

/// Sources that may be dropped with their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropSources {
    /// Those with one of these names.
    Named(Vec<String>),
    /// Any.
    All,
}

impl DropSources {
    /// Whether the source with this name may go.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|allowed| allowed == name),
            Self::All => true,
        }
    }

    /// Those that `--drop-sources` names.
    fn of(names: &[String]) -> Self {
        if names.iter().any(|name| name == "all") { Self::All } else { Self::Named(names.to_vec()) }
    }
}

/// When a running master reads its configuration again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reload {
    /// On SIGHUP.
    #[default]
    Signal,
    /// On SIGHUP, and when the file changes: `reload = "watch"`.
    Watch,
}

/// A configuration that cannot be used: wrong usage, exit code 2. The text names file, line and fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

impl Default for Config {
    fn default() -> Self {
        Self {
            database: DatabaseUrl::default(),
            listen: DEFAULT_LISTEN.to_owned(),
            public_url: None,
            access: Access::default(),
            tls: TlsFiles::default(),
            allowed_hosts: Vec::new(),
            poll_interval: DEFAULT_POLL_INTERVAL,
            patience: MAX_PATIENCE,
            sources: Vec::new(),
            reports: Vec::new(),
            catalog: CatalogConfig::default(),
            uploads: UploadsConfig::default(),
            keep_free: limits::DEFAULT_KEEP_FREE,
            cache: CacheConfig::default(),
            limits: Limits::default(),
            amqp: AmqpConfig::default(),
            grpc: GrpcConfig::default(),
            sales_gateway: SalesGatewayConfig::default(),
            results: ResultsConfig::default(),
            compat: None,
            drop_sources: DropSources::Named(Vec::new()),
            accept: Vec::new(),
            reload: Reload::default(),
            file: None,
            is_blank: false,
            is_demo: false,
        }
    }
}

const DEFAULT_LISTEN: &str = "127.0.0.1:5000";
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(1);
const DEFAULT_FILE: &str = "tributary.toml";

impl Config {
    /// Merges flags, environment and file.
    ///
    /// # Errors
    /// A setting is invalid, or the file named by `--config` does not exist.
    pub fn load(args: &ConfigArgs) -> Result<Self, ConfigError> {
        let default = Path::new(DEFAULT_FILE);
        // A link that leads nowhere is a mistake: read it, so that the error says so.
        let path = args.config.clone().or_else(|| default.symlink_metadata().is_ok().then(|| default.to_owned()));
        let file = path.as_deref().map(file::read).transpose()?.unwrap_or_default();
        Self::merge(args, path, file)
    }

    /// As [`Self::load`], for a program that has read the file before. A file that is gone or says nothing is one that somebody is
    /// replacing, or has lost: the default of everything is not what it means.
    ///
    /// # Errors
    /// As [`Self::load`]; the file that was read before is gone, or has no setting.
    pub fn load_again(&self, args: &ConfigArgs) -> Result<Self, ConfigError> {
        let Some(path) = &self.file else { return Self::load(args) };
        let file = file::read(path)?;
        if file.is_blank && !self.is_blank {
            return Err(ConfigError(format!(
                "the configuration {} has no setting; write it again, or restart the program to go on with the defaults",
                path.display()
            )));
        }
        Self::merge(args, Some(path.clone()), file)
    }

    fn merge(args: &ConfigArgs, path: Option<PathBuf>, file: file::File) -> Result<Self, ConfigError> {
        let database = database(args, file.database_url, file.work_dir.as_deref())?;
        let listen = match &args.listen {
            Some(text) => host_and_port(text).map_err(|why| ConfigError(format!("--listen: {why}")))?,
            None => file.listen.unwrap_or_else(|| DEFAULT_LISTEN.to_owned()),
        };
        let public_url = flag("--public-url", args.public_url.as_deref(), public_url::public_url)?.or(file.public_url);
        let allowed_hosts = if args.allowed_hosts.is_empty() { file.allowed_hosts } else { args.allowed_hosts.clone() };
        let access = Access {
            token_file: args.access.token_file.clone().or(file.token_file),
            allow_anonymous: args.access.allow_anonymous || file.allow_anonymous,
        };
        let tls = secrets::files(&args.tls, file.tls)?;
        let poll_interval = flag("--poll-interval", args.poll_interval.as_deref(), duration)?;
        let poll_interval = poll_interval.or(file.poll_interval).unwrap_or(DEFAULT_POLL_INTERVAL);
        let patience = flag("--patience", args.patience.as_deref(), patience)?.or(file.patience);
        let patience = patience.unwrap_or(MAX_PATIENCE);
        let variable = std::env::var("TRIBUTARY_SOURCE").unwrap_or_default();
        let are_flags = !args.sources.is_empty() || !variable.trim().is_empty();
        let mut sources = match (args.sources.is_empty(), variable.trim().is_empty()) {
            (false, _) => sources_of(&args.sources)?,
            (true, false) => sources_of(&variable.split_whitespace().map(str::to_owned).collect::<Vec<_>>())?,
            (true, true) => file.sources,
        };
        for source in sources.iter_mut().filter(|source| source.columns.own.is_empty()) {
            // One that was given as a flag.
            source.columns.own = file.catalog.own_columns(BTreeMap::new()).unwrap_or_default();
        }
        if let (Err(why), Some(path)) = (file.catalog.check_sources(&sources, are_flags), &path) {
            let line = std::fs::read_to_string(path).ok().and_then(|text| line_of_from(&text)).unwrap_or(1);
            return Err(ConfigError(format!("{}, line {line}: {why}", path.display())));
        }
        Ok(Self {
            sales_gateway: args.sales_gateway(file.sales_gateway, &access)?,
            database,
            listen,
            public_url,
            access,
            tls,
            allowed_hosts,
            poll_interval,
            patience,
            sources,
            reports: file.reports,
            catalog: file.catalog,
            uploads: file.uploads,
            keep_free: file.keep_free.unwrap_or(limits::DEFAULT_KEEP_FREE),
            cache: file.cache,
            limits: file.limits,
            amqp: args.amqp(file.amqp)?,
            grpc: args.grpc(file.grpc)?,
            results: file.results,
            compat: file.compat,
            drop_sources: DropSources::of(&args.drop_sources),
            accept: args.accept.clone(),
            reload: file.reload,
            file: path,
            is_blank: file.is_blank,
            is_demo: false,
        })
    }
}

/// The database, and where the other files of its master are.
fn database(
    args: &ConfigArgs,
    of_file: Option<DatabaseUrl>,
    work_dir: Option<&std::path::Path>,
) -> Result<DatabaseUrl, ConfigError> {
    let told = locate::given(args.database_url.as_deref())?;
    let database = told.or(of_file).unwrap_or_default();
    Ok(match work_dir {
        Some(folder) => database.working_in(folder),
        None => database,
    })
}

/// The value of a flag, if it is given.
fn flag<T>(name: &str, given: Option<&str>, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, ConfigError> {
    given.map(|text| parse(text).map_err(|why| ConfigError(format!("{name}: {why}")))).transpose()
}

/// The line on which `[catalog.from]` begins.
fn line_of_from(text: &str) -> Option<usize> {
    text.lines().position(|line| line.trim_start().starts_with("[catalog.from]")).map(|line| line + 1)
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|why| format!("`{text}` is not a duration ({why}); write for example 250ms, 1s or 2m"))?;
    if duration.is_zero() {
        return Err("a duration must not be 0".to_owned());
    }
    Ok(duration)
}

fn patience(text: &str) -> Result<Duration, String> {
    let patience = duration(text)?;
    if !(Duration::from_secs(1)..=MAX_PATIENCE).contains(&patience) {
        return Err(format!("`{text}` is out of range; write 1s to {}s", MAX_PATIENCE.as_secs()));
    }
    Ok(patience)
}

#[cfg(test)]
mod tests;
