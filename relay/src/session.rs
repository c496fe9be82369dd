//! One session with the broker: from the connection to the first failure, or to a stop.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tributary_amqp::{BrokerUrl, Consumer, DEAD_LETTERS, Error, Link, Message, Publisher, Queue, Received};

use crate::{
    document::Document,
    master::{Master, Verdict},
    paths::Paths,
};

/// Limit for the documents in hand at a stop, or when the master is away. What is not done by then returns to the queue.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);
/// The header of a dead letter that says why it is one.
const REASON: &str = "x-tributary-reason";
/// The header of a dead letter that names its queue.
const FROM: &str = "x-tributary-queue";

/// The queue, the master, and how many documents may be in hand.
pub(crate) struct Session<'a> {
    pub(crate) broker: &'a BrokerUrl,
    pub(crate) queue: &'a str,
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

/// A document in hand that is done, one way or the other.
struct Done {
    path: String,
    received: Received,
    result: Result<(), NotDone>,
    is_dead: bool,
}

enum NotDone {
    MasterAway(String),
    Broker(Error),
}

/// A document in hand, and its message without the body.
struct InHand {
    document: Document,
    received: Received,
}

impl Session<'_> {
    /// Hands over documents until something fails. What is in hand then returns to the queue.
    pub(crate) async fn run(&self, stop: &CancellationToken, counts: &mut Counts) -> End {
        let opened = tokio::select! {
            opened = self.open() => opened,
            () = stop.cancelled() => return End::Stopped,
        };
        let (link, dead_letters) = match opened {
            Ok(opened) => opened,
            Err(error) => return End::Broker(error),
        };
        let end = match link.consume(self.queue, self.prefetch).await {
            Ok(consumer) => self.relay(&link, consumer, &dead_letters, stop, counts).await,
            Err(error) => End::Broker(error),
        };
        tokio::join!(link.close(), dead_letters.close());
        end
    }

    /// Connects twice, because a connection that has published may be stopped by the broker, and declares what is needed.
    async fn open(&self) -> Result<(Link, Publisher), Error> {
        let link = Link::open(self.broker, "tributary relay: documents").await?;
        let dead_letters = Publisher::over(Link::open(self.broker, "tributary relay: dead letters").await?).await?;
        link.declare_dead_letters().await?;
        let counts = link.declare(self.queue, Queue::Shared).await?;
        tracing::info!(
            queue = self.queue,
            messages = counts.ready,
            "relaying the queue `{}`, in which {} messages wait",
            self.queue,
            counts.ready
        );
        Ok((link, dead_letters))
    }

    async fn relay(
        &self,
        link: &Link,
        mut consumer: Consumer<'_>,
        dead_letters: &Publisher,
        stop: &CancellationToken,
        counts: &mut Counts,
    ) -> End {
        let (mut lost, mut publisher_lost) = (pin!(link.lost()), pin!(dead_letters.link().lost()));
        let mut in_hand = FuturesUnordered::new();
        let mut paths = Paths::default();
        let end = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break End::Stopped,
                error = &mut lost => break End::Broker(error),
                error = &mut publisher_lost => break End::Broker(error),
                Some(done) = in_hand.next(), if !in_hand.is_empty() => {
                    let Done { path, received, result, is_dead }: Done = done;
                    match result {
                        Ok(()) => if let Err(error) = received.acknowledge().await { break End::Broker(error) },
                        Err(NotDone::MasterAway(why)) => break End::MasterAway(why),
                        Err(NotDone::Broker(error)) => break End::Broker(error),
                    }
                    *(if is_dead { &mut counts.dead } else { &mut counts.taken }) += 1;
                    in_hand.extend(paths.ended(&path).map(|next| self.work(next, dead_letters)));
                }
                received = consumer.next() => match received {
                    Ok(received) => in_hand.extend(self.begin(received, &mut paths, dead_letters)),
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
                    *(if is_dead { &mut counts.dead } else { &mut counts.taken }) += 1;
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
        dead_letters: &'w Publisher,
    ) -> Option<BoxFuture<'w, Done>> {
        let body = Bytes::from(std::mem::take(&mut received.message.body));
        match Document::of(&received.message, body.clone()) {
            Ok(document) => {
                let path = document.path.clone();
                let item = paths.begin(&path, InHand { document, received })?;
                Some(self.work(item, dead_letters))
            }
            Err(why) => Some(Box::pin(async move {
                let result = self.set_aside(&received.message, body, &why, dead_letters).await;
                Done { path: String::new(), received, result: result.map_err(NotDone::Broker), is_dead: true }
            })),
        }
    }

    fn work<'w>(&'w self, InHand { document, received }: InHand, dead_letters: &'w Publisher) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let verdict = self.master.put(&document).await;
            let Document { path, body, .. } = document;
            let is_dead = matches!(verdict, Verdict::Unusable(_));
            let result = match verdict {
                Verdict::Taken => Ok(()),
                Verdict::Away(why) => Err(NotDone::MasterAway(why)),
                Verdict::Unusable(why) => {
                    self.set_aside(&received.message, body, &why, dead_letters).await.map_err(NotDone::Broker)
                }
            };
            Done { path, received, result, is_dead }
        })
    }

    /// Publishes a message that can never be used as a dead letter. After a crash before its acknowledgement it is published twice,
    /// under the same id.
    async fn set_aside(
        &self,
        message: &Message,
        body: Bytes,
        why: &str,
        dead_letters: &Publisher,
    ) -> Result<(), Error> {
        let path = message.headers.get("path").map_or("", String::as_str);
        let id = message.id.as_deref().unwrap_or_default();
        tracing::warn!(queue = self.queue, message.id = id, file.path = path, "set a message aside: {why}");
        let mut letter = Message { body: body.into(), ..message.clone() };
        letter.headers.insert(REASON.to_owned(), why.to_owned());
        letter.headers.insert(FROM.to_owned(), self.queue.to_owned());
        dead_letters.send(DEAD_LETTERS, "", &letter).await?.await
    }
}
