//! A generated sales file in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Result;
use tributary_testkit::process;

use crate::{
    bench::{
        figures::thousands,
        running::{fresh, write_back},
    },
    workspace,
};

/// The name of the file in its folder.
pub(super) const NAME: &str = "sales.csv";

/// A file that is deleted when this is dropped, because the next one may need its space.
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
