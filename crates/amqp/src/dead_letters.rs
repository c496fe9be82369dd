//! Dead letters: messages that can never be used, each with the reason.

use lapin::ExchangeKind;

use crate::{BrokerUrl, Error, Link, Message, Publisher, Queue, QueueCounts};

/// The exchange and the queue of messages that can never be used.
pub const DEAD_LETTERS: &str = "tributary.dead";
/// The header that says why a message is here.
const REASON: &str = "x-tributary-reason";
/// The header that names the queue that it came from.
const FROM: &str = "x-tributary-queue";

impl Link {
    /// Opens a link to consume over, and another one to publish dead letters over, which are declared. `program` is shown in the
    /// broker's lists, with `subject` for the first one. There are two because a broker that is short of memory reads nothing from a
    /// connection that has published.
    ///
    /// # Errors
    /// As [`Link::open`] and [`Link::declare`].
    pub async fn open_with_dead_letters(
        url: &BrokerUrl,
        program: &str,
        subject: &str,
    ) -> Result<(Link, Publisher), Error> {
        let link = Link::open(url, &format!("{program}: {subject}")).await?;
        let publisher = Publisher::over(Link::open(url, &format!("{program}: dead letters")).await?).await?;
        link.declare_dead_letters().await?;
        Ok((link, publisher))
    }

    /// Declares the exchange and the queue of [`DEAD_LETTERS`].
    ///
    /// # Errors
    /// As [`Link::declare`].
    pub async fn declare_dead_letters(&self) -> Result<QueueCounts, Error> {
        self.declare_exchange(DEAD_LETTERS, ExchangeKind::Fanout).await?;
        let counts = self.declare(DEAD_LETTERS, Queue::Shared).await?;
        self.bind(DEAD_LETTERS, DEAD_LETTERS, "").await?;
        Ok(counts)
    }
}

impl Publisher {
    /// Publishes a message of `queue` that can never be used as a dead letter, and waits until the broker has it. After a crash before
    /// the message is acknowledged it is published twice, under the same id.
    ///
    /// # Errors
    /// The broker does not confirm it.
    pub async fn set_aside(&self, queue: &str, mut message: Message, why: &str) -> Result<(), Error> {
        message.headers.insert(REASON.to_owned(), why.to_owned());
        message.headers.insert(FROM.to_owned(), queue.to_owned());
        self.send(DEAD_LETTERS, "", &message).await?.await
    }
}
