//! Sources and their health, and what the first page shows.

use std::sync::atomic::Ordering;

use anyhow::Result;
use prometheus_client::registry::Registry;
use tributary_config::PRODUCTS;
use tributary_store::{SourceView, Store, Tally};

use super::Engine;
use crate::{
    database::events::{self, StoredEvent},
    poll::SourceStatus,
    views::{ProductDetail, detail},
};

/// A source with its health.
#[derive(Debug, Clone)]
pub struct SourceHealth {
    /// The source as stored.
    pub stored: SourceView,
    /// Its health since this process started.
    pub status: SourceStatus,
}

/// The first page, as of one moment.
#[derive(Debug)]
pub struct Overview {
    /// The numbers of products and names.
    pub tally: Tally,
    /// The requested product.
    pub product: Option<ProductDetail>,
    /// The latest events, newest first.
    pub events: Vec<StoredEvent>,
    /// All sources, in the order of the configuration.
    pub sources: Vec<SourceHealth>,
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

    /// Whether every source has been polled at least once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        if self.0.statuses.all_tried() {
            self.0.ready.store(true, Ordering::Relaxed);
        }
        self.0.ready.load(Ordering::Relaxed)
    }

    /// The numbers of products and names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tally(&self) -> Result<Tally> {
        self.read(|store| Ok(store.tally()?)).await
    }

    /// The first page: counts, the product with this sku, the latest events, and all sources.
    ///
    /// # Errors
    /// The database fails.
    pub async fn overview(&self, sku: Option<String>, events: i64) -> Result<Overview> {
        let read = move |store: &mut Store| {
            let product = sku.map(|sku| detail(store, &sku)).transpose()?;
            let events = store.latest_events(events)?.iter().map(events::read).collect::<Result<_>>()?;
            Ok((store.tally()?, product, events, store.sources_view(PRODUCTS)?))
        };
        let (tally, product, events, sources) = self.read(read).await?;
        Ok(Overview { tally, product, events, sources: self.with_health(sources) })
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
