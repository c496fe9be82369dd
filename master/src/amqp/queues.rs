//! Looks at the queues now and then, for the pages, the API and `readdb queues`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tributary_amqp::{DEAD_LETTERS, Error, Link};
use tributary_config::AmqpConfig;
use tributary_engine::{Engine, QueueRole, QueueState};

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
        let queues = vec![
            queue(QueueRole::Operations, &config.operations_queue),
            queue(QueueRole::Documents, &config.documents_queue),
            queue(QueueRole::DeadLetters, DEAD_LETTERS),
        ];
        Self { engine, known: Mutex::new(Known { queues, written: Vec::new() }) }
    }

    /// Asks the broker how full each queue is.
    ///
    /// # Errors
    /// The broker fails, or a queue was deleted.
    pub(super) async fn look(&self, link: &Link) -> Result<(), Error> {
        let names: Vec<_> = self.known().queues.iter().map(|queue| queue.name.clone()).collect();
        for (place, name) in names.iter().enumerate() {
            let counts = link.look_at(name).await?;
            let queue = &mut self.known().queues[place];
            queue.ready = Some(counts.ready.into());
            queue.consumers = Some(counts.consumers.into());
            queue.error = None;
        }
        self.write().await;
        Ok(())
    }

    /// Notes how many messages of operations are in hand.
    pub(super) fn in_hand(&self, messages: usize) {
        self.of(QueueRole::Operations, |queue| queue.unacknowledged = Some(messages as i64));
    }

    /// Notes that messages of operations were set aside.
    pub(super) fn set_aside(&self, messages: usize) {
        self.of(QueueRole::Operations, |queue| queue.set_aside += messages as i64);
    }

    /// Notes why the broker cannot be used.
    pub(super) async fn failed(&self, why: &str) {
        for queue in &mut self.known().queues {
            queue.error = Some(why.to_owned());
            queue.unacknowledged = queue.unacknowledged.map(|_| 0);
        }
        self.write().await;
    }

    async fn write(&self) {
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
