//! The files to publish, checked before anything is sent.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};

/// A regular file that can be read.
#[derive(Debug, Clone)]
pub struct LocalFile {
    /// Its path.
    pub path: PathBuf,
    /// Its path from the root, which tells it apart from other files.
    pub(crate) absolute: PathBuf,
    /// The name that the master gets: the path without folders.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Modification time, to notice a change during the upload.
    pub(crate) modified: Option<SystemTime>,
}

impl LocalFile {
    /// Its modification time in nanoseconds since 1970, negative before; 0 where there is none.
    pub(crate) fn modified_nanoseconds(&self) -> i128 {
        let signed = |nanoseconds: u128| i128::try_from(nanoseconds).unwrap_or(i128::MAX);
        self.modified.map_or(0, |time| match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => signed(after.as_nanos()),
            Err(before) => -signed(before.duration().as_nanos()),
        })
    }
}

/// Checks all files.
///
/// # Errors
/// One does not exist, is not a regular file, or cannot be read.
pub fn local_files(paths: &[PathBuf]) -> Result<Vec<LocalFile>> {
    paths.iter().map(|path| local_file(path)).collect()
}

fn local_file(path: &Path) -> Result<LocalFile> {
    let failed = || format!("failed to read {}", path.display());
    let metadata = fs::metadata(path).with_context(failed)?;
    ensure!(!metadata.is_dir(), "{} is a folder; name the files in it", path.display());
    ensure!(
        metadata.is_file(),
        "{} is not a regular file, and its size cannot be known; write its content to a file first",
        path.display()
    );
    File::open(path).with_context(failed)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("the name of {} is not UTF-8; rename it", path.display()))?;
    Ok(LocalFile {
        path: path.to_owned(),
        absolute: std::path::absolute(path).with_context(failed)?,
        name: name.to_owned(),
        size: metadata.len(),
        modified: metadata.modified().ok(),
    })
}
