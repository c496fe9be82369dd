//! Memory limit for sorted rows, shared by all files that are being read. Rows beyond it go to spill files.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A number of free bytes, shared by all clones.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<AtomicUsize>);

/// Bytes taken from a budget. They return to it on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

impl MemoryBudget {
    /// Creates a budget of `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes `bytes`, or returns `None` if fewer are free.
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes))
            .ok()
            .map(|_| Reservation { budget: self.clone(), bytes })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
