//! The memory of all reports together: of the groups that are being computed, and of the sums that are kept between updates.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use tributary_budget::Budget;
use tributary_config::ReportConfig;
use tributary_report::Room;

use crate::{disk::SpaceGuard, source::Spool};

/// Bytes of a report that are kept even if others take all of these: large reports must not make small ones slow.
const MIN_KEPT_BYTES: usize = 256 << 10;

/// The memory of all reports; clones share it.
#[derive(Clone)]
pub(crate) struct ReportMemory {
    room: Room,
    kept: KeptMemory,
}

/// The memory of the sums that are kept.
#[derive(Clone)]
pub(super) struct KeptMemory {
    /// That of all reports.
    pub(super) budget: Arc<Budget>,
    /// Bytes that each report may take nevertheless.
    pub(super) least: usize,
}

impl ReportMemory {
    /// Groups that are being computed take so many bytes; others go to the spool. Kept sums take three quarters of that, beside it.
    pub(crate) fn new(bytes: u64, spool: Spool) -> Self {
        let make_file = move || {
            let (file, guard) = (spool.unnamed()?, spool.guard());
            Ok(Box::new(GuardedFile { file, guard }) as _)
        };
        let kept = KeptMemory { budget: Arc::new(Budget::new(bytes / 4 * 3)), least: MIN_KEPT_BYTES };
        Self { room: Room::new(Arc::new(Budget::new(bytes)), make_file), kept }
    }

    /// The reports, computed within this memory.
    pub(crate) fn of(&self, configured: &[ReportConfig]) -> Vec<ReportConfig> {
        configured.iter().map(|report| report.within(&self.room)).collect()
    }

    /// The memory of kept sums.
    pub(super) fn kept(&self) -> &KeptMemory {
        &self.kept
    }

    /// Keeps so few bytes, and moves as few as `least` to a file, for tests.
    #[cfg(test)]
    pub(super) fn tiny(self, kept: u64, least: usize) -> Self {
        Self { room: self.room.with_least(least), kept: KeptMemory { budget: Arc::new(Budget::new(kept)), least: 0 } }
    }
}

/// A file of the spool that looks after the free space.
struct GuardedFile {
    file: File,
    guard: SpaceGuard,
}

impl Write for GuardedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.guard.note(bytes.len())?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for GuardedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for GuardedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
