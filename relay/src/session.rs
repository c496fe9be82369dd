//! One session with the broker: from the connection to the first failure, or to a stop.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tributary_amqp::{BrokerUrl, Consumer, Error, Link, Message, Queue, Received};

use crate::{
    cli::Compat,
    compat::RESULTS,
    job::{Job, Outcome},
    master::{Master, Verdict},
    outbox::Outbox,
    paths::Paths,
};

/// Limit for the documents in hand at a stop, or when the master is away. What is not done by then returns to the queue.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// The queue, the master, and how many documents may be in hand.
pub(crate) struct Session<'a> {
    pub(crate) broker: &'a BrokerUrl,
    pub(crate) queue: &'a str,
    /// The older systems whose messages the queue has.
    pub(crate) compat: Option<Compat>,
    pub(crate) prefetch: u16,
    pub(crate) master: &'a Master,
}

/// The reason why a session ended.
#[derive(Debug)]
pub(crate) enum End {
    /// A stop was asked for.
    Stopped,
    /// The master takes nothing, for this reason.
    MasterAway(String),
    /// The broker failed.
    Broker(Error),
}

/// Counts what a session has done.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Documents that the master has taken.
    pub(crate) taken: u64,
    /// Dead letters.
    pub(crate) dead: u64,
}

impl Counts {
    fn add(&mut self, is_dead: bool) {
        if is_dead {
            self.dead += 1;
        } else {
            self.taken += 1;
        }
    }
}

/// A message in hand that is done, one way or the other.
struct Done {
    key: Option<String>,
    received: Received,
    result: Result<(), NotDone>,
    is_dead: bool,
}

enum NotDone {
    MasterAway(String),
    Broker(Error),
}

/// A message in hand, without its body, and what it asks for.
struct InHand {
    job: Job,
    received: Received,
    body: Bytes,
}

impl Session<'_> {
    /// Hands over documents until something fails. What is in hand then returns to the queue.
    pub(crate) async fn run(&self, stop: &CancellationToken, counts: &mut Counts) -> End {
        let opened = tokio::select! {
            opened = self.open() => opened,
            () = stop.cancelled() => return End::Stopped,
        };
        let (link, outbox) = match opened {
            Ok(opened) => opened,
            Err(error) => return End::Broker(error),
        };
        let end = match link.consume(self.queue, self.prefetch).await {
            Ok(consumer) => self.relay(&link, consumer, &outbox, stop, counts).await,
            Err(error) => End::Broker(error),
        };
        tokio::join!(link.close(), outbox.close());
        end
    }

    /// Connects, and declares what is needed.
    async fn open(&self) -> Result<(Link, Outbox<'_>), Error> {
        let (link, publisher) = Link::open_with_dead_letters(self.broker, "tributary relay", "documents").await?;
        let kind = match self.compat {
            None => Queue::Shared,
            Some(Compat::CsvTasks) => {
                link.declare(RESULTS, Queue::Transient).await?;
                Queue::Transient
            }
        };
        let counts = link.declare(self.queue, kind).await?;
        tracing::info!(
            queue = self.queue,
            messages = counts.ready,
            "relaying the queue `{}`, in which {} messages wait",
            self.queue,
            counts.ready
        );
        Ok((link, Outbox { publisher, queue: self.queue }))
    }

    async fn relay(
        &self,
        link: &Link,
        mut consumer: Consumer<'_>,
        outbox: &Outbox<'_>,
        stop: &CancellationToken,
        counts: &mut Counts,
    ) -> End {
        let (mut lost, mut publisher_lost) = (pin!(link.lost()), pin!(outbox.publisher.link().lost()));
        let mut in_hand = FuturesUnordered::new();
        let mut paths = Paths::default();
        let mut is_blocked = false;
        let end = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break End::Stopped,
                error = &mut lost => break End::Broker(error),
                error = &mut publisher_lost => break End::Broker(error),
                () = outbox.turns(!is_blocked) => is_blocked = !is_blocked,
                Some(done) = in_hand.next(), if !in_hand.is_empty() => {
                    let Done { key, received, result, is_dead }: Done = done;
                    match result {
                        Ok(()) => if let Err(error) = received.acknowledge().await { break End::Broker(error) },
                        Err(NotDone::MasterAway(why)) => break End::MasterAway(why),
                        Err(NotDone::Broker(error)) => break End::Broker(error),
                    }
                    counts.add(is_dead);
                    let next = key.and_then(|key| paths.ended(&key));
                    in_hand.extend(next.map(|next| self.work(next, outbox)));
                }
                received = consumer.next() => match received {
                    Ok(received) => in_hand.extend(self.begin(received, &mut paths, outbox)),
                    Err(error) => break End::Broker(error),
                },
            }
        };
        if matches!(end, End::Broker(_)) || consumer.cancel().await.is_err() {
            return end;
        }
        // What is done must not be done again. The rest is returned after the consumer has ended, or it would come back at once.
        let finish = async {
            while let Some(Done { received, result, is_dead, .. }) = in_hand.next().await {
                if result.is_ok() && received.acknowledge().await.is_ok() {
                    counts.add(is_dead);
                }
            }
        };
        let _ = timeout(FINISH_TIMEOUT, finish).await;
        let _ = link.return_all().await;
        end
    }

    /// Begins the work on a message, unless an earlier one of its path is on its way.
    fn begin<'w>(
        &'w self,
        mut received: Received,
        paths: &mut Paths<InHand>,
        outbox: &'w Outbox<'_>,
    ) -> Option<BoxFuture<'w, Done>> {
        let body = Bytes::from(std::mem::take(&mut received.message.body));
        let job = Job::of(self.compat, &received.message, body.clone());
        let key = job.key().map(str::to_owned);
        let item = InHand { job, received, body };
        let item = match key {
            Some(key) => paths.begin(&key, item)?,
            None => item,
        };
        Some(self.work(item, outbox))
    }

    fn work<'w>(&'w self, InHand { job, received, body }: InHand, outbox: &'w Outbox<'_>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let outcome = job.run(self.master).await;
            let is_dead = matches!(outcome.verdict, Verdict::Unusable(_));
            let result = publish(outcome, &received.message, body, outbox).await;
            Done { key: job.key().map(str::to_owned), received, result, is_dead }
        })
    }
}

/// Publishes what the outcome of a message asks for. The message may be acknowledged after that.
async fn publish(outcome: Outcome, message: &Message, body: Bytes, outbox: &Outbox<'_>) -> Result<(), NotDone> {
    let why = match outcome.verdict {
        Verdict::Away(why) => return Err(NotDone::MasterAway(why)),
        Verdict::Taken => None,
        Verdict::Unusable(why) => Some(why),
    };
    if let Some(result) = outcome.result {
        outbox.answer(&result).await.map_err(NotDone::Broker)?;
    }
    if let Some(why) = why {
        outbox.set_aside(message, body, &why).await.map_err(NotDone::Broker)?;
    }
    Ok(())
}
