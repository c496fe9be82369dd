//! The lock of a database as the right to write.

use anyhow::{Context, Result};
use tributary_config::Config;
use tributary_engine::{Lock, acquire, lock_holder};

use super::{Locks, NotTaken};

/// The name of this program as the holder of the lock.
const HOLDER: &str = "master";

/// The lock of the configured database.
pub(crate) struct DatabaseLock {
    config: Config,
    can_wait: bool,
}

impl DatabaseLock {
    /// Takes nothing yet. `can_wait`: one that is taken is waited for.
    pub(crate) fn new(config: &Config, can_wait: bool) -> Self {
        Self { config: config.clone(), can_wait }
    }
}

impl Locks for DatabaseLock {
    type Lock = Lock;

    fn can_wait(&self) -> bool {
        self.can_wait
    }

    async fn try_take(&self) -> Result<Lock, NotTaken> {
        let config = self.config.clone();
        let taken = tokio::task::spawn_blocking(move || acquire(&config, HOLDER)).await;
        let taken = taken.context("taking the lock broke off").and_then(|taken| taken);
        taken.map_err(|error| match lock_holder(&error).map(str::to_owned) {
            Some(by) => NotTaken::Held { by, error },
            None => NotTaken::Failed(error),
        })
    }
}
