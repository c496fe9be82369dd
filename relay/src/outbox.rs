//! Publishes dead letters, and results for producers of older systems.

use bytes::Bytes;
use tributary_amqp::{Error, Message, Publisher};

use crate::compat::RESULTS;

/// A publisher, and the queue whose messages it answers.
pub(crate) struct Outbox<'a> {
    pub(crate) publisher: Publisher,
    pub(crate) queue: &'a str,
}

impl Outbox<'_> {
    /// Publishes a message that can never be used as a dead letter.
    ///
    /// # Errors
    /// The broker does not confirm it.
    pub(crate) async fn set_aside(&self, message: &Message, body: Bytes, why: &str) -> Result<(), Error> {
        let path = message.headers.get("path").map_or("", String::as_str);
        let id = message.id.as_deref().unwrap_or_default();
        tracing::warn!(queue = self.queue, message.id = id, file.path = path, "set a message aside: {why}");
        self.publisher.set_aside(self.queue, Message { body: body.into(), ..message.clone() }, why).await
    }

    /// Publishes the result of a task. After a crash before the acknowledgement of the task it is published twice, under the same id.
    ///
    /// # Errors
    /// The broker does not confirm it.
    pub(crate) async fn answer(&self, result: &Message) -> Result<(), Error> {
        self.publisher.send("", RESULTS, result).await?.await
    }

    /// Resolves once the broker takes nothing more, or takes messages again, and logs it.
    pub(crate) async fn turns(&self, blocked: bool) {
        self.publisher.link().turns(blocked).await;
        match blocked {
            true => tracing::warn!(
                "the broker is short of memory or disk: dead letters and results wait until that ends, other messages go on"
            ),
            false => tracing::info!("the broker takes messages again"),
        }
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        self.publisher.close().await;
    }
}
