//! The queues of a broker, and what was published to its exchanges. The engine knows no broker: an entrance says what it saw.

use std::sync::{Arc, PoisonError};

use anyhow::Result;
use tributary_store::{QueueRow, Store};

use super::Engine;
use crate::clock::now;

/// A purpose of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueRole {
    /// Its messages become edits.
    Operations,
    /// Relays hand its messages to the master.
    Documents,
    /// It keeps messages that can never be used.
    DeadLetters,
    /// No queue, but an exchange, which events are published to.
    Events,
}

impl QueueRole {
    /// Its word in tables and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Documents => "documents",
            Self::DeadLetters => "dead letters",
            Self::Events => "events",
        }
    }
}

/// A queue as an entrance sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueState {
    /// Its name.
    pub name: String,
    /// Its purpose.
    pub role: QueueRole,
    /// Messages that wait, of an exchange those that it has not confirmed yet; `None` if it was never seen.
    pub ready: Option<i64>,
    /// Consumers; `None` if it was never seen, or is an exchange.
    pub consumers: Option<i64>,
    /// Messages in hand of this master; `None` if others take its messages.
    pub unacknowledged: Option<i64>,
    /// Messages that this process has made dead letters.
    pub set_aside: i64,
    /// Why the broker cannot be used.
    pub error: Option<String>,
}

impl QueueState {
    /// A queue that was not seen yet.
    #[must_use]
    pub fn unknown(role: QueueRole, name: &str) -> Self {
        let unacknowledged = (role == QueueRole::Operations).then_some(0);
        Self { name: name.to_owned(), role, ready: None, consumers: None, unacknowledged, set_aside: 0, error: None }
    }
}

impl Engine {
    /// The queues as they were last seen, in the order in which they are shown; none without a broker. Does not read the database.
    #[must_use]
    pub fn queues(&self) -> Arc<[QueueRow]> {
        if let Some(seen) = &self.0.seen {
            return Arc::clone(&seen.borrow().queues);
        }
        Arc::clone(&self.0.queues.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows what an entrance sees of all queues, in place of what was seen before, and stores it for other programs.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_queues(&self, queues: Vec<QueueState>) -> Result<()> {
        let at = now();
        let row = |(position, queue): (usize, QueueState)| QueueRow {
            name: queue.name,
            position: position as i64,
            role: queue.role.as_str().to_owned(),
            ready: queue.ready,
            consumers: queue.consumers,
            unacknowledged: queue.unacknowledged,
            set_aside: queue.set_aside,
            error: queue.error,
            changed_at: at.clone(),
        };
        let rows: Arc<[_]> = queues.into_iter().enumerate().map(row).collect();
        *self.0.queues.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&rows);
        let put = move |store: &mut Store| store.transaction(|store| Ok(store.put_queues(&rows)?));
        self.0.writer.run_first(put).await
    }

    /// The number of the last event that an exchange has; `None` if nothing was published to it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn published(&self, exchange: &str) -> Result<Option<i64>> {
        let exchange = exchange.to_owned();
        self.read(move |store| Ok(store.published(&exchange)?)).await
    }

    /// Publishes to no other exchange from now on: events that these do not have are no longer kept for them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn publish_only_to(&self, exchange: Option<String>) -> Result<()> {
        let forget =
            move |store: &mut Store| store.transaction(|store| Ok(store.publish_only_to(exchange.as_deref())?));
        self.0.writer.run_first(forget).await
    }

    /// The number of events that an exchange does not have yet.
    ///
    /// # Errors
    /// The database fails.
    pub async fn unpublished(&self, exchange: &str) -> Result<i64> {
        let exchange = exchange.to_owned();
        self.read(move |store| Ok(store.unpublished_events(&exchange)?)).await
    }

    /// Notes the last event that an exchange has.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note_published(&self, exchange: &str, event: i64) -> Result<()> {
        let exchange = exchange.to_owned();
        let note = move |store: &mut Store| store.transaction(|store| Ok(store.note_published(&exchange, event)?));
        self.0.writer.run_first(note).await
    }
}
