//! Makes items on one thread and takes them on another, a few ahead. Their number and their bytes are bounded.

use std::{
    sync::{Condvar, Mutex, PoisonError, mpsc::sync_channel},
    thread,
};

use anyhow::{Context, Result};

/// Items that are made ahead while one is taken.
const MAX_AHEAD: usize = 16;
/// Bytes of those. A larger item goes alone. Twice as many take 20 MiB more and make no load faster.
const MAX_AHEAD_BYTES: usize = 8 << 20;

/// Runs `make` on another thread and gives its items to `take` on this one, in order. `bytes` is the size of an item. Once `take` has
/// failed, the function that `make` passes its items to returns false.
pub(super) fn ahead<T: Send>(
    name: &str,
    bytes: impl Fn(&T) -> usize + Send,
    make: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<()> + Send,
    mut take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let room = Room::default();
    thread::scope(|scope| {
        let (sender, ready) = sync_channel(MAX_AHEAD);
        let made_bytes = &room;
        let make = move || {
            make(&mut |made| {
                let bytes = bytes(&made);
                made_bytes.take(bytes);
                sender.send((bytes, made)).is_ok()
            })
        };
        let making = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, make);
        let making = making.with_context(|| format!("failed to start the thread `{name}`"))?;
        let closed = Closed(&room);
        let taken = ready.into_iter().try_for_each(|(bytes, made)| {
            take(made)?;
            room.give_back(bytes);
            Ok(())
        });
        drop(closed);
        taken.and(making.join().ok().with_context(|| format!("the thread `{name}` panicked"))?)
    })
}

/// The bytes that are ahead; `None` once nobody takes any more.
struct Room {
    /// Locked only to look at the number and to change it.
    held: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Default for Room {
    fn default() -> Self {
        Self { held: Mutex::new(Some(0)), changed: Condvar::new() }
    }
}

impl Room {
    /// Waits until so many bytes fit.
    fn take(&self, bytes: usize) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |held: &mut Option<usize>| held.is_some_and(|held| held > 0 && held + bytes > MAX_AHEAD_BYTES);
        let mut held = self.changed.wait_while(held, is_full).unwrap_or_else(PoisonError::into_inner);
        *held = held.map(|held| held + bytes);
    }

    fn give_back(&self, bytes: usize) {
        self.change(|held| held.map(|held| held - bytes));
    }

    fn change(&self, change: impl FnOnce(Option<usize>) -> Option<usize>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = change(*held);
        drop(held);
        self.changed.notify_one();
    }
}

/// Lets the other thread go on when it is dropped, however taking ended: it would wait for ever.
struct Closed<'a>(&'a Room);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.change(|_| None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Takes 100 items of so many bytes, each only once `expect` of them are ahead. Then no more may be.
    fn check(bytes: usize, expect: usize) {
        const ITEMS: usize = 100;
        let (made, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let make = |give: &mut dyn FnMut(usize) -> bool| {
            for number in 0..ITEMS {
                assert!(give(number));
                let ahead = made.fetch_add(1, Ordering::SeqCst) + 1 - taken.load(Ordering::SeqCst);
                // One may just have been taken.
                assert!(ahead <= expect + 1, "{ahead}");
            }
            Ok(())
        };
        let take = |number: usize| {
            while made.load(Ordering::SeqCst) < (number + expect).min(ITEMS) {
                thread::yield_now();
            }
            taken.store(number + 1, Ordering::SeqCst);
            Ok(())
        };
        ahead("test", |_| bytes, make, take).unwrap();
        assert_eq!(taken.into_inner(), ITEMS);
    }

    #[test]
    fn items_ahead_are_bounded_in_number_and_in_bytes() {
        check(0, MAX_AHEAD);
        check(MAX_AHEAD_BYTES / 4, 4);
        check(2 * MAX_AHEAD_BYTES, 1);
    }

    #[test]
    fn the_maker_ends_when_taking_fails() {
        let make = |give: &mut dyn FnMut(()) -> bool| {
            while give(()) {}
            Ok(())
        };
        let failed = ahead("test", |()| 2 * MAX_AHEAD_BYTES, make, |()| anyhow::bail!("full"));
        assert_eq!(failed.unwrap_err().to_string(), "full");
    }
}
