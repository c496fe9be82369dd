//! Bounds the bytes of all bodies that are being received, because each client may send eight megabytes as slowly as it likes.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// Most bytes of all bodies that are being received.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// Age from which on a body must make room for others.
const MAX_AGE: Duration = Duration::from_secs(2);

/// A number of bytes that are held, over all requests.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Held>);

/// Guarded by [`Budget`], for one change only.
#[derive(Debug)]
struct Held {
    bytes: usize,
    /// Bodies that hold some, and when they began.
    bodies: Vec<(Instant, CancellationToken)>,
}

/// The bytes of one body. They are given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: usize,
    /// Cancelled when others need its bytes.
    yields: CancellationToken,
}

impl Budget {
    /// Nothing is held.
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Held { bytes: 0, bodies: Vec::new() }))
    }

    /// Begins a body.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, bytes: 0, yields: CancellationToken::new() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Lets the oldest body go, if it is old. Returns whether there was one: its bytes are free in a moment.
    fn let_oldest_go(&mut self) -> bool {
        let waiting = self.bodies.iter().filter(|(began, body)| began.elapsed() >= MAX_AGE && !body.is_cancelled());
        let oldest = waiting.min_by_key(|(began, _)| *began);
        oldest.inspect(|(_, body)| body.cancel()).is_some()
    }
}

impl Share<'_> {
    /// Takes so many bytes more. Returns whether there were so many left, or are in a moment.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let mut held = self.budget.held();
        if self.bytes == 0 {
            held.bodies.push((Instant::now(), self.yields.clone()));
        }
        self.bytes += bytes;
        held.bytes += bytes;
        held.bytes <= MAX_BYTES || held.let_oldest_go()
    }

    /// Waits until others need its bytes.
    pub(super) async fn yields(&self) {
        self.yields.cancelled().await;
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.yields.cancel();
        let mut held = self.budget.held();
        held.bytes -= self.bytes;
        held.bodies.retain(|(_, body)| !body.is_cancelled());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_body_makes_room_and_a_new_one_does_not() {
        let budget = Budget::new();
        let (mut old, mut new) = (budget.share(), budget.share());
        assert!(old.grow(MAX_BYTES / 2) && new.grow(MAX_BYTES / 2) && !new.grow(1));
        budget.held().bodies[0].0 -= MAX_AGE;
        assert!(new.grow(1) && old.yields.is_cancelled() && !new.yields.is_cancelled());
        assert!(!new.grow(1), "nobody is let go twice");
        drop(old);
        assert!(new.grow(1));
    }

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
