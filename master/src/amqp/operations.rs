//! Takes messages of operations and makes them edits, many in one transaction. A message is acknowledged after the commit; a repeat
//! is known by its id.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};
use tributary_amqp::{BrokerUrl, Consumer, Error, Link, Message, Publisher, Queue, Received};
use tributary_config::AmqpConfig;
use tributary_engine::{Engine, OperationLimits, OperationMessage, OperationOutcome, QueueRole};

use super::{Ended, Failure, operation_json::operations, queues::QueueWatch};

/// Most messages in one transaction.
const MAX_BATCH_MESSAGES: usize = 1_000;
/// Bytes of messages after which a transaction takes no more of them.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Most bytes of one message.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
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

    async fn consume(&self, mut consumer: Consumer<'_>) -> Result<(), Failure> {
        let mut lost = std::pin::pin!(futures_util::future::select(
            Box::pin(self.link.lost()),
            Box::pin(self.dead_letters.link().lost())
        ));
        let mut look_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                lost = &mut lost => return Err(lost.factor_first().0.into()),
                () = sleep_until(look_at) => {
                    self.watch.look(self.link).await?;
                    look_at = Instant::now() + LOOK_INTERVAL;
                }
                first = consumer.next() => {
                    let batch = more(&mut consumer, first?)?;
                    self.watch.in_hand(batch.len());
                    self.apply(batch).await?;
                    self.watch.in_hand(0);
                }
            }
        }
    }

    /// Applies a batch, sets aside what can never be used, and acknowledges all of it.
    async fn apply(&self, batch: Vec<Received>) -> Result<(), Failure> {
        let Some(last) = batch.last().map(|received| received.tag) else { return Ok(()) };
        let mut refused = Vec::new();
        let (mut messages, mut places) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for (place, received) in batch.iter().enumerate() {
            match read(&received.message) {
                Ok(message) => {
                    messages.push(message);
                    places.push(place);
                }
                Err(why) => refused.push((place, why)),
            }
        }
        let outcomes = self.engine.operate(messages, self.limits).await.map_err(anyhow::Error::from)?;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if let OperationOutcome::Refused(why) = outcome {
                refused.push((place, why));
            }
        }
        refused.sort_unstable();
        for (place, why) in &refused {
            self.set_aside(&batch[*place].message, why).await?;
        }
        self.watch.set_aside(refused.len());
        Ok(self.link.acknowledge_up_to(last).await?)
    }

    /// Publishes a message that can never be used as a dead letter.
    async fn set_aside(&self, message: &Message, why: &str) -> Result<(), Error> {
        let (queue, id) = (&self.config.operations_queue, message.id.as_deref().unwrap_or_default());
        tracing::warn!(queue, message.id = id, "set a message aside: {why}");
        let published = self.dead_letters.set_aside(queue, message.clone(), why);
        self.watch.published(QueueRole::DeadLetters, self.dead_letters.link(), published).await
    }
}

/// Adds the messages that have arrived already.
fn more(consumer: &mut Consumer<'_>, first: Received) -> Result<Vec<Received>, Error> {
    let mut bytes = first.message.body.len();
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH_MESSAGES && bytes < MAX_BATCH_BYTES {
        let Some(next) = consumer.next().now_or_never() else { break };
        let next = next?;
        bytes += next.message.body.len();
        batch.push(next);
    }
    Ok(batch)
}

/// Reads a message.
fn read(message: &Message) -> Result<OperationMessage, String> {
    if let Some(encoding) = message.packing() {
        return Err(format!("its content-encoding is `{encoding}`; operations are not packed"));
    }
    if message.body.len() > MAX_MESSAGE_BYTES {
        return Err(format!("it holds {} bytes; at most {MAX_MESSAGE_BYTES} are read", message.body.len()));
    }
    Ok(OperationMessage { id: message.id.clone(), operations: operations(&message.body)? })
}
