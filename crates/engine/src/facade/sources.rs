//! Sources and their health.

use std::sync::atomic::Ordering;

use anyhow::Result;
use prometheus_client::registry::Registry;
use tributary_config::PRODUCTS;
use tributary_store::{SourceView, Tally};

use super::Engine;
use crate::{database::WriteOutage, poll::SourceStatus};

/// A source with its health.
#[derive(Debug, Clone)]
pub struct SourceHealth {
    /// The source as stored.
    pub stored: SourceView,
    /// Its health since this process started.
    pub status: SourceStatus,
}

impl Engine {
    /// All sources, in the order of the configuration.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sources(&self) -> Result<Vec<SourceHealth>> {
        Ok(self.with_health(self.read(|store| Ok(store.sources_view(PRODUCTS)?)).await?))
    }

    /// The health of each source since this process started, by name. Does not read the database.
    #[must_use]
    pub fn health(&self) -> Vec<(String, SourceStatus)> {
        self.0.statuses.copy().into_iter().collect()
    }

    /// Publishes how long passes and applies took.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.0.statuses.durations().register(registry);
    }

    /// Whether every source has been polled at least once; of a master that only reads, whether it can read.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        if let Some(seen) = &self.0.seen {
            return seen.borrow().unreadable.is_none();
        }
        if self.0.statuses.all_tried() {
            self.0.ready.store(true, Ordering::Relaxed);
        }
        self.0.ready.load(Ordering::Relaxed)
    }

    /// Since when and why nothing can be written to the database; `None` if it can, as far as is known.
    #[must_use]
    pub fn unwritable(&self) -> Option<WriteOutage> {
        self.0.writer.unwritable()
    }

    /// The numbers of products and names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tally(&self) -> Result<Tally> {
        self.read(|store| Ok(store.tally()?)).await
    }

    pub(super) fn with_health(&self, sources: Vec<SourceView>) -> Vec<SourceHealth> {
        let mut statuses = self.0.statuses.copy();
        let health = |stored: SourceView| {
            let status = statuses.remove(&stored.name).unwrap_or_default();
            SourceHealth { stored, status }
        };
        sources.into_iter().map(health).collect()
    }
}
