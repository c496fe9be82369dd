//! One connection with one channel.

use std::{future::Future, time::Duration};

use futures_util::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, ConnectionStatus, Event, types::LongString, uri::AMQPUri};
use tokio::time::timeout;

use crate::{
    BrokerUrl, Error,
    error::{cause, failed, refused},
    socket,
};

/// Limit for the connection with its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for any other step.
pub(crate) const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for the end. A broker that is short of memory does not answer to that either.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Interval in which a link is asked whether its broker is short of memory or disk.
const BLOCKED_INTERVAL: Duration = Duration::from_millis(250);
/// The reply code of a connection that ends as it should.
const REPLY_SUCCESS: u16 = 200;

/// A connection to a broker with one channel. Whoever consumes must not publish on the same link: a broker that is short of memory
/// reads nothing from a connection that has published, acknowledgements included.
pub struct Link {
    connection: Connection,
    pub(crate) channel: Channel,
}

impl Link {
    /// Connects. `name` is shown in the broker's own lists.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Denied`], [`Error::Untrusted`] or [`Error::TimedOut`].
    pub async fn open(url: &BrokerUrl, name: &str) -> Result<Self, Error> {
        let options = ConnectionProperties::default().with_connection_name(LongString::from(name));
        let trust = url.trust();
        let connect = async move |uri: AMQPUri, _| Ok(socket::connect(&uri, &trust).await?);
        let connecting = Connection::connector(url.uri(), socket::runtime(), connect, options);
        let connection = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|error| refused(url, &error))?,
            Err(_) => {
                let cause = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                return Err(Error::Unreachable { broker: url.to_string(), cause });
            }
        };
        let channel = step(|| "open a channel".to_owned(), connection.create_channel()).await?;
        Ok(Self { connection, channel })
    }

    /// Whether the broker is short of memory or disk, so that it takes nothing over this link. It says so to links that publish.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Resolves once [`Link::is_blocked`] returns `blocked`.
    pub async fn turns(&self, blocked: bool) {
        while self.is_blocked() != blocked {
            tokio::time::sleep(BLOCKED_INTERVAL).await;
        }
    }

    /// The state of the connection, which outlives this.
    pub(crate) fn status(&self) -> ConnectionStatus {
        self.connection.status().clone()
    }

    /// Resolves with the reason once the connection is lost.
    pub fn lost(&self) -> impl Future<Output = Error> + Send + 'static {
        let mut events = Box::pin(self.connection.events_listener());
        async move {
            while let Some(event) = events.next().await {
                if let Event::Error(error) = event {
                    return Error::Lost { cause: cause(&error) };
                }
            }
            Error::closed()
        }
    }

    /// Ends the connection. What was delivered and not acknowledged returns to its queue.
    pub async fn close(self) {
        // One that cannot end by agreement ends with the process, or when the heartbeat is missed.
        let _ = timeout(CLOSE_TIMEOUT, self.connection.close(REPLY_SUCCESS, "done".into())).await;
    }
}

/// Waits for a step with the broker, but not forever.
pub(crate) async fn step<T>(
    name: impl Fn() -> String,
    step: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    match timeout(STEP_TIMEOUT, step).await {
        Ok(done) => done.map_err(|error| failed(name(), &error)),
        Err(_) => Err(Error::TimedOut { step: name(), limit: STEP_TIMEOUT }),
    }
}
