//! The first page, as of one moment.

use anyhow::Result;
use tributary_config::PRODUCTS;
use tributary_store::{Amounts, HistorySpan, Store, Tally};

use super::{Engine, SourceHealth};
use crate::{
    clock,
    database::events::{self, StoredEvent},
    history::{HistoryPoint, series},
    views::{ProductDetail, detail},
};

/// Seconds of a day.
const DAY: i64 = 86_400;

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
    /// The series for the plots, the oldest point first.
    pub points: Vec<HistoryPoint>,
    /// Amounts since midnight.
    pub today: Today,
}

/// The day so far, from midnight UTC on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Today {
    /// Amounts since then; polls and requests of the last minute may be missing.
    pub amounts: Amounts,
    /// The number of products then; `None` if it was not noted yet.
    pub products_at_midnight: Option<i64>,
}

impl Engine {
    /// The first page: counts, the product with this sku, the latest events, all sources, and the history over a span.
    ///
    /// # Errors
    /// The database fails.
    pub async fn overview(&self, sku: Option<String>, events: i64, span: HistorySpan) -> Result<Overview> {
        let meter = self.0.meter.clone();
        let read = move |store: &mut Store| {
            let now = clock::seconds();
            let overview = Overview {
                tally: store.tally()?,
                product: sku.map(|sku| detail(store, &sku)).transpose()?,
                events: store.latest_events(events)?.iter().map(events::read).collect::<Result<_>>()?,
                sources: Vec::new(),
                points: series(store, &meter, "", span, now)?,
                today: today(store, now)?,
            };
            Ok((overview, store.sources_view(PRODUCTS)?))
        };
        let (overview, sources) = self.read(read).await?;
        Ok(Overview { sources: self.with_health(sources), ..overview })
    }
}

fn today(store: &mut Store, now: i64) -> Result<Today> {
    let midnight = now - now.rem_euclid(DAY);
    let day = store.history("", DAY, midnight)?.pop();
    Ok(Today {
        amounts: day.map(|day| day.amounts).unwrap_or_default(),
        products_at_midnight: store.products_before(midnight)?,
    })
}
