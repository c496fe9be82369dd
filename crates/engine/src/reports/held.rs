//! Memory of partials that wait until they are applied, counted over all sources.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Bytes of partials that wait until they are applied, about.
const MAX_HELD_BYTES: u64 = 64 << 20;

/// The bytes of all sources; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldBytes(Arc<AtomicU64>);

/// Those of one source. They count until they are cleared or dropped.
#[derive(Debug)]
pub(crate) struct Held {
    of_all: HeldBytes,
    bytes: u64,
}

impl HeldBytes {
    /// Begins to count for one source.
    pub(crate) fn begin(&self) -> Held {
        Held { of_all: self.clone(), bytes: 0 }
    }
}

impl Held {
    /// Adds bytes. Returns whether all sources hold too much, so that this one has to apply what it has.
    pub(crate) fn add(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        self.of_all.0.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_HELD_BYTES
    }

    /// Nothing is held any more.
    pub(crate) fn clear(&mut self) {
        self.of_all.0.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each source held 64 MiB, so four hostile ones took 600 MiB.
    #[test]
    fn what_all_sources_hold_counts() {
        let all = HeldBytes::default();
        let mut sources: Vec<Held> = (0..4).map(|_| all.begin()).collect();
        let is_full: Vec<bool> = sources.iter_mut().map(|held| held.add(MAX_HELD_BYTES / 3)).collect();
        assert_eq!(is_full, [false, false, false, true]);
        sources[3].clear();
        assert!(!sources[3].add(0));
        sources.truncate(2);
        assert!(!all.begin().add(MAX_HELD_BYTES / 3), "what is dropped is held no more");
    }
}
