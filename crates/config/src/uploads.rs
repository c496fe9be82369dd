//! `[uploads]`: limits and folder of uploads.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tributary_csv_gate::Columns;
use tributary_format_rules::{FormatRules, Selection, size};
use tributary_store::DatabaseUrl;
use tributary_tls::Trust;
use url::Url;

use super::{Brake, SourceConfig, SourceLimits, UPLOADS, limits::DEFAULT_KEEP_FREE};

/// Limits and folder of uploads.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadsConfig {
    /// The folder of uploaded files. Default: none, which means `PATH.uploads` next to the database.
    pub dir: Option<PathBuf>,
    /// Priority of the source `uploads`; higher wins. Default: 0.
    pub priority: i64,
    /// The largest file in bytes. Default: 64 GiB, as for any source.
    pub max_size: u64,
    /// Bytes that an upload leaves free on the disk. Default: `keep_free` of the whole, 1 GiB.
    pub keep_free: u64,
    /// Messages that are remembered, so that a repeated one changes nothing. Default: 1,000,000.
    pub keep_messages: u64,
    /// Time for which they are remembered. Default: 7 days.
    pub keep_messages_for: Duration,
    /// Header names of the files where they differ. Default: none.
    pub columns: Columns,
    /// Format of the files. Default: as detected.
    pub formats: FormatRules,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        Self {
            dir: None,
            priority: 0,
            max_size: 64 << 30,
            keep_free: DEFAULT_KEEP_FREE,
            keep_messages: 1_000_000,
            keep_messages_for: Duration::from_secs(7 * 24 * 60 * 60),
            columns: Columns::default(),
            formats: FormatRules::default(),
        }
    }
}

impl UploadsConfig {
    /// The absolute path of the folder.
    pub fn folder(&self, database: &DatabaseUrl) -> PathBuf {
        let folder = self.dir.clone().unwrap_or_else(|| {
            let mut beside = database.place().as_os_str().to_owned();
            beside.push(".uploads");
            beside.into()
        });
        // It fails only where there is no working directory, in which nothing else works either.
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// The folder as a source. Nothing of it is held: whoever replaces or deletes an upload means it, and waits for the result.
    pub fn source(&self, folder: &Path) -> SourceConfig {
        let url = Url::from_file_path(folder).unwrap_or_else(|()| Url::parse("file:///").expect("it is a URL"));
        SourceConfig {
            name: UPLOADS.to_owned(),
            url,
            priority: self.priority,
            columns: self.columns.clone(),
            selection: Selection::default(),
            formats: self.formats.clone(),
            brake: Brake::OFF,
            limits: SourceLimits::default(),
            trust: Trust::default(),
            token: None,
            folder: Some(folder.to_owned()),
            poll_interval: None,
        }
    }
}

/// Parses a folder.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err("the folder of uploads needs a name; leave it out to have it beside the database".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// Parses the largest size of a file.
pub(super) fn max_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("a largest size must not be 0; write for example 500MiB or 64GiB".to_owned()),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_lies_beside_the_database_unless_it_is_named() {
        let database: DatabaseUrl = "/data/products.db".parse().unwrap();
        assert_eq!(UploadsConfig::default().folder(&database), Path::new("/data/products.db.uploads"));
        let named = UploadsConfig { dir: Some("/other/place".into()), ..UploadsConfig::default() };
        assert_eq!(named.folder(&database), Path::new("/other/place"));
        assert_eq!(named.source(Path::new("/other/a place")).url.as_str(), "file:///other/a%20place");
    }
}
