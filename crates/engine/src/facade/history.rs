//! The history, for plots.

use std::time::Duration;

use anyhow::Result;
use tributary_store::HistorySpan;

use super::Engine;
use crate::{
    clock,
    history::{HistoryPoint, series},
};

impl Engine {
    /// Reads what happened, as points at equal distances, the oldest first. `source` names one; without it, of the master as a whole. A source
    /// that nobody knows has a history of zeros.
    ///
    /// # Errors
    /// The database fails.
    pub async fn history(&self, source: Option<String>, span: HistorySpan) -> Result<Vec<HistoryPoint>> {
        let meter = self.0.meter.clone();
        let source = source.unwrap_or_default();
        self.read(move |store| series(store, &meter, &source, span, clock::seconds())).await
    }

    /// Counts a request that only reads: how long its answer took to begin. Only the active master does, which stores the counts.
    pub fn count_request(&self, took: Duration) {
        if self.is_active() {
            self.0.meter.request(took);
        }
    }
}
