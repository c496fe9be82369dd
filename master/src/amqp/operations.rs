//! Takes messages of operations and makes them edits, many in one transaction. A message is acknowledged after the commit; a repeat
//! is known by its id.

use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture, FutureExt};
use tokio::time::{Instant, sleep_until};
use tributary_amqp::{BrokerUrl, Consumer, Error, Link, Message, Publisher, Queue};
use tributary_config::AmqpConfig;
use tributary_engine::{Engine, OperationLimits, QueueRole};

use super::{
    Ended, Failure,
    batch::{Batch, BatchSize},
    queues::QueueWatch,
};

/// Events that the exchange does not have yet, from which on a batch waits for it. So operations that come faster than events can be
/// published push none out of the events that are kept.
const MAX_UNPUBLISHED: i64 = 100_000;
/// The longest such wait, and how often it is looked. An exchange that cannot be used must not stop operations.
const MAX_WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(10));
/// Interval in which the queues are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Takes operations until something fails.
pub(super) async fn session(
    engine: &Engine,
    broker: &BrokerUrl,
    config: &AmqpConfig,
    limits: OperationLimits,
    watch: &QueueWatch,
) -> Ended {
    let (link, dead_letters) = match open(broker, config).await {
        Ok(opened) => opened,
        Err(error) => return Ended { error: error.into(), has_worked: false },
    };
    tracing::info!(queue = config.operations_queue, "taking operations from the queue `{}`", config.operations_queue);
    let session = Session { engine, config, limits, link: &link, dead_letters: &dead_letters, watch };
    let error = session.take().await;
    tokio::join!(link.close(), dead_letters.close());
    Ended { error, has_worked: true }
}

/// Connects, and declares the queues.
async fn open(broker: &BrokerUrl, config: &AmqpConfig) -> Result<(Link, Publisher), Error> {
    let (link, dead_letters) = Link::open_with_dead_letters(broker, "tributary master", "operations").await?;
    link.declare(&config.documents_queue, Queue::Shared).await?;
    link.declare(&config.operations_queue, Queue::Ordered).await?;
    Ok((link, dead_letters))
}

struct Session<'a> {
    engine: &'a Engine,
    config: &'a AmqpConfig,
    limits: OperationLimits,
    link: &'a Link,
    dead_letters: &'a Publisher,
    watch: &'a QueueWatch,
}

impl Session<'_> {
    async fn take(&self) -> Failure {
        match self.link.consume(&self.config.operations_queue, self.config.prefetch).await {
            Ok(consumer) => self.consume(consumer).await.err().unwrap_or_else(|| Error::closed().into()),
            Err(error) => error.into(),
        }
    }

    /// Receives and reads the next batch while one is applied.
    async fn consume(&self, mut consumer: Consumer<'_>) -> Result<(), Failure> {
        let mut lost = std::pin::pin!(futures_util::future::select(
            Box::pin(self.link.lost()),
            Box::pin(self.dead_letters.link().lost())
        ));
        let (mut next, mut size, mut look_at) = (Batch::default(), BatchSize::default(), Instant::now());
        let mut applying = std::pin::pin!(Fuse::terminated());
        loop {
            tokio::select! {
                biased;
                lost = &mut lost => return Err(lost.factor_first().0.into()),
                () = sleep_until(look_at) => {
                    self.watch.look(self.link).await?;
                    look_at = Instant::now() + LOOK_INTERVAL;
                }
                applied = &mut applying => {
                    size = applied?;
                    self.watch.in_hand(next.len());
                }
                received = consumer.next(), if next.has_room(size) => next.add(received?),
                // Nothing more has arrived, or the batch is full.
                () = std::future::ready(()), if applying.is_terminated() && next.len() > 0 => {
                    self.watch.in_hand(next.len());
                    applying.set(self.apply(std::mem::take(&mut next), size).fuse());
                }
            }
        }
    }

    /// Applies a batch, sets aside what can never be used, and acknowledges all of it. Returns the size of later batches.
    async fn apply(&self, mut batch: Batch, mut size: BatchSize) -> Result<BatchSize, Failure> {
        let Some(last) = batch.last_tag() else { return Ok(size) };
        self.let_events_out().await?;
        let begun = Instant::now();
        let outcomes = self.engine.operate(batch.take_messages(), self.limits).await.map_err(anyhow::Error::from)?;
        size.adapt(batch.operations(), begun.elapsed());
        let refused = batch.refused(outcomes);
        for (message, why) in &refused {
            self.set_aside(message, why).await?;
        }
        self.watch.set_aside(refused.len());
        self.link.acknowledge_up_to(last).await?;
        Ok(size)
    }

    /// Waits while too many events are not published yet.
    async fn let_events_out(&self) -> Result<(), Failure> {
        let Some(exchange) = &self.config.results_exchange else { return Ok(()) };
        let (longest, interval) = MAX_WAIT;
        let end = Instant::now() + longest;
        while self.engine.unpublished(exchange).await? > MAX_UNPUBLISHED && Instant::now() < end {
            tokio::time::sleep(interval).await;
        }
        Ok(())
    }

    /// Publishes a message that can never be used as a dead letter.
    async fn set_aside(&self, message: &Message, why: &str) -> Result<(), Error> {
        let (queue, id) = (&self.config.operations_queue, message.id.as_deref().unwrap_or_default());
        tracing::warn!(queue, message.id = id, "set a message aside: {why}");
        let published = self.dead_letters.set_aside(queue, message.clone(), why);
        self.watch.published(QueueRole::DeadLetters, self.dead_letters.link(), published).await
    }
}
