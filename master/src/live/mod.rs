//! The daemon, from the start to a clean stop: what is opened before anything runs, and what is served in each role.
//!
//! It belongs here if it says which entrances there are. Which role a master has is decided in `role`.

mod doors;
mod terms;

use std::net::TcpListener;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;
use tributary_config::{Config, ConfigArgs};
use tributary_engine::{MasterRole, Prepared};
use tributary_http_common::{announce, too_few_files};

use self::{doors::Doors, terms::Daemon};
use crate::role::{self, DatabaseLock};

/// The way in which a master is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start {
    /// Print the ready line.
    pub announces: bool,
    /// Read the database beside the master that writes it.
    pub read_only: bool,
}

/// Polls all sources and serves all entrances until `shutdown` is cancelled; or reads only. `args`: read the configuration from them again
/// when asked to.
///
/// # Errors
/// Another master holds the database; the database, the spool or the listener fails; the writer is broken.
pub async fn run(
    config: Config,
    args: Option<ConfigArgs>,
    listener: TcpListener,
    start: Start,
    shutdown: CancellationToken,
) -> Result<()> {
    // Nobody waits for a file: its processes run on one machine, where a supervisor starts another one.
    let lock = DatabaseLock::new(&config, config.database.is_postgres());
    run_with(&lock, config, args, listener, start, shutdown).await
}

async fn run_with(
    lock: &DatabaseLock,
    config: Config,
    args: Option<ConfigArgs>,
    listener: TcpListener,
    start: Start,
    shutdown: CancellationToken,
) -> Result<()> {
    // What cannot be used is found before anything starts.
    let doors = Doors::open(&config, listener, start.read_only)?;
    if let Some(words) = too_few_files(config.sources.len()).filter(|_| !start.read_only) {
        tracing::warn!("{words}");
    }
    let of = config.clone();
    let prepared = tokio::task::spawn_blocking(move || Prepared::new(&of)).await.context("the start failed")??;
    let (address, is_encrypted) = (doors.address, doors.pair.is_some());
    let announce = move || {
        if start.announces {
            announce(address, is_encrypted);
        }
    };
    let daemon = Daemon::new(config, args, doors, prepared, announce, shutdown.clone());
    if start.read_only {
        return daemon.read(MasterRole::Reader, shutdown).await;
    }
    role::run(lock, &daemon, &shutdown).await
}

#[cfg(test)]
mod tests;
