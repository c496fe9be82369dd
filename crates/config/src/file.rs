//! `tributary.toml` as typed, and its validation. Every error names file, line and fix.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use toml::Spanned;
use tributary_admission::host_and_port;
use tributary_csv_gate::Columns;
use tributary_format_rules::{key_of_value, line_of, size};
use tributary_protocol::{FormatSpec, OneOrMany};
use tributary_store::DatabaseUrl;
use tributary_tls::TlsFiles;

use self::uploads::UploadsAsTyped;
use super::{
    AmqpConfig, CacheConfig, CatalogConfig, CompatConfig, ConfigError, GrpcConfig, Limits, Origins, Reload,
    ReportConfig, ResultsConfig, SalesGatewayConfig, SourceConfig, UploadsConfig,
    amqp::AmqpAsTyped,
    cache::{self, CacheAsTyped},
    catalog::CatalogAsTyped,
    compat::{CompatAsTyped, compat},
    duration,
    engine::{self, EngineAsTyped},
    grpc::GrpcAsTyped,
    limits::{self, LimitsAsTyped},
    patience,
    public_url::public_url,
    report::{ReportAsTyped, report},
    results::ResultsAsTyped,
    sales_gateway::SalesGatewayAsTyped,
};
use crate::fields::field_names;

mod amqp;
mod grpc;
mod results;
mod source;
mod uploads;

/// The validated file. Missing settings are `None` or empty.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) database_url: Option<DatabaseUrl>,
    pub(super) work_dir: Option<PathBuf>,
    pub(super) listen: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) tls: TlsFiles,
    pub(super) allow_anonymous: bool,
    pub(super) poll_interval: Option<Duration>,
    pub(super) patience: Option<Duration>,
    pub(super) sources: Vec<SourceConfig>,
    pub(super) reports: Vec<ReportConfig>,
    pub(super) catalog: CatalogConfig,
    pub(super) uploads: UploadsConfig,
    pub(super) keep_free: Option<u64>,
    pub(super) cache: CacheConfig,
    pub(super) limits: Limits,
    pub(super) amqp: AmqpConfig,
    pub(super) grpc: GrpcConfig,
    pub(super) sales_gateway: SalesGatewayConfig,
    pub(super) results: ResultsConfig,
    pub(super) compat: Option<CompatConfig>,
    pub(super) reload: Reload,
    /// Whether it has no setting.
    pub(super) is_blank: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAsTyped {
    database_url: Option<Spanned<String>>,
    work_dir: Option<PathBuf>,
    listen: Option<Spanned<String>>,
    public_url: Option<Spanned<String>>,
    #[serde(default)]
    allowed_hosts: Vec<String>,
    token_file: Option<PathBuf>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    allow_anonymous: bool,
    poll_interval: Option<Spanned<String>>,
    keep_free: Option<Spanned<String>>,
    patience: Option<Spanned<String>>,
    reload: Option<Spanned<String>>,
    #[serde(default)]
    source: Vec<SourceAsTyped>,
    #[serde(default)]
    report: Vec<ReportAsTyped>,
    #[serde(default)]
    catalog: CatalogAsTyped,
    #[serde(default)]
    uploads: UploadsAsTyped,
    #[serde(default)]
    cache: CacheAsTyped,
    #[serde(default)]
    limits: LimitsAsTyped,
    #[serde(default)]
    amqp: AmqpAsTyped,
    #[serde(default)]
    grpc: GrpcAsTyped,
    #[serde(default)]
    sales_gateway: SalesGatewayAsTyped,
    #[serde(default)]
    results: ResultsAsTyped,
    compat: Option<CompatAsTyped>,
    #[serde(default)]
    engine: EngineAsTyped,
}

