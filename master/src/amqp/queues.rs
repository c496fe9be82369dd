//! Looks at the queues now and then, for the pages, the API and `readdb queues`.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tributary_amqp::{DEAD_LETTERS, Error, Link};
use tributary_config::AmqpConfig;
use tributary_engine::{Engine, QueueRole, QueueState};

/// The reason why a broker takes no message.
const SHORTAGE: &str = "the broker is short of memory or disk";

/// The state of the queues. Written to the database when it changes.
pub(super) struct QueueWatch {
    engine: Engine,
    /// Held only to copy or to change it.
    known: Mutex<Known>,
}

struct Known {
    queues: Vec<QueueState>,
    /// As last written.
    written: Vec<QueueState>,
}

impl QueueWatch {
    pub(super) fn new(engine: Engine, config: &AmqpConfig) -> Self {
        let queue = |role, name: &str| QueueState::unknown(role, name);
        let mut queues = vec![
            queue(QueueRole::Operations, &config.operations_queue),
            queue(QueueRole::Documents, &config.documents_queue),
            queue(QueueRole::DeadLetters, DEAD_LETTERS),
        ];
        // Names tell them apart in the table.
        let exchange = config.results_exchange.iter().find(|name| queues.iter().all(|queue| queue.name != **name));
        queues.extend(exchange.map(|name| queue(QueueRole::Events, name)));
        Self { engine, known: Mutex::new(Known { queues, written: Vec::new() }) }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Asks the broker how full each queue is.
    ///
    /// # Errors
    /// The broker fails, or a queue was deleted.
    pub(super) async fn look(&self, link: &Link) -> Result<(), Error> {
        let queues = self.known().queues.clone();
        for queue in queues.iter().filter(|queue| queue.role != QueueRole::Events) {
            let counts = link.look_at(&queue.name).await?;
            self.of(queue.role, |queue| {
                queue.ready = Some(counts.ready.into());
                queue.consumers = Some(counts.consumers.into());
                queue.error = None;
            });
        }
        self.write().await;
        Ok(())
    }

    /// Waits until something is published, and shows `role` as down while the broker is too short of memory or disk for it.
    pub(super) async fn published<T>(&self, role: QueueRole, link: &Link, published: impl Future<Output = T>) -> T {
        let mut published = pin!(published);
        tokio::select! {
            biased;
            done = &mut published => return done,
            () = link.turns(true) => {}
        }
        tracing::warn!("no {} are published until the broker takes messages again: {SHORTAGE}", role.as_str());
        self.of(role, |queue| queue.error = Some(SHORTAGE.to_owned()));
        self.write().await;
        let done = published.await;
        tracing::info!("the broker takes messages again");
        self.of(role, |queue| queue.error = None);
        self.write().await;
        done
    }

    /// Notes how many events the broker has not confirmed yet.
    pub(super) fn unconfirmed(&self, events: usize) {
        self.of(QueueRole::Events, |queue| {
            queue.ready = Some(events as i64);
            queue.error = None;
        });
    }

    /// Notes how many messages of operations are in hand.
    pub(super) fn in_hand(&self, messages: usize) {
        self.of(QueueRole::Operations, |queue| queue.unacknowledged = Some(messages as i64));
    }

    /// Notes that messages of operations were set aside.
    pub(super) fn set_aside(&self, messages: usize) {
        self.of(QueueRole::Operations, |queue| queue.set_aside += messages as i64);
    }

    /// Notes why queues cannot be used.
    pub(super) async fn failed(&self, roles: &[QueueRole], why: &str) {
        for role in roles {
            self.of(*role, |queue| {
                queue.error = Some(why.to_owned());
                queue.unacknowledged = queue.unacknowledged.map(|_| 0);
            });
        }
        self.write().await;
    }

    /// Stores what has changed.
    pub(super) async fn write(&self) {
        let queues = self.known().queues.clone();
        if queues == self.known().written {
            return;
        }
        match self.engine.put_queues(queues.clone()).await {
            Ok(()) => self.known().written = queues,
            // A full disk fails everywhere, and is said elsewhere.
            Err(error) => tracing::debug!("failed to store the state of the queues: {error:#}"),
        }
    }

    fn of(&self, role: QueueRole, change: impl Fn(&mut QueueState)) {
        self.known().queues.iter_mut().filter(|queue| queue.role == role).for_each(change);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
