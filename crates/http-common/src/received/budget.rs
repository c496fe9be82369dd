//! Bounds the bytes of all bodies that are being received, because each client may send one up to its limit as slowly as it likes.

use std::{
    cmp::Reverse,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// Most bytes of a small body, as an edit is, and bytes that only the beginnings of bodies may take beside all others: a few large ones
/// must not stop every edit.
const SMALL_BYTES: u64 = 64 << 10;
const SMALL_RESERVE: u64 = 8 << 20;
/// Age from which on a body must make room for others.
const MAX_AGE: Duration = Duration::from_secs(2);

/// A number of bytes that are held, over all requests.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    held: Mutex<Held>,
}

/// Guarded by [`Budget`], for one change only.
#[derive(Debug)]
struct Held {
    bytes: u64,
    /// Bodies that hold some.
    bodies: Vec<Body>,
}

#[derive(Debug)]
struct Body {
    began: Instant,
    bytes: u64,
    yields: CancellationToken,
}

/// The bytes of one body. They are given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
    /// Cancelled when others need its bytes.
    yields: CancellationToken,
}

impl Budget {
    /// So many bytes, of which nothing is held.
    pub(super) const fn new(bytes: u64) -> Self {
        Self { bytes, held: Mutex::new(Held { bytes: 0, bodies: Vec::new() }) }
    }

    /// All of its bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Begins a body.
    pub(super) fn share(&self) -> Share<'_> {
        Share { budget: self, bytes: 0, yields: CancellationToken::new() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Lets the largest of the old bodies go, of such ones the oldest. Returns whether there was one: its bytes are free in a moment.
    fn let_largest_go(&mut self) -> bool {
        let old = self.bodies.iter().filter(|body| body.began.elapsed() >= MAX_AGE && !body.yields.is_cancelled());
        let largest = old.max_by_key(|body| (body.bytes, Reverse(body.began)));
        largest.inspect(|body| body.yields.cancel()).is_some()
    }
}

impl Share<'_> {
    /// Takes so many bytes more. Returns whether there were so many left, or are in a moment.
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        let mut held = self.budget.held();
        if self.bytes == 0 {
            held.bodies.push(Body { began: Instant::now(), bytes: 0, yields: self.yields.clone() });
        }
        self.bytes += bytes;
        held.bytes += bytes;
        if let Some(body) = held.bodies.iter_mut().find(|body| body.yields == self.yields) {
            body.bytes = self.bytes;
        }
        let reserve = if self.bytes <= SMALL_BYTES { SMALL_RESERVE } else { 0 };
        held.bytes <= self.budget.bytes.saturating_add(reserve) || held.let_largest_go()
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
        held.bodies.retain(|body| !body.yields.is_cancelled());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_BYTES: u64 = 64 << 20;

    #[test]
    fn an_old_body_makes_room_and_a_new_one_does_not() {
        let budget = Budget::new(MAX_BYTES);
        let (mut old, mut new) = (budget.share(), budget.share());
        assert!(old.grow(MAX_BYTES / 2) && new.grow(MAX_BYTES / 2) && !new.grow(1));
        budget.held().bodies[0].began -= MAX_AGE;
        assert!(new.grow(1) && old.yields.is_cancelled() && !new.yields.is_cancelled());
        assert!(!new.grow(1), "nobody is let go twice");
        drop(old);
        assert!(new.grow(1));
    }

    /// Ten clients that sent eight megabytes but for the last byte used to stop every edit.
    #[test]
    fn large_bodies_neither_keep_small_ones_out_nor_take_their_place() {
        let budget = Budget::new(MAX_BYTES);
        let (mut small, mut large, mut larger) = (budget.share(), budget.share(), budget.share());
        assert!(small.grow(1) && large.grow(MAX_BYTES / 4) && larger.grow(3 * MAX_BYTES / 4 - 1) && !large.grow(1));
        assert!(budget.share().grow(SMALL_BYTES), "however full it is of young ones");
        budget.held().bodies.iter_mut().for_each(|body| body.began -= MAX_AGE);
        assert!(large.grow(1) && larger.yields.is_cancelled());
        assert!(!small.yields.is_cancelled() && !large.yields.is_cancelled());
    }

    #[test]
    fn all_bodies_share_what_there_is() {
        let budget = Budget::new(MAX_BYTES);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.grow(MAX_BYTES / 2) && other.grow(MAX_BYTES / 2));
        assert!(!other.grow(1));
        drop(other);
        assert!(one.grow(MAX_BYTES / 2) && !one.grow(1));
        drop(one);
        assert!(budget.share().grow(MAX_BYTES) && !budget.share().grow(MAX_BYTES + 1));
    }
}
