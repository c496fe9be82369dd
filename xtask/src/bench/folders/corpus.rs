//! A folder of many small files. None is held in memory.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

const ROWS: u64 = 20;
/// Files of one folder within the folder.
const FILES_PER_FOLDER: u64 = 1_000;
/// Distance of two files that change one after the other, so that changes meet all of the folder.
const STRIDE: u64 = 7_919;

/// Files that share no sku.
pub(super) struct Corpus {
    folder: PathBuf,
    files: u64,
    /// The next content of a file waits here, outside the folder, until it is renamed.
    next: PathBuf,
}

impl Corpus {
    /// Writes the files to a new folder.
    pub(super) fn write(folder: PathBuf, files: u64) -> Result<Self> {
        let corpus = Self { next: folder.with_extension("next"), folder, files };
        for file in 0..files {
            let path = corpus.path(file);
            if file % FILES_PER_FOLDER == 0 {
                let parent = path.parent().unwrap_or(Path::new("."));
                fs::create_dir_all(parent).with_context(|| format!("failed to make {}", parent.display()))?;
            }
            fs::write(&path, content(file, None)).with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(corpus)
    }

    /// Prepares a file whose middle row has another name. Returns that row's sku.
    pub(super) fn prepare(&self, change: u64, name: &str) -> Result<String> {
        let file = self.changing(change);
        fs::write(&self.next, content(file, Some(name))).context("failed to write the next content")?;
        Ok(sku(file, ROWS / 2))
    }

    /// Puts the prepared file into its place.
    pub(super) fn replace(&self, change: u64) -> Result<()> {
        fs::rename(&self.next, self.path(self.changing(change))).context("failed to rename the next content")
    }

    /// The sku of the last row.
    pub(super) fn last_sku(&self) -> String {
        sku(self.files - 1, ROWS - 1)
    }

    fn changing(&self, change: u64) -> u64 {
        (self.files / 2 + change * STRIDE) % self.files
    }

    fn path(&self, file: u64) -> PathBuf {
        self.folder.join(format!("{:04}/{file:06}.csv", file / FILES_PER_FOLDER))
    }
}

fn content(file: u64, name: Option<&str>) -> String {
    let mut text = "sku,name,description\n".to_owned();
    for row in 0..ROWS {
        let sku = sku(file, row);
        let own = format!("Name {}", (file * ROWS + row) % 5_000);
        let name = name.filter(|_| row == ROWS / 2).unwrap_or(&own);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{sku},{name},Row {row} of the file {file} describes a product in a sentence");
    }
    text
}

fn sku(file: u64, row: u64) -> String {
    format!("p{file:06}-{row:02}")
}
