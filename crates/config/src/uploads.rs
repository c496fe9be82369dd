//! `[uploads]`: limits and folder of uploads.

use std::path::{Path, PathBuf};

use tributary_csv_gate::Columns;
use tributary_store::DatabaseUrl;
use url::Url;

use super::{SourceConfig, UPLOADS};

/// Limits and folder of uploads.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadsConfig {
    /// The folder of uploaded files. Default: none, which means `PATH.uploads` next to the database.
    pub dir: Option<PathBuf>,
    /// Priority of the source `uploads`; higher wins. Default: 0.
    pub priority: i64,
    /// The largest file in bytes. Default: 64 GiB, as for any source.
    pub max_size: u64,
    /// Bytes that an upload leaves free on the disk. Default: 1 GiB.
    pub keep_free: u64,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        Self { dir: None, priority: 0, max_size: 64 << 30, keep_free: 1 << 30 }
    }
}

impl UploadsConfig {
    /// The absolute path of the folder.
    pub fn folder(&self, database: &DatabaseUrl) -> PathBuf {
        let folder = self.dir.clone().unwrap_or_else(|| {
            let mut beside = database.path().as_os_str().to_owned();
            beside.push(".uploads");
            beside.into()
        });
        // It fails only where there is no working directory, in which nothing else works either.
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// The folder as a source.
    pub fn source(&self, folder: &Path) -> SourceConfig {
        let url = Url::from_file_path(folder).unwrap_or_else(|()| Url::parse("file:///").expect("it is a URL"));
        SourceConfig {
            name: UPLOADS.to_owned(),
            url,
            priority: self.priority,
            columns: Columns::default(),
            token: None,
            folder: Some(folder.to_owned()),
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
        0 => Err("`max_size` must not be 0; write for example 500MiB or 64GiB".to_owned()),
        size => Ok(size),
    }
}

/// Units of sizes, the larger before the smaller.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Writes a number of bytes in the largest unit that gives a whole number.
pub(super) fn size_text(bytes: u64) -> String {
    let is_whole = |(_, factor): &&(&str, u64)| bytes > 0 && bytes.is_multiple_of(*factor);
    let (unit, factor) = UNITS.iter().find(is_whole).unwrap_or(&("B", 1));
    format!("{} {unit}", bytes / factor)
}

/// Parses a number of bytes: a whole number and a unit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; write for example 500MiB, 64GiB or 10GB");
    let typed = text.trim();
    let digits = typed.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(typed.len());
    let (number, unit) = typed.split_at(digits);
    let is_written = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit.trim());
    let (_, factor) = UNITS.iter().find(is_written).ok_or_else(wrong)?;
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(size(text).ok(), expect, "{text}");
        check("0B", Some(0));
        check("1 KiB", Some(1024));
        check(" 500MB ", Some(500_000_000));
        check("64gib", Some(64 << 30));
        check("2TiB", Some(2 << 40));
        for wrong in ["", "12", "GiB", "1.5GiB", "-1GiB", "1 G", "99999999999TiB"] {
            check(wrong, None);
        }
        assert!(max_size("0GiB").is_err());
    }

    #[test]
    fn a_size_is_written_as_it_would_be_typed() {
        for text in ["0 B", "1 B", "1025 B", "3 kB", "1 KiB", "500 MB", "1536 MiB", "64 GiB", "2 TiB"] {
            assert_eq!(size_text(size(text).unwrap()), text);
        }
    }

    #[test]
    fn the_folder_lies_beside_the_database_unless_it_is_named() {
        let database: DatabaseUrl = "/data/products.db".parse().unwrap();
        assert_eq!(UploadsConfig::default().folder(&database), Path::new("/data/products.db.uploads"));
        let named = UploadsConfig { dir: Some("/other/place".into()), ..UploadsConfig::default() };
        assert_eq!(named.folder(&database), Path::new("/other/place"));
        assert_eq!(named.source(Path::new("/other/a place")).url.as_str(), "file:///other/a%20place");
    }
}