/// The only key that programs without sources need; they ignore the others.
#[derive(Debug, Deserialize)]
struct DatabaseKey {
    database_url: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceAsTyped {
    name: Spanned<String>,
    url: Spanned<String>,
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    columns: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    token_file: Option<Spanned<String>>,
    ca_file: Option<Spanned<String>>,
    pin: Option<Spanned<String>>,
    include: Option<Spanned<OneOrMany>>,
    exclude: Option<Spanned<OneOrMany>>,
    max_removal: Option<Spanned<toml::Value>>,
    hold_for: Option<Spanned<toml::Value>>,
    max_files: Option<Spanned<u64>>,
    max_file_size: Option<Spanned<String>>,
    max_rejects: Option<u64>,
    poll_interval: Option<Spanned<String>>,
    #[serde(default)]
    format: Vec<Spanned<FormatSpec>>,
}

/// Reads only the database's URL from the text of a configuration file; other settings may be wrong, but every top-level key must
/// be a known one.
pub(super) fn database_url(path: &Path, text: &str) -> Result<Option<DatabaseUrl>, ConfigError> {
    let place = Place { path, text };
    let keys: BTreeMap<Spanned<String>, IgnoredAny> = place.parse()?;
    let known = field_names::<FileAsTyped>();
    if let Some(key) = keys.keys().find(|key| !known.contains(&key.get_ref().as_str())) {
        let why = format!("unknown field `{}`, expected one of `{}`", key.get_ref(), known.join("`, `"));
        return Err(place.error(key.span().start, &why));
    }
    let typed: DatabaseKey = place.parse()?;
    place.optional(typed.database_url.as_ref(), parse_url)
}

fn parse_url(url: &str) -> Result<DatabaseUrl, String> {
    url.parse().map_err(|why: tributary_store::Error| why.to_string())
}

fn reload(text: &str) -> Result<Reload, String> {
    match text {
        "watch" => Ok(Reload::Watch),
        "signal" => Ok(Reload::Signal),
        _ => Err(format!("`{text}` is not a way to reload; write \"watch\" or \"signal\"")),
    }
}

/// Reads and checks the file.
pub(super) fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|why| ConfigError(format!("failed to read the configuration {}: {why}", path.display())))?;
    Place { path, text: &text }.check()
}

fn header_names(names: &OneOrMany) -> Result<Vec<String>, String> {
    let names = names.to_vec();
    if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
        return Err("a mapped column needs a header name; leave it out to use the default".to_owned());
    }
    Ok(names)
}

