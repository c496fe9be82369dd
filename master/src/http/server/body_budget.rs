//! Bounds the bytes of all bodies that are being received, because each client may send eight megabytes as slowly as it likes.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Most bytes of all bodies that are being received.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// A number of bytes that are held, over all requests.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

/// The bytes of one body. They are given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Budget {
    /// Nothing is held.
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Begins a body.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, bytes: 0 }
    }
}

impl Share<'_> {
    /// Takes so many bytes more. Returns whether there were so many left.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.budget.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_BYTES
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_share_what_there_is() {
        let budget = Budget::new();
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.grow(MAX_BYTES / 2) && other.grow(MAX_BYTES / 2));
        assert!(!other.grow(1));
        drop(other);
        assert!(one.grow(MAX_BYTES / 2) && !one.grow(1));
        drop(one);
        assert!(budget.share().grow(MAX_BYTES));
    }
}
