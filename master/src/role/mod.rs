//! The roles of a master: which it has, and how it gets from one to the next. An active master that was deposed waits again; a standby
//! takes over once the lock is free. A reader stays one, so it is not here.
//!
//! It belongs here if it decides on the role. What a master does in each is in `live`, which serves, and in the engine.

mod lock;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use lock::DatabaseLock;

/// Interval in which a standby tries to take the lock.
const TRY_INTERVAL: Duration = Duration::from_secs(1);

/// The right to write, which only one master has at a time.
pub(crate) trait Locks {
    /// The right itself, until it is dropped.
    type Lock;

    /// Whether a master that finds the lock taken waits for it.
    fn can_wait(&self) -> bool;

    /// Tries to take the lock once.
    ///
    /// # Errors
    /// [`NotTaken`].
    async fn try_take(&self) -> Result<Self::Lock, NotTaken>;
}

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Another process has it.
    Held {
        /// The process.
        by: String,
        /// For one that does not wait: what to do.
        error: anyhow::Error,
    },
    /// It is not known whether one has.
    Failed(anyhow::Error),
}

/// The work of a master in its roles.
pub(crate) trait Terms<L> {
    /// An active master that is not served yet.
    type Leader;

    /// Answers what can be read until `over` is cancelled.
    ///
    /// # Errors
    /// It cannot be served.
    async fn stand_by(&self, over: CancellationToken) -> Result<()>;

    /// Sets everything up that an active master needs. A standby goes on answering meanwhile.
    ///
    /// # Errors
    /// The database or the configuration cannot be used.
    async fn prepare(&self, lock: L) -> Result<Self::Leader>;

    /// Whether the same may succeed later, once the database can be used again.
    fn may_pass(&self, error: &anyhow::Error) -> bool;

    /// Polls sources and serves everything.
    ///
    /// # Errors
    /// It cannot be served, or the writer is broken.
    async fn lead(&self, leader: Self::Leader) -> Result<TermEnd>;
}

/// The end of the term of an active master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TermEnd {
    /// The process is to stop.
    Stopped,
    /// Another process has the lock, or this one does not know what it has written.
    Deposed,
}

/// Goes from role to role until `shutdown` is cancelled.
///
/// # Errors
/// Another process has the lock at the start, and it cannot be waited for; those of the terms.
pub(crate) async fn run<K: Locks>(locks: &K, terms: &impl Terms<K::Lock>, shutdown: &CancellationToken) -> Result<()> {
    let mut first = match take(locks, shutdown).await {
        None => return Ok(()),
        Some(Ok(lock)) => Some(lock),
        Some(Err(NotTaken::Held { by, .. })) if locks.can_wait() => {
            tracing::info!("this master is a standby: the active one is {by}");
            None
        }
        Some(Err(NotTaken::Held { error, .. } | NotTaken::Failed(error))) => return Err(error),
    };
    loop {
        let leader = match first.take() {
            Some(lock) => shutdown.run_until_cancelled(terms.prepare(lock)).await.transpose()?,
            None => wait(locks, terms, shutdown).await?,
        };
        // Nothing was begun that the next start would not begin again.
        let Some(leader) = leader else { return Ok(()) };
        match terms.lead(leader).await? {
            TermEnd::Stopped => return Ok(()),
            TermEnd::Deposed => {
                tracing::error!("this master may write no more; it is a standby until it gets the lock");
            }
        }
    }
}

/// Serves as a standby until the lock is taken and the active master can be served. `None`: the process is to stop.
async fn wait<K: Locks, T: Terms<K::Lock>>(
    locks: &K,
    terms: &T,
    shutdown: &CancellationToken,
) -> Result<Option<T::Leader>> {
    let over = shutdown.child_token();
    let served = terms.stand_by(over.clone());
    let taken = async {
        loop {
            let Some(lock) = take_patiently(locks, shutdown).await else { return Ok(None) };
            tracing::warn!("the lock of the database is free; this master takes over");
            let prepared = shutdown.run_until_cancelled(terms.prepare(lock)).await.transpose();
            match prepared {
                Err(error) if terms.may_pass(&error) => {
                    tracing::warn!("this master stays a standby for now: {error:#}");
                    shutdown.run_until_cancelled(sleep(TRY_INTERVAL)).await;
                }
                prepared => return prepared,
            }
        }
    };
    let mut served = std::pin::pin!(served);
    tokio::select! {
        taken = taken => {
            over.cancel();
            served.await?;
            taken
        }
        served = &mut served => served.map(|()| None),
    }
}

/// Tries to take the lock until it is taken. `None`: the process is to stop.
async fn take_patiently<K: Locks>(locks: &K, shutdown: &CancellationToken) -> Option<K::Lock> {
    let mut tries = interval(TRY_INTERVAL);
    // One that took long is not made up for.
    tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut has_failed = false;
    loop {
        shutdown.run_until_cancelled(tries.tick()).await?;
        match take(locks, shutdown).await? {
            Ok(lock) => return Some(lock),
            Err(NotTaken::Held { .. }) => has_failed = false,
            Err(NotTaken::Failed(error)) => {
                if !has_failed {
                    tracing::warn!("failed to ask for the lock of the database, trying again: {error:#}");
                }
                has_failed = true;
            }
        }
    }
}

async fn take<K: Locks>(locks: &K, shutdown: &CancellationToken) -> Option<Result<K::Lock, NotTaken>> {
    shutdown.run_until_cancelled(locks.try_take()).await
}

#[cfg(test)]
mod tests;
