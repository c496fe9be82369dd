//! Memory that the groups of several computations may take together. Groups times metrics can be any number, and whoever asks a source
//! chooses both.

use std::{fmt, io, sync::Arc};

use tributary_budget::{Budget, Share};

use crate::groups::SpillFile;

/// Bytes that groups may take even if there is no room: a run of less is not worth a file.
const MIN_RUN_BYTES: usize = 2 << 20;

/// Memory for groups that others share, and files for those beyond it. Clones share both.
#[derive(Clone)]
pub struct Room {
    budget: Arc<Budget>,
    make_file: Arc<dyn Fn() -> io::Result<Box<dyn SpillFile>> + Send + Sync>,
    least: usize,
}

impl Room {
    /// Bounds the memory of groups by a budget, and has files without a name made for others.
    pub fn new(
        budget: Arc<Budget>,
        make_file: impl Fn() -> io::Result<Box<dyn SpillFile>> + Send + Sync + 'static,
    ) -> Self {
        Self { budget, make_file: Arc::new(make_file), least: MIN_RUN_BYTES }
    }

    /// Makes runs of as few bytes as this, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn with_least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    /// Bytes that groups may take even if there is no room.
    pub(crate) fn least(&self) -> usize {
        self.least
    }

    pub(crate) fn make_file(&self) -> io::Result<Box<dyn SpillFile>> {
        (self.make_file)()
    }

    pub(crate) fn lease(&self) -> Lease {
        Lease::new(Arc::clone(&self.budget))
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.budget.fmt(f)
    }
}

/// The error for more memory than there is room for.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// A part of a budget, given back when it is dropped. Without a budget it is unbounded.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    share: Option<Share>,
    /// Bytes of it that are not in use yet.
    free: usize,
    used: usize,
}

impl Lease {
    /// Bytes that are taken at a time, once as many are in use: groups come one by one, and threads share the room.
    const MAX_PIECE: usize = 4 << 10;

    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { share: Some(Share::new(budget)), free: 0, used: 0 }
    }

    /// Uses so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let Some(share) = &mut self.share else {
            self.used += bytes;
            return Ok(());
        };
        if self.free < bytes {
            let piece = bytes.max(self.used.min(Self::MAX_PIECE));
            if !share.grow(piece as u64) {
                return Err(NoRoom);
            }
            self.free += piece;
        }
        self.free -= bytes;
        self.used += bytes;
        Ok(())
    }
}

impl Lease {
    /// Uses so many bytes more, even if there are none left.
    pub(crate) fn take(&mut self, bytes: usize) {
        self.used += bytes;
        if let Some(share) = &mut self.share {
            // Others find that there is no room.
            let _ = share.take(bytes as u64);
        }
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Gives all bytes back.
    pub(crate) fn clear(&mut self) {
        self.share.iter_mut().for_each(Share::clear);
        (self.free, self.used) = (0, 0);
    }
}
