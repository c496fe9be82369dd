//! A generated sales file in a folder of its own, and what programs make of it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Result, ensure};
use tributary_testkit::process;

use super::{
    figures::thousands,
    running::{fresh, write_back},
};
use crate::workspace;

/// The name of the file in its folder.
pub(super) const NAME: &str = "sales.csv";

/// A file that is deleted when this is dropped, because the next one may need its space.
pub(super) struct Sales {
    pub(super) folder: PathBuf,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Sales {
    /// Generates `rows` rows of `groups` departments in the folder `name` below `home`.
    pub(super) fn generate(home: &Path, name: &str, rows: u64, groups: u64) -> Result<Self> {
        eprintln!("generating {} rows of {} departments", thousands(rows), thousands(groups));
        let folder = home.join(name);
        fresh(&folder)?;
        let mut generate = process::command("generate", &folder);
        generate.args(["sales", "--rows", &rows.to_string(), "--groups", &groups.to_string(), "--out", NAME]);
        workspace::run(generate.stdout(Stdio::null()))?;
        write_back()?;
        let bytes = fs::metadata(folder.join(NAME))?.len();
        Ok(Self { folder, rows, bytes })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// `10,000,000 rows (317 MB)`.
    pub(super) fn summary(&self) -> String {
        format!("{} rows ({} MB)", thousands(self.rows), thousands(self.bytes / 1_000_000))
    }
}

impl Drop for Sales {
    fn drop(&mut self) {
        // The folder above is deleted at the end in any case.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Compares two results line by line, because this program must not hold a large one in memory; see `usage`. The kind of
/// line break does not count.
pub(super) fn compare(ours: &Path, theirs: &Path, whose: &str) -> Result<()> {
    let open = |path: &Path| File::open(path).map(|file| BufReader::new(file).lines());
    let (mut left, mut right) = (open(ours)?, open(theirs)?);
    for line in 1.. {
        let (left, right) = (left.next().transpose()?, right.next().transpose()?);
        ensure!(left == right, "line {line}: we say {left:?} and {} says {right:?}: one of us is wrong", whose);
        if left.is_none() {
            return Ok(());
        }
    }
    Ok(())
}
