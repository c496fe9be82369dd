//! The files that are to be published, looked at before anything is sent.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};

/// A file that can be read.
#[derive(Debug, Clone)]
pub struct LocalFile {
    /// Where it is.
    pub path: PathBuf,
    /// What the master knows it by.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed.
    pub(crate) modified: Option<SystemTime>,
}

/// Looks at all files.
///
/// # Errors
/// One is not there, no file, or cannot be read.
pub fn local_files(paths: &[PathBuf]) -> Result<Vec<LocalFile>> {
    paths.iter().map(|path| local_file(path)).collect()
}

fn local_file(path: &Path) -> Result<LocalFile> {
    let failed = || format!("failed to read {}", path.display());
    let metadata = fs::metadata(path).with_context(failed)?;
    ensure!(!metadata.is_dir(), "{} is a folder; name the files in it", path.display());
    ensure!(metadata.is_file(), "{} is no file but a pipe or a device, whose size nobody knows", path.display());
    File::open(path).with_context(failed)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("the name of {} is not UTF-8; rename it", path.display()))?;
    Ok(LocalFile {
        path: path.to_owned(),
        name: name.to_owned(),
        size: metadata.len(),
        modified: metadata.modified().ok(),
    })
}
