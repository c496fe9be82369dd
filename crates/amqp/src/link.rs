//! One connection with one channel.

use std::{future::Future, time::Duration};

use futures_util::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, Event, types::LongString};
use tokio::time::timeout;

use crate::{
    BrokerUrl, Error,
    error::{cause, failed},
};

/// Limit for the connection with its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for any other step. A broker that is short of memory answers nothing to a connection that has published.
pub(crate) const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for the end. A broker that is short of memory does not answer to that either.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
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
    /// [`Error::Unreachable`], [`Error::Denied`] or [`Error::TimedOut`].
    pub async fn open(url: &BrokerUrl, name: &str) -> Result<Self, Error> {
        // Fails only if a provider is installed already, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = ConnectionProperties::default().with_connection_name(LongString::from(name));
        let unreachable = |why: String| Error::Unreachable { broker: url.to_string(), cause: why };
        let connection = match timeout(CONNECT_TIMEOUT, Connection::connect_uri(url.uri(), options)).await {
            Ok(connected) => connected.map_err(|error| match failed(format!("connect to {url}"), &error) {
                denied @ Error::Denied { .. } => denied,
                _ => unreachable(cause(&error)),
            })?,
            Err(_) => return Err(unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        };
        let channel = step(|| "open a channel".to_owned(), connection.create_channel()).await?;
        Ok(Self { connection, channel })
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
