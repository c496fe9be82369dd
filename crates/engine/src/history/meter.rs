//! Counts polls and requests until they are stored.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tributary_store::{Amounts, Store};

use crate::{clock, database::Writer, supervise::Task};

/// Time between two writes: the finest step of the history.
const WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// Counts since they were last stored; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    /// By source; the empty name is the master as a whole. Held for one change or one copy only.
    pending: Arc<Mutex<BTreeMap<String, Amounts>>>,
}

impl Meter {
    /// Counts a pass over a source.
    pub(crate) fn poll(&self, source: &str, took: Duration, failed: bool) {
        let (polls, failed_polls, seconds) = (1, i64::from(failed), took.as_secs_f64());
        let pass =
            Amounts { polls, failed_polls, poll_seconds: seconds, max_poll_seconds: seconds, ..Amounts::default() };
        let mut pending = self.pending();
        pending.entry(String::new()).or_default().add(&pass);
        pending.entry(source.to_owned()).or_default().add(&pass);
    }

    /// Counts a request that only reads.
    pub(crate) fn request(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let one = Amounts { requests: 1, request_seconds: seconds, max_request_seconds: seconds, ..Amounts::default() };
        self.pending().entry(String::new()).or_default().add(&one);
    }

    /// Counts of a source that are not stored yet; an empty name asks for the master as a whole.
    pub(super) fn of(&self, source: &str) -> Amounts {
        self.pending().get(source).cloned().unwrap_or_default()
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<String, Amounts>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores what was counted, once per minute, and deletes what is too old.
pub(crate) struct StoreHistory {
    meter: Meter,
    writer: Writer,
}

impl StoreHistory {
    pub(crate) fn new(meter: &Meter, writer: &Writer) -> Self {
        Self { meter: meter.clone(), writer: writer.clone() }
    }
}

impl Task for StoreHistory {
    async fn run(&mut self) {
        loop {
            tokio::time::sleep(WRITE_INTERVAL).await;
            let meter = self.meter.clone();
            let stored = self.writer.run("the history", move |store| store_pending(store, &meter)).await;
            if let Err(error) = stored {
                tracing::warn!("failed to store the history of the last minute: {error:#}");
            }
        }
    }
}

fn store_pending(store: &mut Store, meter: &Meter) -> Result<()> {
    let mut pending = mem::take(&mut *meter.pending());
    pending.entry(String::new()).or_default().products = Some(store.tally()?.products);
    let now = clock::seconds();
    store.transaction(|store| {
        pending.iter().try_for_each(|(source, amounts)| store.add_to_history(source, now, amounts))?;
        Ok(store.trim_history(now)?)
    })
}
