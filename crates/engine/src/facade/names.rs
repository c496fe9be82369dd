//! The most frequent names.

use std::sync::Arc;

use anyhow::Result;
use tributary_store::{AggrRow, Store};

use super::Engine;

impl Engine {
    /// The most frequent names, at most 1,000. If counting them took long before, those of the last count, and a new
    /// count begins.
    ///
    /// # Errors
    /// The database fails.
    pub async fn most_frequent_names(&self) -> Result<Arc<[AggrRow]>> {
        let names = &self.0.most_frequent;
        let version = *self.0.writer.done().borrow();
        if let Some(known) = names.known(version) {
            return Ok(known);
        }
        let counted = names.clone();
        let count = move |store: &mut Store| counted.count(store, version);
        match names.stale() {
            None => self.read(count).await,
            Some(stale) => {
                if let Some(turn) = names.begin() {
                    let engine = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = engine.read(count).await {
                            tracing::warn!("failed to count the most frequent names: {error:#}");
                        }
                        drop(turn);
                    });
                }
                Ok(stale)
            }
        }
    }
}
