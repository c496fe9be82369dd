//! A source of one feed with six own columns, and the folder of a master that follows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tributary_testkit::feed::OwnColumns;

use crate::bench::{
    feed::Feed,
    figures::thousands,
    running::{Served, database, fresh},
};

/// The time for which a file must be quiet before it counts as changed.
const SETTLE: &str = "50ms";

/// A feed with six own columns, served.
pub(super) struct Stage<'a> {
    /// The temporary folder of the run.
    pub(super) home: &'a Path,
    pub(super) rows: u64,
    pub(super) served: Served,
}

impl<'a> Stage<'a> {
    /// Generates the feed in the folder `name` and serves it.
    pub(super) fn start(home: &'a Path, name: &str, rows: u64) -> Result<Self> {
        eprintln!("generating a feed of {} rows with six own columns", thousands(rows));
        fresh(&home.join(name))?;
        let (path, original) = (home.join(name).join("feed.csv"), home.join(format!("{name}-original.csv")));
        let feed = Feed::generate_columns(path, original, rows, 0, 1, &OwnColumns::all())?;
        feed.write("Begin")?;
        Ok(Self { home, rows, served: Served::serve(home, name, vec![feed], SETTLE)? })
    }

    /// The folder of a master with an empty database, and with the six own columns unless `index` is `None`.
    pub(super) fn empty(&self, index: Option<&str>) -> Result<PathBuf> {
        let folder = self.home.join("ours");
        fresh(&folder)?;
        if let Some(index) = index {
            configure(&folder, index)?;
        }
        Ok(folder)
    }

    /// The size of the feed in megabytes.
    pub(super) fn megabytes(&self) -> Result<u64> {
        Ok(bytes(&self.served.feeds[0].path)? / 1_000_000)
    }
}

/// Configures the six own columns, with indexes on some: `"brand"` with its quotes, or nothing.
pub(super) fn configure(folder: &Path, index: &str) -> Result<()> {
    let all = OwnColumns::all();
    let names: Vec<String> = all.columns().iter().map(|column| format!("\"{}\"", column.name())).collect();
    let config = format!("[catalog]\ncolumns = [{}]\nindex = [{index}]\n", names.join(", "));
    fs::write(folder.join("tributary.toml"), config).context("failed to write the configuration")
}

/// The size of the database in a master's folder, in bytes.
pub(super) fn database_bytes(folder: &Path) -> Result<u64> {
    bytes(&database(folder))
}

fn bytes(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("failed to read {}", path.display()))?.len())
}
