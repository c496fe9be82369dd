//! A configuration brought into the database: at a start and at a reload, in one transaction.

use anyhow::Result;
use tributary_config::{CatalogConfig, DropSources, ReportConfig, SourceConfig};
use tributary_store::Store;

use crate::{
    database::events::{self, Event},
    ingest::{self, StoredSource, Written},
    reports,
};

/// The parts of a configuration that the database follows.
#[derive(Clone)]
pub(super) struct Adoption {
    /// All sources in their order, the uploads folder last if there is one.
    pub(super) sources: Vec<SourceConfig>,
    pub(super) reports: Vec<ReportConfig>,
    pub(super) catalog: CatalogConfig,
    pub(super) drop: DropSources,
    /// There are subscribers to tell, and a source that is gone is held.
    pub(super) is_reload: bool,
}

impl Adoption {
    /// Makes the stored sources, reports and columns those of the configuration. Returns what is stored of each source,
    /// in order, and the changes of products.
    ///
    /// # Errors
    /// At a start, a source that holds rows would go; at a reload it is held. The database fails or is damaged. Then nothing has
    /// changed.
    pub(super) fn run(&self, store: &mut Store) -> Result<(Vec<StoredSource>, Written)> {
        let adopted = store.transaction(|store| self.run_in(store))?;
        adopted.log();
        let written = adopted.written();
        Ok((adopted.stored, written))
    }

    fn run_in(&self, store: &mut Store) -> Result<ingest::Adopted> {
        if !self.is_reload {
            ingest::check_dropped(store, &self.sources, &self.reports, &self.drop)?;
        }
        let catalog = ingest::adopt_catalog(store, &self.catalog)?;
        let mut adopted = ingest::adopt(store, &self.sources, &self.drop)?;
        if let Some(catalog) = catalog {
            adopted.chosen = [adopted.chosen, catalog.finish(store)?].into_iter().flatten().reduce(|a, b| a + b);
        }
        reports::adopt(store, &self.reports, &adopted.names(&self.sources))?;
        if self.is_reload {
            let (sources, reports) = (self.sources.len() as u64, self.reports.len() as u64);
            events::put(store, &Event::Configuration { sources, reports })?;
        } else if adopted.changed_rows() {
            // No version of a source tells of it, so a subscriber that comes back has to read everything again.
            store.forget_events()?;
        }
        Ok(adopted)
    }
}
