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
/// The same for the first question to a source, which a source that is well answers at once.
const MAX_QUESTION: Duration = Duration::from_millis(250);

/// The turns of all sources; clones share them.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// The turn of one pass. The default is one that was not waited for and that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Given back when this is dropped.
    permit: Option<OwnedSemaphorePermit>,
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
        Turn { permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

impl Turn {
    /// Makes a pass. The turn ends with it, or after [`MAX_TURN`].
    pub(crate) async fn give<T>(mut self, pass: impl Future<Output = T>) -> T {
        self.spend(MAX_TURN, pass).await
    }

    /// Waits for the answer to the question with which a pass begins. The turn goes on after it, unless it took longer than
    /// [`MAX_QUESTION`].
    pub(crate) async fn ask<T>(&mut self, question: impl Future<Output = T>) -> T {
        self.spend(MAX_QUESTION, question).await
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.permit.is_none()
    }

    /// Works. The turn ends if that takes longer than `limit`.
    async fn spend<T>(&mut self, limit: Duration, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        match timeout(limit, &mut work).await {
            Ok(done) => done,
            Err(_) => {
                self.permit = None;
                work.await
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

    /// At a start, sources that never answer keep others from being asked.
    #[tokio::test(start_paused = true)]
    async fn a_question_that_is_not_answered_gives_its_turn_away() {
        let (turns, started) = (Turns::default(), Instant::now());
        let mut turn = turns.next().await;
        assert_eq!((turn.ask(async { 7 }).await, turn.is_over()), (7, false));
        let _others: Vec<_> = futures_util::future::join_all((1..MAX_PASSES).map(|_| turns.next())).await;
        let slow = tokio::spawn(async move {
            turn.ask(tokio::time::sleep(MAX_TURN)).await;
            turn.is_over()
        });
        turns.next().await;
        assert_eq!(started.elapsed().as_millis(), MAX_QUESTION.as_millis());
        assert!(slow.await.unwrap());
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
