//! The cache: what the master remembers of files, so that a change of one costs what the change is.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;
use tributary_format_rules::size;
use tributary_store::DatabaseUrl;

/// Settings of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// The most bytes that it takes on the disk; 0 turns it off. Default: 2 GiB.
    pub size: u64,
    /// Its folder. Default: none, which means `PATH.cache` next to the database.
    pub dir: Option<PathBuf>,
}

/// `[cache]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CacheAsTyped {
    pub(super) size: Option<Spanned<String>>,
    pub(super) dir: Option<Spanned<String>>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { size: 2 << 30, dir: None }
    }
}

impl CacheConfig {
    /// The path of the folder.
    pub fn folder(&self, database: &DatabaseUrl) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| {
            let mut beside = database.place().as_os_str().to_owned();
            beside.push(".cache");
            beside.into()
        })
    }
}

/// Parses the folder.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err("the folder of the cache needs a name; leave it out to have it beside the database".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// Parses the size.
pub(super) fn cache_size(text: &str) -> Result<u64, String> {
    match text.trim() {
        "0" => Ok(0),
        text => size(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_may_be_nothing() {
        assert_eq!(cache_size("0"), Ok(0));
        assert_eq!(cache_size("500MiB"), Ok(500 << 20));
        assert!(cache_size("much").is_err());
    }
}
