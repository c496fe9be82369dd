//! The parts of the demo share this: its folder, its database, and the moments that all wait for.

use std::{path::Path, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tributary_store::DatabaseUrl;

/// The folder and the database of the demo, and its moments.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// The folder of the feeds and the database.
    pub(super) folder: PathBuf,
    pub(super) database: DatabaseUrl,
    /// Cancelled once all feeds are applied. No part changes anything before.
    pub(super) loaded: CancellationToken,
    pub(super) shutdown: CancellationToken,
}

impl Stage {
    /// Waits until all feeds are applied. Returns false at a shutdown.
    pub(super) async fn loaded(&self) -> bool {
        tokio::select! {
            () = self.loaded.cancelled() => true,
            () = self.shutdown.cancelled() => false,
        }
    }

    /// Waits this long. Returns false at a shutdown.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// Runs `write` on the folder, on a thread that may wait for the disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Path) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || write(&folder)).await.context("a task that writes files failed")?
    }
}
