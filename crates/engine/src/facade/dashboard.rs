//! The numbers of the first page that are not of one moment: plots, changes of today, the most frequent names.

use std::sync::Arc;

use anyhow::Result;
use tributary_store::{AggrRow, Amounts, HistorySpan, Store};

use super::Engine;
use crate::{
    clock,
    history::{HistoryPoint, series},
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Numbers that the first page shows beside the [`Overview`](super::Overview).
#[derive(Debug)]
pub struct Dashboard {
    /// The series for the plots, the oldest point first.
    pub points: Vec<HistoryPoint>,
    /// Amounts since midnight, UTC.
    pub today: Amounts,
    /// The number of products at the last midnight, UTC; `None` if it was not noted yet.
    pub products_at_midnight: Option<i64>,
    /// The most frequent names, the first with the most products; up to a moment old if counting them takes long.
    pub names: Arc<[AggrRow]>,
}

impl Engine {
    /// Reads the plots over a span, the changes of today and the most frequent names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dashboard(&self, span: HistorySpan) -> Result<Dashboard> {
        let names = self.most_frequent_names().await?;
        let meter = self.0.meter.clone();
        let read = move |store: &mut Store| {
            let now = clock::seconds();
            let points = series(store, &meter, "", span, now)?;
            let day = store.history("", DAY, now - now.rem_euclid(DAY))?.pop();
            let products_at_midnight = store.products_before(now - now.rem_euclid(DAY))?;
            Ok((points, day.map(|day| day.amounts).unwrap_or_default(), products_at_midnight))
        };
        let (points, today, products_at_midnight) = self.read(read).await?;
        Ok(Dashboard { points, today, products_at_midnight, names })
    }

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
