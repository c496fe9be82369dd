//! The groups of a partial as lines of JSON. A few are kept in memory, many in an unnamed file. The database stores them in
//! pieces that may end inside a line.

use std::io::{self, Read, Seek, Write};

use anyhow::{Context, Result};
use tempfile::SpooledTempFile;
use tributary_protocol::GroupLine;
use tributary_report::Total;

use super::spool::{MAX_BUFFER_BYTES, Spool};
use crate::disk::SpaceGuard;

/// Bytes of a piece in the database.
const MAX_PIECE_BYTES: usize = 1 << 20;

/// Most bytes of all groups of a partial, as lines.
const MAX_BYTES: u64 = 1 << 30;

/// Groups on their way to the database.
pub(crate) struct GroupLines {
    file: SpooledTempFile,
    guard: SpaceGuard,
    bytes: u64,
}

impl GroupLines {
    /// Keeps groups in the spool, if they are many.
    pub(crate) fn new(spool: &Spool) -> Self {
        Self { file: spool.buffer(), guard: spool.guard(), bytes: 0 }
    }

    /// Appends a group.
    pub(crate) fn push(&mut self, group: &GroupLine) -> io::Result<()> {
        let mut line = serde_json::to_vec(group)?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        if self.bytes > MAX_BYTES {
            let why = format!("the groups of a partial take more than {MAX_BYTES} bytes: group by something shorter");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        self.guard.note(line.len())?;
        self.file.write_all(&line)
    }

    /// Bytes of them in memory, at most.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.bytes.min(MAX_BUFFER_BYTES as u64)
    }

    /// Adds all groups to a total.
    pub(crate) fn add_to(&mut self, total: &mut Total<'_>) -> Result<()> {
        let mut adder = GroupAdder::new(total);
        self.each_piece(|piece| adder.add(piece))?;
        adder.finish()
    }

    /// Calls `take` with each piece in order.
    pub(crate) fn each_piece(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.file.rewind().context("failed to read the received groups")?;
        loop {
            let mut piece = Vec::new();
            let read = (&mut self.file).take(MAX_PIECE_BYTES as u64).read_to_end(&mut piece);
            if read.context("failed to read the received groups")? == 0 {
                return Ok(());
            }
            take(&piece)?;
        }
    }
}

/// Adds pieces to a total.
pub(crate) struct GroupAdder<'a, 'b> {
    total: &'a mut Total<'b>,
    /// The line that the last piece ended inside.
    line: Vec<u8>,
}

impl<'a, 'b> GroupAdder<'a, 'b> {
    /// Adds to `total`.
    pub(crate) fn new(total: &'a mut Total<'b>) -> Self {
        Self { total, line: Vec::new() }
    }

    /// Adds the next piece.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<()> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let group: GroupLine = serde_json::from_slice(&self.line).context("a stored partial cannot be read")?;
                self.total.add(&group)?;
                self.line.clear();
            }
        }
        Ok(())
    }

    /// Checks that the last piece was complete.
    pub(crate) fn finish(self) -> Result<()> {
        anyhow::ensure!(self.line.is_empty(), "a stored partial ends inside a line");
        Ok(())
    }
}
