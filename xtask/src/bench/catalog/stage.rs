//! The parts that several lines use: a source of one feed, a source of ten, and a database that holds the ten. Each is made when the first
//! line asks for it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::lines::Line;
use crate::bench::running::{Pass, Served, fresh};

/// The time for which a file must be quiet before it counts as changed.
pub(super) const SETTLE: &str = "50ms";
/// Feeds of the large source.
pub(super) const FEEDS: u64 = 10;

/// The folders and sources of a run.
pub(super) struct Stage<'a> {
    /// The temporary folder of the run.
    pub(super) home: &'a Path,
    /// Rows of a feed.
    pub(super) rows: u64,
    /// The lines to measure.
    pub(super) chosen: &'a [Line],
    one: Option<Served>,
    ten: Option<Served>,
    /// Whether the database of the ten feeds holds them.
    is_loaded: bool,
}

impl<'a> Stage<'a> {
    /// Makes nothing yet.
    pub(super) fn new(home: &'a Path, rows: u64, chosen: &'a [Line]) -> Self {
        Self { home, rows, chosen, one: None, ten: None, is_loaded: false }
    }

    /// Whether this line is measured.
    pub(super) fn wants(&self, line: Line) -> bool {
        self.chosen.contains(&line)
    }

    /// A source of one feed.
    pub(super) fn one(&mut self) -> Result<&Served> {
        if self.one.is_none() {
            eprintln!("generating a feed of {} rows", self.rows);
            self.one = Some(Served::start(self.home, "one", 1, self.rows, 0, SETTLE)?);
        }
        Ok(self.one.as_ref().expect("it was just made"))
    }

    /// A source of ten feeds that share no sku.
    pub(super) fn ten(&mut self) -> Result<&Served> {
        if self.ten.is_none() {
            eprintln!("generating {FEEDS} feeds of {} rows", self.rows);
            self.ten = Some(Served::start(self.home, "ten", FEEDS, self.rows, 0, SETTLE)?);
        }
        Ok(self.ten.as_ref().expect("it was just made"))
    }

    /// A small source whose skus no other feed has.
    pub(super) fn small(&self, rows: u64) -> Result<Served> {
        Served::start(self.home, "small", 1, rows, FEEDS * self.rows, SETTLE)
    }

    /// The folder of the database that holds the ten feeds.
    pub(super) fn ten_folder(&self) -> PathBuf {
        self.home.join("ten-database")
    }

    /// Loads the ten feeds into an empty database.
    pub(super) fn load_ten(&mut self) -> Result<Pass> {
        let folder = self.ten_folder();
        fresh(&folder)?;
        let pass = self.ten()?.pass(&folder)?;
        self.is_loaded = true;
        Ok(pass)
    }

    /// Loads the ten feeds unless they are loaded.
    pub(super) fn loaded_ten(&mut self) -> Result<()> {
        if !self.is_loaded {
            eprintln!("loading the {FEEDS} feeds");
            self.load_ten()?;
        }
        Ok(())
    }
}
