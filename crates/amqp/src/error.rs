//! Everything that a step with a broker can fail with, in words that name the broker or the queue.

use std::{io, time::Duration};

use tributary_tls::{TrustFault, trust_fault};

use crate::BrokerUrl;

/// The reply codes for a wrong password or a missing right, and for a virtual host that is not there.
const DENIED: [u16; 2] = [403, 530];
/// The cause and the fix of a port that does not know TLS.
const NO_TLS: &str = "the port speaks no TLS; write amqp:// in place of amqps://, or name the port for TLS, often 5671";
/// The fix of a port that may know TLS only.
const MAYBE_TLS: &str = "if this port speaks TLS, write amqps:// in place of amqp://";
/// The cause and the fix of a certificate that nobody known has signed.
const UNKNOWN_ISSUER: &str = "no authority that this machine knows has signed it; name the authority's PEM file with --amqp-ca, \
    TRIBUTARY_AMQP_CA or `ca_file` in [amqp]";

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
    #[error(
        "not allowed to {step}: {cause}; check the user, the password and the virtual host in --amqp, TRIBUTARY_AMQP or `url` in [amqp], \
         and what the user may do there"
    )]
    Denied {
        /// The step, such as "connect to amqp://broker:5672".
        step: String,
        /// The words of the broker.
        cause: String,
    },
    /// The certificate of the broker is not trusted.
    #[error("the certificate of the broker {broker} is not trusted: {cause}")]
    Untrusted {
        /// The address, without its password.
        broker: String,
        /// The cause, for people.
        cause: String,
    },
    /// The connection is gone.
    #[error("the connection to the broker is lost: {cause}")]
    Lost {
        /// The cause, for people.
        cause: String,
    },
    /// The broker is short of memory or disk.
    #[error("the broker is short of memory or disk, and has taken no message for {} s; give it more, or empty its queues", .limit.as_secs())]
    Blocked {
        /// The time in which it took nothing.
        limit: Duration,
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

    /// Whether trying again is pointless until somebody changes the user, its rights, the certificate or the address.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::Untrusted { .. })
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

/// The reason why no connection could be made.
pub(crate) fn refused(url: &BrokerUrl, error: &lapin::Error) -> Error {
    let broker = url.to_string();
    if let denied @ Error::Denied { .. } = failed(format!("connect to {url}"), error) {
        return denied;
    }
    let unreachable = |cause: String| Error::Unreachable { broker: broker.clone(), cause };
    match tls(error) {
        Some(TrustFault::UnknownIssuer) => Error::Untrusted { broker, cause: UNKNOWN_ISSUER.to_owned() },
        Some(TrustFault::Certificate(cause)) => Error::Untrusted { broker, cause },
        Some(TrustFault::NoTls) => unreachable(NO_TLS.to_owned()),
        _ if !url.is_encrypted() && may_be_tls(error) => unreachable(format!("{}; {MAYBE_TLS}", cause(error))),
        _ => unreachable(cause(error)),
    }
}

/// Whether the broker may have ended the connection because it expected TLS.
fn may_be_tls(error: &lapin::Error) -> bool {
    match error.kind() {
        lapin::ErrorKind::ParsingError(_) => true,
        lapin::ErrorKind::IOError(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

/// The error of TLS in an error of the client library.
fn tls(error: &lapin::Error) -> Option<TrustFault> {
    match error.kind() {
        lapin::ErrorKind::IOError(error) => trust_fault(&**error),
        _ => None,
    }
}

/// The innermost words of an error of the client library.
pub(crate) fn cause(error: &lapin::Error) -> String {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(error) => error.get_message().as_str().trim_end_matches('.').to_owned(),
        lapin::ErrorKind::ParsingError(_) => "its answer is not AMQP".to_owned(),
        lapin::ErrorKind::IOError(error) => error.to_string(),
        _ => error.to_string(),
    }
}
