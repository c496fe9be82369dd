//! One source: its settings, and the rules for its name and URL.

use std::{collections::HashSet, path::PathBuf};

use tributary_admission::Token;
use tributary_csv_gate::Columns;
use tributary_format_rules::{FormatRules, Selection};
use tributary_tls::Trust;
use url::Url;

use crate::{Brake, ConfigError, SourceLimits};

/// One source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceConfig {
    /// Its identity, also in the database.
    pub name: String,
    /// Base of its `/sense` and `/read`.
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
}

/// The name of the uploads folder as a source. No other source may have it.
pub const UPLOADS: &str = "uploads";

impl SourceConfig {
    /// Makes a source of priority 0 without other settings.
    ///
    /// # Errors
    /// The name or the URL is not valid for a source.
    pub fn new(name: &str, url: &str) -> Result<Self, ConfigError> {
        let wrong = |why: String| ConfigError(format!("--source {name}={url}: {why}"));
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
        })
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
                let url = source_url(text).map_err(|why| ConfigError(format!("--source {flag}: {why}")))?;
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

pub(crate) fn source_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|why| format!("`{text}` is not a URL ({why}); write http://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("`{text}` is not an http or https URL; write http://HOST:PORT"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not contain a user name, because it is stored and shown; put the secret into a file and set token_file".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` has a query or a fragment; the master adds /sense and /read itself"));
    }
    Ok(url)
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
