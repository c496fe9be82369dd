//! Receiving messages, each of which is acknowledged once its work is done.

use futures_util::StreamExt;
use lapin::{
    Acker,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::FieldTable,
};

use crate::{Error, Link, Message, error::cause, link::step};

/// Receives the messages of one queue.
pub struct Consumer<'a> {
    link: &'a Link,
    inner: lapin::Consumer,
    queue: String,
}

/// A message in hand. It returns to its queue unless it is acknowledged before the link ends.
pub struct Received {
    /// The message.
    pub message: Message,
    /// Its number on this link. They ascend.
    pub tag: u64,
    acker: Acker,
}

impl Link {
    /// Begins to receive. At most `prefetch` messages are in hand at a time.
    ///
    /// # Errors
    /// There is no such queue; the broker fails.
    pub async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer<'_>, Error> {
        step(|| "set the prefetch".to_owned(), self.channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let begun = self.channel.basic_consume(queue.into(), "".into(), options, none);
        let inner = step(|| format!("consume the queue `{queue}`"), begun).await?;
        Ok(Consumer { link: self, inner, queue: queue.to_owned() })
    }

    /// Acknowledges all messages up to this one.
    ///
    /// # Errors
    /// The connection is lost: they are delivered again.
    pub async fn acknowledge_up_to(&self, tag: u64) -> Result<(), Error> {
        let options = BasicAckOptions { multiple: true };
        step(|| "acknowledge messages".to_owned(), self.channel.basic_ack(tag, options)).await
    }

    /// Returns all messages in hand to their queue.
    ///
    /// # Errors
    /// The connection is lost: they return by themselves.
    pub async fn return_all(&self) -> Result<(), Error> {
        let options = BasicNackOptions { multiple: true, requeue: true };
        step(|| "return messages".to_owned(), self.channel.basic_nack(0, options)).await
    }
}

impl Consumer<'_> {
    /// The next message.
    ///
    /// # Errors
    /// The connection is lost, or the broker has ended the consumer: its queue was deleted, or a message was in hand for too long.
    pub async fn next(&mut self) -> Result<Received, Error> {
        match self.inner.next().await {
            Some(Ok(delivery)) => Ok(Received {
                message: Message::received(&delivery.properties, delivery.data),
                tag: delivery.delivery_tag,
                acker: delivery.acker,
            }),
            Some(Err(error)) => Err(Error::Lost { cause: cause(&error) }),
            None => Err(Error::Lost { cause: format!("the broker ended the consumer of the queue `{}`", self.queue) }),
        }
    }

    /// Receives no more. What is in hand stays there.
    ///
    /// # Errors
    /// The broker fails.
    pub async fn cancel(&self) -> Result<(), Error> {
        let cancelled = self.link.channel.basic_cancel(self.inner.tag(), BasicCancelOptions::default());
        step(|| "cancel the consumer".to_owned(), cancelled).await
    }
}

impl Received {
    /// Acknowledges the message: its work is done.
    ///
    /// # Errors
    /// The connection is lost: it is delivered again.
    pub async fn acknowledge(self) -> Result<(), Error> {
        let acknowledged = step(|| "acknowledge a message".to_owned(), self.acker.ack(BasicAckOptions::default()));
        // A channel that is gone says so in no other way.
        if acknowledged.await? {
            return Ok(());
        }
        Err(Error::Lost { cause: "an acknowledgement came too late".to_owned() })
    }
}
