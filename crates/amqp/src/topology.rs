//! The queues and exchanges, as every program of the project declares them.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use crate::{Error, Link, error::cause, link::step};

/// Returns of a message after which a broker sets it aside. Every delivery counts as one, also those that an outage returns unseen;
/// brokers from 4.0 on set a message aside after 20 unless they are told otherwise, and 3.10 takes -1 for 0.
const DELIVERY_LIMIT: i32 = 1_000_000;
/// The reply code for arguments that differ.
const PRECONDITION_FAILED: u16 = 406;

/// A queue to declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Replicated and on disk. Messages go to any number of consumers.
    Shared,
    /// The same, but only one consumer gets messages at a time, so that they keep their order.
    Ordered,
    /// As the producers of the older systems declare it: in the memory of the broker.
    Transient,
}

/// The number of messages and consumers of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCounts {
    /// Messages that wait. Those that a consumer has in hand do not count.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

impl Link {
    /// Declares a queue, which creates it unless it is there.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it exists with other arguments; the broker fails.
    pub async fn declare(&self, name: &str, queue: Queue) -> Result<QueueCounts, Error> {
        let mut arguments = FieldTable::default();
        if queue != Queue::Transient {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
        }
        if queue == Queue::Ordered {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        let options = QueueDeclareOptions { durable: queue != Queue::Transient, ..QueueDeclareOptions::default() };
        let what = || format!("the queue `{name}`");
        let declared = self.channel.queue_declare(name.into(), options, arguments);
        let declared = conflicting(what, declared).await?;
        Ok(QueueCounts { ready: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Asks a queue how full it is. A queue that is not there fails, and with it the link.
    ///
    /// # Errors
    /// There is no such queue; the broker fails.
    pub async fn look_at(&self, name: &str) -> Result<QueueCounts, Error> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let asked = self.channel.queue_declare(name.into(), options, FieldTable::default());
        let queue = step(|| format!("look at the queue `{name}`"), asked).await?;
        Ok(QueueCounts { ready: queue.message_count(), consumers: queue.consumer_count() })
    }

    /// Lets a queue have the messages of an exchange whose routing keys match `keys`.
    ///
    /// # Errors
    /// There is no such queue or exchange; the broker fails.
    pub async fn bind(&self, queue: &str, exchange: &str, keys: &str) -> Result<(), Error> {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        let bound = self.channel.queue_bind(queue.into(), exchange.into(), keys.into(), options, none);
        step(|| format!("bind the queue `{queue}` to the exchange `{exchange}`"), bound).await
    }

    /// Declares a durable exchange to which queues are bound by patterns of routing keys.
    ///
    /// # Errors
    /// As [`Link::declare`].
    pub async fn declare_topics(&self, name: &str) -> Result<(), Error> {
        self.declare_exchange(name, ExchangeKind::Topic).await
    }

    pub(crate) async fn declare_exchange(&self, name: &str, kind: ExchangeKind) -> Result<(), Error> {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let declared = self.channel.exchange_declare(name.into(), kind, options, FieldTable::default());
        conflicting(|| format!("the exchange `{name}`"), declared).await
    }
}

/// Waits for a declaration, and tells one that conflicts with what is there from other failures.
async fn conflicting<T>(
    what: impl Fn() -> String,
    declared: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    let mut conflict = None;
    let declared = async {
        let declared = declared.await;
        if let Err(error) = &declared
            && let lapin::ErrorKind::ProtocolError(refused) = error.kind()
            && refused.get_id() == PRECONDITION_FAILED
        {
            conflict = Some(cause(error));
        }
        declared
    };
    let declared = step(|| format!("declare {}", what()), declared).await;
    match conflict {
        Some(cause) => Err(Error::Conflict { what: what(), cause }),
        None => declared,
    }
}
