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
    /// Changing files that are not offered as they are.
    pub(crate) waiting_files: AtomicU64,
}

/// Counters of the watching thread since its start, and its backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Scans of the whole folder.
    pub scans: u64,
    /// Bytes hashed; a file that was hashed twice counts twice.
    pub hashed_bytes: u64,
    /// Files that have been changing for longer than [`crate::Options::max_settle`] and are not offered as they are now.
    pub waiting_files: u64,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> Counts {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            scans: value(&self.scans),
            hashed_bytes: value(&self.hashed_bytes),
            waiting_files: value(&self.waiting_files),
        }
    }

    pub(crate) fn count_hashed(&self, bytes: usize) {
        self.hashed_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
