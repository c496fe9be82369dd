//! Sending messages, each of which the broker confirms once it is on disk.

use std::{future::Future, pin::pin, time::Duration};

use lapin::{
    Confirmation, ConnectionStatus,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::time::timeout;

use crate::{
    Error, Link, Message,
    error::{cause, failed},
    link::{STEP_TIMEOUT, step},
};

/// Limit for a confirmation, without the time in which the broker is short of memory or disk.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);
/// The parts of a limit after each of which it is asked whether the broker is short.
const PARTS: u32 = 10;

/// Sends messages over a link of its own.
pub struct Publisher {
    link: Link,
}

/// Resolves once the broker has a message on disk, or does not take it.
pub trait Confirmed: Future<Output = Result<(), Error>> + Send + 'static {}

impl<T: Future<Output = Result<(), Error>> + Send + 'static> Confirmed for T {}

impl Publisher {
    /// Makes the broker confirm every message of this link.
    ///
    /// # Errors
    /// The broker fails.
    pub async fn over(link: Link) -> Result<Self, Error> {
        let select = link.channel.confirm_select(ConfirmSelectOptions::default());
        step(|| "turn on confirmations".to_owned(), select).await?;
        Ok(Self { link })
    }

    /// The link, to declare queues with.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Sends a message that some queue must take. It may be lost until what this returns has resolved: await that, in bulk for speed. A message that timed out
    /// may arrive all the same, so send it again under the same id only.
    ///
    /// # Errors
    /// The message could not be written to the connection.
    pub async fn send(&self, exchange: &str, key: &str, message: &Message) -> Result<impl Confirmed + use<>, Error> {
        self.publish(exchange, key, message, true).await
    }

    /// Sends a message to whoever listens. It is confirmed even if nobody does.
    ///
    /// # Errors
    /// As [`Publisher::send`].
    pub async fn announce(
        &self,
        exchange: &str,
        key: &str,
        message: &Message,
    ) -> Result<impl Confirmed + use<>, Error> {
        self.publish(exchange, key, message, false).await
    }

    async fn publish(
        &self,
        exchange: &str,
        key: &str,
        message: &Message,
        mandatory: bool,
    ) -> Result<impl Confirmed + use<>, Error> {
        let to = if exchange.is_empty() { format!("the queue `{key}`") } else { format!("the exchange `{exchange}`") };
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let sent =
            self.link.channel.basic_publish(exchange.into(), key.into(), options, &message.body, message.properties());
        let status = self.link.status();
        let step = format!("send a message to {to}");
        let confirm = match patiently(STEP_TIMEOUT, &status, sent).await {
            Some(sent) => sent.map_err(|error| failed(step, &error))?,
            None => return Err(Error::TimedOut { step, limit: STEP_TIMEOUT }),
        };
        Ok(async move {
            match patiently(CONFIRM_TIMEOUT, &status, confirm).await {
                Some(Ok(Confirmation::Ack(None))) => Ok(()),
                Some(Ok(Confirmation::Ack(Some(_)))) => Err(Error::Unroutable { to }),
                Some(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => Err(Error::Refused { to }),
                Some(Err(error)) => Err(Error::Lost { cause: cause(&error) }),
                None => Err(Error::TimedOut { step: format!("confirm a message to {to}"), limit: CONFIRM_TIMEOUT }),
            }
        })
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.link.close().await;
    }
}

/// Waits for a message to arrive, but not forever. The time in which the broker is short of memory or disk does not count: it takes
/// the message once that ends, so another connection would only send it twice.
async fn patiently<T>(limit: Duration, status: &ConnectionStatus, step: impl Future<Output = T>) -> Option<T> {
    let mut step = pin!(step);
    let mut parts = 0;
    while parts < PARTS {
        match timeout(limit / PARTS, &mut step).await {
            Ok(done) => return Some(done),
            Err(_) if status.blocked() => {}
            Err(_) => parts += 1,
        }
    }
    None
}
