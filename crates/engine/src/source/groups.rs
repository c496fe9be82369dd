//! The groups of a partial as lines of JSON: in memory while they are few, else in a file without a name, until they are written to
//! the database, where they lie in pieces.

use std::io::{self, Read, Seek, Write};

use anyhow::{Context, Result};
use tempfile::SpooledTempFile;
use tributary_protocol::GroupLine;
use tributary_report::Total;

/// Longest piece in the database, in bytes.
const PIECE: usize = 1 << 20;

/// Groups on their way to the database.
pub(crate) struct Lines {
    file: SpooledTempFile,
}

impl Lines {
    /// None yet; `file` is empty.
    pub(crate) fn new(file: SpooledTempFile) -> Self {
        Self { file }
    }

    /// Appends a group.
    pub(crate) fn push(&mut self, group: &GroupLine) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, group)?;
        self.file.write_all(b"\n")
    }

    /// Adds all groups to a total.
    pub(crate) fn add_to(&mut self, total: &mut Total<'_>) -> Result<()> {
        let mut adder = Adder::new(total);
        self.each_piece(|piece| adder.add(piece))?;
        adder.finish()
    }

    /// Gives out all of them in pieces, from the first one.
    pub(crate) fn each_piece(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.file.rewind().context("failed to read groups that were received")?;
        loop {
            let mut piece = Vec::new();
            let read = (&mut self.file).take(PIECE as u64).read_to_end(&mut piece);
            if read.context("failed to read groups that were received")? == 0 {
                return Ok(());
            }
            take(&piece)?;
        }
    }
}

/// Adds pieces to a total, whose lines may lie across them.
pub(crate) struct Adder<'a, 'b> {
    total: &'a mut Total<'b>,
    begun: Vec<u8>,
}

impl<'a, 'b> Adder<'a, 'b> {
    pub(crate) fn new(total: &'a mut Total<'b>) -> Self {
        Self { total, begun: Vec::new() }
    }

    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<()> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let group: GroupLine =
                    serde_json::from_slice(&self.begun).context("a stored partial cannot be read")?;
                self.total.add(&group)?;
                self.begun.clear();
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        anyhow::ensure!(self.begun.is_empty(), "a stored partial ends in the middle of a line");
        Ok(())
    }
}
