//! DuckDB, which makes the same two tables from the same file as a whole process.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::bench::{
    python::{Python, version},
    running::{fresh, write_back},
    usage::{self, Usage},
};

/// DuckDB, installed.
pub(super) struct DuckDb {
    interpreter: String,
    /// Name and version of each program that is used.
    pub(super) versions: Vec<String>,
}

impl DuckDb {
    /// Looks for DuckDB, and for the `sqlite3` shell that reads our databases.
    ///
    /// # Errors
    /// One is missing; the error has the commands that install it.
    pub(super) fn find(python: &str) -> Result<Self> {
        let shell = version(Command::new("sqlite3").arg("--version"));
        let mut fixes: Vec<String> = Vec::new();
        if shell.is_none() {
            fixes.push("`apt-get install sqlite3`".to_owned());
        }
        match (Python::find(python, &["duckdb"]), shell) {
            (Ok(Python { interpreter, versions }), Some(shell)) => {
                let shell = format!("SQLite {shell} (the shell)");
                return Ok(Self { interpreter, versions: [vec![shell], versions].concat() });
            }
            (Err(missing), _) => fixes.extend(missing),
            (Ok(_), None) => {}
        }
        bail!("peers are missing; install them with {}", fixes.join(", then "))
    }

    /// Makes the tables of a feed. Returns the cost, and the rows of both tables; with `check` also sums over the own columns.
    pub(super) fn load(&self, home: &Path, feed: &Path, check: bool) -> Result<(Usage, String)> {
        let folder = home.join("duckdb");
        fresh(&folder)?;
        symlink(feed, folder.join("feed.csv"))?;
        fs::write(folder.join("script"), include_str!("../peers/columns_duckdb.py"))?;
        let mut command = Command::new(&self.interpreter);
        command.arg("script").args(check.then_some("check")).current_dir(&folder);
        write_back()?;
        let (usage, printed) = usage::run(command, Stdio::null()).context("DuckDB")?;
        fs::remove_dir_all(&folder)?;
        Ok((usage, printed.trim().to_owned()))
    }
}
