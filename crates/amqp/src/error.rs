//! Everything that a step with a broker can fail with, in words that name the broker or the queue.

use std::time::Duration;

/// The reply codes for a wrong password or a missing right, and for a virtual host that is not there.
const DENIED: [u16; 2] = [403, 530];

/// A step that failed. The link it belongs to must be dropped; another one may succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection could be made, or it was refused.
    #[error("the broker {broker} cannot be reached: {cause}")]
    Unreachable {
        /// The address, without its password.
        broker: String,
        /// The cause, for people.
        cause: String,
    },
    /// A step took too long.
    #[error("the broker did not {step} within {} s", .limit.as_secs())]
    TimedOut {
        /// The step, such as "declare the queue `orders`".
        step: String,
        /// The time limit.
        limit: Duration,
    },
    /// The broker refused a step, or the connection broke in it.
    #[error("failed to {step}: {cause}")]
    Failed {
        /// The step.
        step: String,
        /// The words of the broker or of the system.
        cause: String,
    },
    /// A queue or an exchange exists with other arguments.
    #[error(
        "{what} exists with other arguments ({cause}): delete it once it is empty, or name another one; arguments of a queue never change"
    )]
    Conflict {
        /// The queue or exchange, such as "the queue `orders`".
        what: String,
        /// The words of the broker, which name the argument.
        cause: String,
    },
    /// The user, the virtual host or the name of a queue is not allowed.
    #[error("not allowed to {step}: {cause}; check user, password, virtual host and queue")]
    Denied {
        /// The step, such as "connect to amqp://broker:5672".
        step: String,
        /// The words of the broker.
        cause: String,
    },
    /// The connection is gone.
    #[error("the connection to the broker is lost: {cause}")]
    Lost {
        /// The cause, for people.
        cause: String,
    },
    /// No queue takes a message.
    #[error("the broker has no queue for a message to {to}")]
    Unroutable {
        /// The exchange and the routing key.
        to: String,
    },
    /// The broker does not take a message.
    #[error("the broker refused a message to {to}: the queue is full, or its disk or memory is")]
    Refused {
        /// The exchange and the routing key.
        to: String,
    },
}

impl Error {
    /// The connection ended without an error.
    #[must_use]
    pub fn closed() -> Self {
        Self::Lost { cause: "it was closed".to_owned() }
    }

    /// Whether trying again is pointless until somebody changes the queues of the broker.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether trying again is pointless until somebody changes the user, its rights or the address.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

/// Tells a step that is not allowed from one that failed otherwise.
pub(crate) fn failed(step: String, error: &lapin::Error) -> Error {
    let cause = cause(error);
    match error.kind() {
        lapin::ErrorKind::ProtocolError(refused) if DENIED.contains(&refused.get_id()) => Error::Denied { step, cause },
        _ => Error::Failed { step, cause },
    }
}

/// The innermost words of an error of the client library.
pub(crate) fn cause(error: &lapin::Error) -> String {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        lapin::ErrorKind::IOError(error) => error.to_string(),
        _ => error.to_string(),
    }
}
