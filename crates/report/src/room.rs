//! Memory that the groups of several computations may take together. Groups times metrics can be any number, and whoever asks a source
//! chooses both.

use std::sync::Arc;

use tributary_budget::{Budget, Share};

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
    /// Bytes that are taken at a time: groups come one by one, and threads share the room.
    const PIECE: usize = 4 << 10;

    pub(crate) fn new(room: Option<Arc<Budget>>) -> Self {
        Self { share: room.map(Share::new), free: 0, used: 0 }
    }

    /// Uses so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let Some(share) = &mut self.share else {
            self.used += bytes;
            return Ok(());
        };
        if self.free < bytes {
            let piece = bytes.max(Self::PIECE);
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

/// Copies are made of the totals of a master, which no room bounds.
impl Clone for Lease {
    fn clone(&self) -> Self {
        Self::default()
    }
}
