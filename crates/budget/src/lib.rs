//! Bytes that many share, up to a bound: of memory or of a disk. Whoever finds none left waits, refuses, or does without.

use std::{
    borrow::Borrow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A number of bytes, of which many may take a share.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
    taken: AtomicU64,
}

impl Budget {
    /// A budget of so many bytes, none of which is taken.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self { bytes, taken: AtomicU64::new(0) }
    }

    /// All of its bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes that are taken now.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Bytes taken from a budget. They return to it on drop.
#[derive(Debug)]
pub struct Share<B: Borrow<Budget> = Arc<Budget>> {
    budget: B,
    bytes: u64,
}

impl<B: Borrow<Budget>> Share<B> {
    /// A share without bytes.
    pub const fn new(budget: B) -> Self {
        Self { budget, bytes: 0 }
    }

    /// A share of so many bytes; `None` if fewer are left.
    pub fn of(budget: B, bytes: u64) -> Option<Self> {
        let mut share = Self::new(budget);
        share.grow(bytes).then_some(share)
    }

    /// Takes so many bytes more. Returns false, and takes none, if fewer are left.
    #[must_use]
    pub fn grow(&mut self, bytes: u64) -> bool {
        let Budget { bytes: all, taken } = self.budget.borrow();
        let more = |taken: u64| taken.checked_add(bytes).filter(|more| more <= all);
        let has_grown = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        self.bytes += if has_grown { bytes } else { 0 };
        has_grown
    }

    /// Takes so many bytes more, even if fewer are left. Returns whether there were so many.
    #[must_use]
    pub fn take(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        let Budget { bytes: all, taken } = self.budget.borrow();
        taken.fetch_add(bytes, Ordering::Relaxed) + bytes <= *all
    }

    /// Gives all bytes back.
    pub fn clear(&mut self) {
        self.budget.borrow().taken.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }

    /// The bytes of this share.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl<B: Borrow<Budget>> Drop for Share<B> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_share_what_there_is() {
        let budget = Arc::new(Budget::new(100));
        let mut one = Share::of(Arc::clone(&budget), 50).unwrap();
        let mut other = Share::new(Arc::clone(&budget));
        assert!(other.grow(50) && !other.grow(1) && !one.grow(u64::MAX));
        assert!(Share::of(&*budget, 1).is_none());
        assert_eq!((one.bytes(), other.bytes(), budget.taken()), (50, 50, 100));
        drop(other);
        assert!(one.grow(50) && !one.grow(1));
        drop(one);
        assert_eq!(Share::of(budget, 100).map(|share| share.bytes()), Some(100));
    }

    #[test]
    fn what_is_taken_beyond_it_counts() {
        let all = Arc::new(Budget::new(100));
        let mut shares: Vec<_> = (0..4).map(|_| Share::new(Arc::clone(&all))).collect();
        let fit: Vec<bool> = shares.iter_mut().map(|share| share.take(100 / 3)).collect();
        assert_eq!(fit, [true, true, true, false]);
        shares[3].clear();
        assert!(shares[3].take(0));
        shares.truncate(2);
        assert!(Share::new(all).take(100 / 3), "what is dropped is held no more");
    }
}
