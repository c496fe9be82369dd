//! A generated sales file in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process;

use crate::bench::{
    figures::thousands,
    running::{fresh, write_back},
};

/// What the file is called in its folder.
pub(super) const NAME: &str = "sales.csv";

/// A file that is there until this is dropped: the next one may need its room.
pub(super) struct Sales {
    pub(super) folder: PathBuf,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Sales {
    /// Generates `rows` rows of `groups` departments.
    pub(super) fn generate(home: &Path, rows: u64, groups: u64) -> Result<Self> {
        eprintln!("generating {} rows of {} departments", thousands(rows), thousands(groups));
        let folder = home.join("served");
        fresh(&folder)?;
        let mut generate = process::command("generate", &folder);
        generate.args(["sales", "--rows", &rows.to_string(), "--groups", &groups.to_string(), "--out", NAME]);
        let done = generate.stdout(Stdio::null()).status().context("failed to start generate")?;
        ensure!(done.success(), "generate failed");
        write_back()?;
        let bytes = fs::metadata(folder.join(NAME))?.len();
        Ok(Self { folder, rows, bytes })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// `10,000,000 rows (317 MB)`.
    pub(super) fn told(&self) -> String {
        format!("{} rows ({} MB)", thousands(self.rows), thousands(self.bytes / 1_000_000))
    }
}

impl Drop for Sales {
    fn drop(&mut self) {
        // The folder above goes at the end in any case.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
