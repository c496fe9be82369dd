//! Options that the tables of BENCHMARKS.md share, and the steps around their measuring.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use tempfile::TempDir;

use super::{Binaries, section, table::Table};

/// Fewer rounds do not show how much a figure varies.
const MIN_PAIRS: usize = 5;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Rounds that are counted, after one that warms up; every program has a turn in each
    #[arg(long, default_value_t = MIN_PAIRS)]
    pub(super) pairs: usize,
    /// The Python that has DuckDB, polars, pandas and pika; `cargo xtask services` makes one and sets the variable
    #[arg(long, env = "TRIBUTARY_E2E_PYTHON", default_value = "python3")]
    pub(super) python: String,
    #[command(flatten)]
    place: Place,
}

/// The places of a run and of its figures.
#[derive(clap::Args)]
pub(super) struct Place {
    /// Also replace the table in BENCHMARKS.md
    #[arg(long, conflicts_with = "only")]
    markdown: bool,
    /// Folder in which to make the temporary one, which needs gigabytes [default: beside the binaries]
    #[arg(long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    binaries: Binaries,
}

impl Options {
    /// Refuses options that cannot give the table `section`, before anything takes time.
    pub(super) fn check(&self, section: &str) -> Result<()> {
        ensure!(self.pairs > 0, "give at least one pair");
        ensure!(self.pairs >= MIN_PAIRS || !self.place.markdown, "`--markdown` needs at least {MIN_PAIRS} pairs");
        self.place.check(section)
    }

    /// As [`Place::prepare`].
    pub(super) fn prepare(&self) -> Result<TempDir> {
        self.place.prepare()
    }

    /// Writes the table into BENCHMARKS.md if that was asked for.
    pub(super) fn write(&self, section: &str, table: &Table, versions: &[String]) -> Result<()> {
        self.place.write(section, &table.markdown(), versions)
    }
}

impl Place {
    /// Refuses `--markdown` if BENCHMARKS.md has no section of this name.
    pub(super) fn check(&self, section: &str) -> Result<()> {
        if self.markdown { section::check(section) } else { Ok(()) }
    }

    /// Builds the binaries, and makes the folder of the run. By default it is not in the system's folder for temporary files, which may be in
    /// memory.
    pub(super) fn prepare(&self) -> Result<TempDir> {
        self.binaries.prepare()?;
        let program = env::current_exe().context("failed to find this program")?;
        let beside = program.parent().context("this program has no folder")?;
        let folder = self.dir.as_deref().unwrap_or(beside);
        let home = tempfile::Builder::new().prefix("bench-").tempdir_in(folder);
        home.with_context(|| format!("failed to make a folder in {}; choose another with --dir", folder.display()))
    }

    /// Writes the tables into BENCHMARKS.md if that was asked for.
    pub(super) fn write(&self, section: &str, tables: &str, versions: &[String]) -> Result<()> {
        if self.markdown { section::write(section, tables, versions) } else { Ok(()) }
    }
}

/// The lines to measure: those that were named, or all.
pub(super) fn chosen<Line: ValueEnum>(only: &[Line]) -> Vec<Line> {
    if only.is_empty() { Line::value_variants().to_vec() } else { only.to_vec() }
}
