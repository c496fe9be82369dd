//! The programs that people would use instead. Each sums the same file, as a whole process, and writes a line `DEPARTMENT|ROWS|SALES` per
//! group, in order, to a file `result`.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::bench::{
    python::Python,
    running::{fresh, write_back},
    sales_file::{NAME, Sales},
    usage::{self, Usage},
};

/// A program, or a way to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    DuckDb,
    Polars,
    /// A loop over the rows of Python's `csv`.
    Loop,
}

impl Peer {
    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDB",
            Self::Polars => "polars",
            Self::Loop => "a Python loop",
        }
    }

    /// The script it runs.
    fn script(self) -> &'static str {
        match self {
            Self::DuckDb => include_str!("../peers/reports_duckdb.py"),
            Self::Polars => include_str!("../peers/reports_polars.py"),
            Self::Loop => include_str!("../peers/reports_loop.py"),
        }
    }
}

/// All peers, installed.
pub(super) struct Peers {
    interpreter: String,
    /// Name and version of each.
    pub(super) versions: Vec<String>,
}

impl Peers {
    /// Looks for the peers.
    ///
    /// # Errors
    /// One is missing; the error has the commands that install it.
    pub(super) fn find(python: &str) -> Result<Self> {
        match Python::find(python, &["duckdb", "polars"]) {
            Ok(Python { interpreter, versions }) => Ok(Self { interpreter, versions }),
            Err(fixes) => bail!("peers are missing; install them with {}", fixes.join(", then ")),
        }
    }

    /// Has a peer sum a file. Returns its cost and the path of its result.
    pub(super) fn run(&self, peer: Peer, home: &Path, sales: &Sales) -> Result<(Usage, PathBuf)> {
        let folder = home.join(peer.name().replace(' ', "-"));
        fresh(&folder)?;
        symlink(sales.path(), folder.join(NAME))?;
        fs::write(folder.join("script"), peer.script())?;
        let mut command = Command::new(&self.interpreter);
        command.arg("script").current_dir(&folder);
        write_back()?;
        let (usage, _) = usage::run(command, Stdio::null()).with_context(|| peer.name())?;
        Ok((usage, folder.join("result")))
    }
}
