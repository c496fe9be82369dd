//! Publishes every stored event, each under its number. The number of the last one that the broker has is stored, so that nothing is
//! skipped over a restart.

use futures_util::{FutureExt, StreamExt, future::try_join_all};
use tributary_amqp::{BrokerUrl, Error, Link, Message, Publisher};
use tributary_engine::{Engine, Followed, QueueRole, Resume};

use super::{Ended, Failure, queues::QueueWatch};

/// Most events that the broker has not confirmed yet.
const MAX_UNCONFIRMED: usize = 500;

/// Publishes events until something fails.
pub(super) async fn session(engine: &Engine, broker: &BrokerUrl, exchange: &str, watch: &QueueWatch) -> Ended {
    let publisher = match open(broker, exchange).await {
        Ok(publisher) => publisher,
        Err(error) => return Ended { error: error.into(), has_worked: false },
    };
    tracing::info!(exchange, "publishing events to the exchange `{exchange}`");
    watch.unconfirmed(0);
    watch.write().await;
    let lost = publisher.link().lost();
    let error = tokio::select! {
        published = publish(engine, &publisher, exchange, watch) => published.err().unwrap_or_else(|| Error::closed().into()),
        error = lost => error.into(),
    };
    publisher.close().await;
    Ended { error, has_worked: true }
}

async fn open(broker: &BrokerUrl, exchange: &str) -> Result<Publisher, Error> {
    let publisher = Publisher::over(Link::open(broker, "tributary master: events").await?).await?;
    publisher.link().declare_topics(exchange).await?;
    Ok(publisher)
}

async fn publish(engine: &Engine, publisher: &Publisher, exchange: &str, watch: &QueueWatch) -> Result<(), Failure> {
    let resume = engine.published(exchange).await?.map_or(Resume::Now, Resume::After);
    let mut events = Box::pin(engine.follow(resume).await?);
    while let Some(first) = events.next().await {
        let mut some = vec![first?];
        while some.len() < MAX_UNCONFIRMED
            && let Some(Some(next)) = events.next().now_or_never()
        {
            some.push(next?);
        }
        watch.unconfirmed(some.len());
        let last = watch.published(QueueRole::Events, publisher.link(), send(publisher, exchange, &some)).await?;
        watch.unconfirmed(0);
        if let Some(last) = last {
            engine.note_published(exchange, last).await?;
        }
    }
    Ok(())
}

/// Publishes events, waits until the broker has them all, and returns the number of the last one.
async fn send(publisher: &Publisher, exchange: &str, some: &[Followed]) -> Result<Option<i64>, Error> {
    let mut confirmed = Vec::with_capacity(some.len());
    let mut last = None;
    for followed in some {
        let (id, key, body) = match followed {
            Followed::Start { id, missed } => {
                last = Some(*id);
                if !missed {
                    continue;
                }
                // Older events than those that are kept: a subscriber must read again what it follows.
                (*id, "reset".to_owned(), "{}".to_owned())
            }
            Followed::Event(event) => {
                last = Some(event.id);
                (event.id, event.kind.clone(), event.data.clone())
            }
        };
        let message = Message {
            id: Some(id.to_string()),
            content_type: Some("application/json".to_owned()),
            headers: headers(followed, &key),
            body: body.into_bytes(),
            ..Message::default()
        };
        confirmed.push(publisher.announce(exchange, &key, &message).await?);
    }
    try_join_all(confirmed).await?;
    Ok(last)
}

/// The kind of an event, and its time if it has one.
fn headers(followed: &Followed, kind: &str) -> tributary_amqp::Headers {
    let kind = [("kind".to_owned(), kind.to_owned())].into_iter();
    let at = match followed {
        Followed::Event(event) => Some(("at".to_owned(), event.at.clone())),
        Followed::Start { .. } => None,
    };
    kind.chain(at).collect()
}
