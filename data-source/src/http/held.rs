//! Answers that are held until there is news. Each takes a connection, so they are bounded, and the oldest makes room for the next.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio_util::sync::{CancellationToken, DropGuard};

/// Answers that are held at a time.
const MAX_HELD: usize = 1_000;

/// The answers that are held, the oldest first; those that are over are cancelled. Locked only to add one.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<VecDeque<CancellationToken>>);

/// One answer, held until this is dropped.
pub(crate) struct Hold {
    token: CancellationToken,
    _over: DropGuard,
}

impl Held {
    /// Begins to hold one more answer.
    pub(crate) fn begin(&self) -> Hold {
        let token = CancellationToken::new();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_HELD {
            all.retain(|other| !other.is_cancelled());
        }
        if all.len() >= MAX_HELD
            && let Some(oldest) = all.pop_front()
        {
            oldest.cancel();
        }
        all.push_back(token.clone());
        Hold { _over: token.clone().drop_guard(), token }
    }
}

impl Hold {
    /// Waits until it must make room.
    pub(crate) async fn ends(&self) {
        self.token.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_what_is_over_takes_none() {
        let held = Held::default();
        let all: Vec<_> = (0..MAX_HELD).map(|_| held.begin()).collect();
        assert!(!all.iter().any(|hold| hold.token.is_cancelled()));
        let next = held.begin();
        let ended: Vec<_> = all.iter().map(|hold| hold.token.is_cancelled()).collect();
        assert!(ended[0] && !ended[1..].contains(&true) && !next.token.is_cancelled());
        drop(all);
        let again: Vec<_> = (1..MAX_HELD).map(|_| held.begin()).collect();
        assert!(!again.iter().chain([&next]).any(|hold| hold.token.is_cancelled()));
    }
}
