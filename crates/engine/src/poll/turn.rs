//! Turns for passes: of many sources that have news at once, as at a start, some hundred are worked on at a time.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Passes over sources that are made at a time.
const MAX_PASSES: usize = 128;
/// Longest time for which a pass counts. A slow source goes on beside the others: it must not keep them from their turn.
const MAX_TURN: Duration = Duration::from_secs(5);

/// The turns of all sources; clones share them.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// The turn of one pass. The default is one that was not waited for and that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Given back when this is dropped.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PASSES)))
    }
}

impl Turns {
    /// Waits for a turn. Those who have waited longest come first.
    pub(crate) async fn next(&self) -> Turn {
        // Never closed.
        Turn { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

impl Turn {
    /// Makes a pass. The turn ends with it, or after [`MAX_TURN`].
    pub(crate) async fn give<T>(self, pass: impl Future<Output = T>) -> T {
        let mut pass = pin!(pass);
        match timeout(MAX_TURN, &mut pass).await {
            Ok(passed) => passed,
            Err(_) => {
                drop(self);
                pass.await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    /// Without a bound on the time of a turn, sources that send for an hour keep all others from being read.
    #[tokio::test(start_paused = true)]
    async fn slow_passes_keep_others_waiting_for_a_while_only() {
        let (turns, started) = (Turns::default(), Instant::now());
        for _ in 0..MAX_PASSES {
            let turn = turns.next().await;
            tokio::spawn(turn.give(pending::<()>()));
        }
        assert_eq!(turns.0.available_permits(), 0);
        let turn = turns.next().await;
        assert_eq!((turn.give(async { 7 }).await, started.elapsed().as_secs()), (7, MAX_TURN.as_secs()));
    }

    #[tokio::test]
    async fn a_turn_ends_with_its_pass() {
        let turns = Turns::default();
        for _ in 0..3 * MAX_PASSES {
            turns.next().await.give(async {}).await;
        }
        Turn::default().give(async {}).await;
        assert_eq!(turns.0.available_permits(), MAX_PASSES);
    }
}
