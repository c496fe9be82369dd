//! Memory that the groups of several computations may take together. Groups times metrics can be any number, and whoever asks a source
//! chooses both.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Memory for groups, shared by computations.
#[derive(Debug)]
pub struct Room {
    left: AtomicUsize,
}

/// The error for more memory than there is room for.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// A part of a room, given back when it is dropped. Without a room it is unbounded.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    room: Option<Arc<Room>>,
    /// Bytes that were taken from the room.
    taken: usize,
    /// Those of them that are not in use yet.
    free: usize,
}

impl Room {
    /// A room of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { left: AtomicUsize::new(bytes) }
    }
}

impl Lease {
    /// Bytes that are taken at a time: groups come one by one, and threads share the room.
    const PIECE: usize = 64 << 10;

    pub(crate) fn new(room: Option<Arc<Room>>) -> Self {
        Self { room, taken: 0, free: 0 }
    }

    /// Uses so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let Some(room) = &self.room else { return Ok(()) };
        if self.free < bytes {
            let piece = bytes.max(Self::PIECE);
            let take = |left: usize| left.checked_sub(piece);
            room.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map_err(|_| NoRoom)?;
            self.taken += piece;
            self.free += piece;
        }
        self.free -= bytes;
        Ok(())
    }
}

/// Copies are made of the totals of a master, which no room bounds.
impl Clone for Lease {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.left.fetch_add(self.taken, Ordering::Relaxed);
        }
    }
}
