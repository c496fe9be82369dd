//! One source: its settings, and the rules for its name and URL.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tributary_admission::Token;
use tributary_csv_gate::Columns;
use tributary_format_rules::{FormatRules, Selection};
use tributary_object_storage::Location;
use tributary_tls::Trust;
use url::Url;

use crate::{Brake, ConfigError, SourceLimits, secrets::shown};

/// One source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceConfig {
    /// Its identity, also in the database.
    pub name: String,
    /// Base of its `/sense` and `/read`, or the folder in a bucket: `s3://BUCKET/PREFIX/`.
    pub url: Url,
    /// Higher wins. Default: 0.
    pub priority: i64,
    /// Header names of its files where they differ. Default: none.
    pub columns: Columns,
    /// Its files that are read. Default: all.
    pub selection: Selection,
    /// Format of its files; each setting here wins over what the source announces. Default: as announced or detected.
    pub formats: FormatRules,
    /// When a version is held because it takes too much away.
    pub brake: Brake,
    /// Bounds on what it may hold.
    pub limits: SourceLimits,
    /// Sent as `Authorization: Bearer`. Default: none.
    pub token: Option<Token>,
    /// Signers of its certificate, or the certificate itself. Default: an authority that this machine knows.
    pub trust: Trust,
    /// A local folder that is read in place; `url` names it too. Default: none, the source is asked over HTTP.
    pub folder: Option<PathBuf>,
    /// Interval of questions if it cannot hold its answer. Default: that of all, and of a bucket ten seconds or more.
    pub poll_interval: Option<Duration>,
}

/// Scheme of the URL of a bucket.
pub(crate) const BUCKET_SCHEME: &str = "s3";

/// Shortest interval in which a bucket is listed, unless its own setting says otherwise: each thousand objects is a request that costs money.
const BUCKET_INTERVAL: Duration = Duration::from_secs(10);

/// The name of the uploads folder as a source. No other source may have it.
pub const UPLOADS: &str = "uploads";

impl SourceConfig {
    /// Makes a source of priority 0 without other settings.
    ///
    /// # Errors
    /// The name or the URL is not valid for a source.
    pub fn new(name: &str, url: &str) -> Result<Self, ConfigError> {
        let wrong = |why: String| ConfigError(format!("--source {name}={}: {why}", shown(url)));
        let url = source_url(url).map_err(wrong)?;
        source_name(name).map_err(wrong)?;
        Ok(Self {
            name: name.to_owned(),
            url,
            priority: 0,
            columns: Columns::default(),
            selection: Selection::default(),
            formats: FormatRules::default(),
            brake: Brake::default(),
            limits: SourceLimits::default(),
            token: None,
            trust: Trust::default(),
            folder: None,
            poll_interval: None,
        })
    }

    /// The place of its objects; `None` unless it is a bucket.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        (self.url.scheme() == BUCKET_SCHEME).then(|| location(&self.url).ok()).flatten()
    }

    /// Interval of questions if it cannot hold its answer; `of_all` is that of sources without one of their own.
    #[must_use]
    pub fn interval(&self, of_all: Duration) -> Duration {
        let least = if self.url.scheme() == BUCKET_SCHEME { BUCKET_INTERVAL } else { Duration::ZERO };
        self.poll_interval.unwrap_or(of_all.max(least))
    }
}

/// The sources given as flags: `[NAME=]URL`, priority 0, in the order given.
pub(crate) fn sources_of(flags: &[String]) -> Result<Vec<SourceConfig>, ConfigError> {
    let mut names = HashSet::new();
    let source = |flag: &String| {
        let (name, text) = match flag.split_once('=') {
            // An `=` behind `://` belongs to the URL.
            Some((name, text)) if !name.contains("://") => (Some(name.trim().to_owned()), text),
            _ => (None, flag.as_str()),
        };
        let named = match name {
            Some(name) => SourceConfig::new(&name, text)?,
            None => {
                let url = source_url(text).map_err(|why| ConfigError(format!("--source {}: {why}", shown(flag))))?;
                SourceConfig::new(&host_port(&url), text)?
            }
        };
        if !names.insert(named.name.clone()) {
            return Err(ConfigError(format!(
                "--source {flag}: another source has the name `{}`; give this one a different name: NAME=URL",
                named.name
            )));
        }
        Ok(named)
    };
    flags.iter().map(source).collect()
}

fn host_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(crate) fn source_url(typed: &str) -> Result<Url, String> {
    let text = shown(typed);
    let url = Url::parse(typed).map_err(|why| format!("`{text}` is not a URL ({why}); write http://HOST:PORT"))?;
    if url.scheme() == "file" {
        return Err(format!(
            "`{text}` is a folder: start a data-source with `--dir` for it, and write its http://HOST:PORT"
        ));
    }
    if !matches!(url.scheme(), "http" | "https" | BUCKET_SCHEME) || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("`{text}` is not an http, https or s3 URL; write http://HOST:PORT or s3://BUCKET/PREFIX/"));
    }
    if url.scheme() == BUCKET_SCHEME {
        return bucket_url(url);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not contain a user name, because it is stored and shown; put the secret into a file and set token_file".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` has a query or a fragment; the master adds /sense and /read itself"));
    }
    Ok(url)
}

/// Checks the URL of a bucket, and ends its path with `/`: it names a folder.
fn bucket_url(mut url: Url) -> Result<Url, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL of a bucket must not contain a key, because it is stored and shown; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment".to_owned());
    }
    if url.port().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "`{url}` has a port, a query or a fragment; write s3://BUCKET/PREFIX/, and the address of another server than Amazon's into AWS_ENDPOINT_URL"
        ));
    }
    location(&url)?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The place that the URL of a bucket names. What is typed there may be encoded or not.
fn location(url: &Url) -> Result<Location, String> {
    let prefix = percent_decode_str(url.path().trim_end_matches('/')).decode_utf8();
    let prefix = prefix.map_err(|_| format!("`{url}` is not UTF-8"))?;
    format!("{BUCKET_SCHEME}://{}{prefix}", url.host_str().unwrap_or_default()).parse()
}

pub(crate) fn source_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err("a source's name has 1 to 200 bytes and no control characters".to_owned());
    }
    if matches!(name, "." | "..") {
        return Err(format!("`{name}` cannot stand in the path of a URL; give this source another name"));
    }
    if name == UPLOADS {
        return Err("`uploads` is the name of the uploads folder; give this source another name".to_owned());
    }
    Ok(())
}
