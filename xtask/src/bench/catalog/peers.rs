//! The programs that people would use instead. Each makes the same two tables from the same files, as a whole process.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::lines::Line;
use crate::bench::{
    python::{Python, version},
    running::{fresh, write_back},
    usage::{self, Usage},
};

/// A program, or a way to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Sqlite3,
    DuckDb,
    /// Makes tables without keys, which is half of the work.
    DuckDbBare,
    Polars,
    Pandas,
}

use Peer::{DuckDb, DuckDbBare, Pandas, Polars, Sqlite3};

impl Peer {
    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Sqlite3 => "sqlite3",
            DuckDb => "DuckDB",
            DuckDbBare => "DuckDB without keys",
            Polars => "polars",
            Pandas => "pandas",
        }
    }

    /// The script it runs.
    fn script(self) -> &'static str {
        match self {
            Sqlite3 => include_str!("../peers/catalog_sqlite3.sql"),
            DuckDb => include_str!("../peers/catalog_duckdb.py"),
            DuckDbBare => include_str!("../peers/catalog_duckdb_bare.py"),
            Polars => include_str!("../peers/catalog_polars.py"),
            Pandas => include_str!("../peers/catalog_pandas.py"),
        }
    }

    /// Its Python package.
    fn package(self) -> Option<&'static str> {
        match self {
            Sqlite3 => None,
            DuckDb | DuckDbBare => Some("duckdb"),
            Polars => Some("polars"),
            Pandas => Some("pandas"),
        }
    }
}

/// The peers of a run, all of them installed.
pub(super) struct Peers {
    /// In the order of their turns.
    pub(super) needed: Vec<Peer>,
    /// The interpreter.
    python: String,
    /// Name and version of each.
    pub(super) versions: Vec<String>,
}

impl Peers {
    /// Looks for the peers of the chosen lines.
    ///
    /// # Errors
    /// One is missing; the error has the commands that install it.
    pub(super) fn find(python: &str, chosen: &[Line]) -> Result<Self> {
        let needed = match chosen {
            lines if lines.contains(&Line::Cold) => vec![Sqlite3, DuckDb, DuckDbBare, Polars, Pandas],
            lines if [Line::Change, Line::Follow, Line::Files].iter().any(|line| lines.contains(line)) => vec![DuckDb],
            _ => vec![],
        };
        let mut peers = Self { needed, python: python.to_owned(), versions: Vec::new() };
        let mut fixes = Vec::new();
        // It also reads our databases, so every line needs it.
        match version(Command::new("sqlite3").arg("--version")) {
            Some(version) => peers.versions.push(format!("SQLite {version} (the shell)")),
            None => fixes.push("`apt-get install sqlite3`".to_owned()),
        }
        peers.find_packages(&mut fixes);
        if !fixes.is_empty() {
            bail!("peers are missing; install them with {}", fixes.join(", then "));
        }
        Ok(peers)
    }

    fn find_packages(&mut self, fixes: &mut Vec<String>) {
        let mut packages: Vec<&str> = self.needed.iter().filter_map(|peer| peer.package()).collect();
        packages.dedup();
        if packages.is_empty() {
            return;
        }
        match Python::find(&self.python, &packages) {
            Ok(Python { interpreter, versions }) => {
                self.python = interpreter;
                self.versions.extend(versions);
            }
            Err(missing) => fixes.extend(missing),
        }
    }

    /// Has a peer make the tables of `feed`, a file or a folder of files. Returns its cost, and the rows that it counts in its tables.
    pub(super) fn run(&self, peer: Peer, home: &Path, feed: &Path) -> Result<(Usage, String)> {
        let folder = home.join(peer.name());
        fresh(&folder)?;
        symlink(feed, folder.join("feed.csv"))?;
        let script = folder.join("script");
        fs::write(&script, peer.script())?;
        let (mut command, stdin) = match peer {
            Sqlite3 => {
                let mut shell = Command::new("sqlite3");
                shell.args(["-init", "/dev/null", "-batch", "catalog.db"]);
                (shell, File::open(&script)?.into())
            }
            _ => (Command::new(&self.python), Stdio::null()),
        };
        if peer.package().is_some() {
            command.arg("script");
        }
        command.current_dir(&folder);
        write_back()?;
        let (usage, printed) = usage::run(command, stdin).with_context(|| peer.name())?;
        fs::remove_dir_all(&folder)?;
        Ok((usage, printed.trim().to_owned()))
    }
}
