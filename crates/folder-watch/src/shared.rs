//! State that the watching thread, the event handler and the owner of a folder share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Flags and counters; each has one writer but `stopping`, which the owner sets once.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Tells the watching thread to end. It checks between any two pieces of work.
    pub(crate) stopping: AtomicBool,
    /// Set by the event handler when the queue of hints was full; cleared by the watching thread.
    pub(crate) hints_lost: AtomicBool,
    /// Complete scans of the folder.
    pub(crate) scans: AtomicU64,
    /// Bytes hashed, including those of files hashed again.
    pub(crate) hashed_bytes: AtomicU64,
}

/// Counters of the watching thread since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Scans of the whole folder.
    pub scans: u64,
    /// Bytes hashed; a file that was hashed twice counts twice.
    pub hashed_bytes: u64,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { scans: self.scans.load(Ordering::Relaxed), hashed_bytes: self.hashed_bytes.load(Ordering::Relaxed) }
    }
}