/// A file and its text, to name the line of an error.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(self.text).map_err(|why| self.error(why.span().map_or(0, |span| span.start), why.message()))
    }

    fn check(&self) -> Result<File, ConfigError> {
        let is_blank = self.parse::<toml::Table>()?.is_empty();
        let typed: FileAsTyped = self.parse()?;
        let database_url = self.optional(typed.database_url.as_ref(), parse_url)?;
        let listen = self.optional(typed.listen.as_ref(), host_and_port)?;
        let poll_interval = self.optional(typed.poll_interval.as_ref(), duration)?;
        let keep_free = self.optional(typed.keep_free.as_ref(), size)?;
        let patience = self.optional(typed.patience.as_ref(), patience)?;
        self.differ("source", typed.source.iter().map(|source| &source.name))?;
        self.differ("report", typed.report.iter().map(|report| &report.name))?;
        let catalog = self.catalog(&typed.catalog)?;
        let sources = typed.source.into_iter().map(|source| self.source(source, &catalog)).collect::<Result<_, _>>()?;
        let cluster = engine::engine(&typed.engine).map_err(|(at, why)| self.error(at, &why))?;
        let reports = typed.report.iter().map(|typed| {
            let mut report = report(typed, cluster.as_ref()).map_err(|(at, why)| self.error(at, &why))?;
            report.formats = self.formats(&typed.format, &catalog)?;
            Ok::<_, ConfigError>(report)
        });
        let reports = reports.collect::<Result<Vec<_>, _>>()?;
        let compat = typed.compat.as_ref().map(|typed| compat(typed, &reports)).transpose();
        Ok(File {
            database_url,
            work_dir: typed.work_dir.map(|path| self.beside(&path)),
            listen,
            public_url: self.optional(typed.public_url.as_ref(), public_url)?,
            allowed_hosts: typed.allowed_hosts,
            token_file: typed.token_file.map(|path| self.beside(&path)),
            tls: TlsFiles {
                tls_cert: typed.tls_cert.map(|path| self.beside(&path)),
                tls_key: typed.tls_key.map(|path| self.beside(&path)),
            },
            allow_anonymous: typed.allow_anonymous,
            poll_interval,
            patience,
            sources,
            reports,
            uploads: self.uploads(&typed.uploads, keep_free, &catalog)?,
            keep_free,
            cache: self.cache(&typed.cache)?,
            limits: self.shared_limits(&typed.limits)?,
            amqp: self.amqp(&typed.amqp)?,
            grpc: self.grpc(&typed.grpc)?,
            sales_gateway: SalesGatewayConfig {
                listen: self.optional(typed.sales_gateway.listen.as_ref(), host_and_port)?,
                origins: self.optional(typed.sales_gateway.origins.as_ref(), Origins::parse)?.unwrap_or_default(),
            },
            results: self.results(&typed.results)?,
            compat: compat.map_err(|(at, why)| self.error(at, &why))?,
            catalog,
            reload: self.optional(typed.reload.as_ref(), reload)?.unwrap_or_default(),
            is_blank,
        })
    }

    fn cache(&self, typed: &CacheAsTyped) -> Result<CacheConfig, ConfigError> {
        let size = self.optional(typed.size.as_ref(), cache::cache_size)?.unwrap_or(CacheConfig::default().size);
        let dir = self.optional(typed.dir.as_ref(), cache::folder)?.map(|dir| self.beside(&dir));
        Ok(CacheConfig { size, dir })
    }

    fn shared_limits(&self, typed: &LimitsAsTyped) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        Ok(Limits {
            bodies: self.optional(typed.bodies.as_ref(), size)?.unwrap_or(default.bodies),
            files_per_part: self
                .optional(typed.files_per_part.as_ref(), limits::files_per_part)?
                .unwrap_or(default.files_per_part),
            followers: self.optional(typed.followers.as_ref(), limits::followers)?.unwrap_or(default.followers),
            lists: self.optional(typed.lists.as_ref(), size)?.unwrap_or(default.lists),
            sorted_rows: self.optional(typed.sorted_rows.as_ref(), size)?.unwrap_or(default.sorted_rows),
            report_memory: self.optional(typed.report_memory.as_ref(), size)?.unwrap_or(default.report_memory),
        })
    }

    fn catalog(&self, typed: &CatalogAsTyped) -> Result<CatalogConfig, ConfigError> {
        CatalogConfig::new(typed).map_err(|(at, why)| self.error(at, &why))
    }

    /// The names that the columns of the catalog have in the files of a source.
    fn columns(
        &self,
        typed: &BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
        catalog: &CatalogConfig,
    ) -> Result<Columns, ConfigError> {
        let mut mapped: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (column, names) in typed {
            mapped.insert(column.get_ref().clone(), self.checked(names, header_names)?);
        }
        let mut built_in = |name: &str| mapped.remove(name).unwrap_or_default();
        let (sku, name, description) = (built_in("sku"), built_in("name"), built_in("description"));
        let op = built_in("op");
        let own = catalog.own_columns(mapped).map_err(|unknown| {
            let at = typed.keys().find(|column| *column.get_ref() == unknown).map_or(0, |column| column.span().start);
            let why = catalog.no_column(&unknown);
            self.error(at, &format!("{why}, and `op`; list a column of your own in `columns` of [catalog]"))
        })?;
        Ok(Columns { sku, name, description, op, own, newest: None })
    }

    /// Refuses two entries of a `kind` with the same name.
    fn differ<'b>(&self, kind: &str, all: impl Iterator<Item = &'b Spanned<String>>) -> Result<(), ConfigError> {
        let mut names: HashMap<&str, usize> = HashMap::new();
        for name in all {
            let at = name.span().start;
            if let Some(first) = names.insert(name.get_ref(), at) {
                let (line, name) = (self.line(first), name.get_ref());
                let why =
                    format!("the {kind} of line {line} has the name `{name}` too; give each {kind} a name of its own");
                return Err(self.error(at, &why));
            }
        }
        Ok(())
    }

    /// Resolves a path relative to the folder of the file.
    fn beside(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn checked<V: Borrow<B>, B: ?Sized, T>(
        &self,
        value: &Spanned<V>,
        check: impl Fn(&B) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        check(value.get_ref().borrow()).map_err(|why| self.error(value.span().start, &why))
    }

    fn optional<V: Borrow<B>, B: ?Sized, T>(
        &self,
        value: Option<&Spanned<V>>,
        check: impl Fn(&B) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        value.map(|value| self.checked(value, check)).transpose()
    }

    fn line(&self, at: usize) -> usize {
        line_of(self.text, at)
    }

    /// An error at a place in the file. It names the key whose value stands there.
    fn error(&self, at: usize, why: &str) -> ConfigError {
        let why = why.replace('\n', " ");
        let key = key_of_value(self.text, at).filter(|key| !why.contains(key.as_str()));
        let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
        ConfigError(format!("{}, line {}: {key}{why}", self.path.display(), self.line(at)))
    }
}
