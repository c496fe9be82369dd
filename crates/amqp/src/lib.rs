//! The connection to a RabbitMQ broker: one attempt at a time, with a time limit on every step. Nothing here reconnects: when
//! anything fails, the caller drops the [`Link`], waits, and opens another, which declares and consumes anew. The client library's
//! own recovery can hang after a restart of the broker.
//!
//! It knows no routes, no files and no tables. What a message means belongs to the programs.
#![warn(missing_docs)]

mod consume;
mod dead_letters;
mod error;
mod link;
mod message;
mod publish;
mod socket;
mod topology;
mod url;

pub use consume::{Consumer, Received};
pub use dead_letters::DEAD_LETTERS;
pub use error::Error;
pub use link::Link;
pub use message::{Headers, Message};
pub use publish::{Confirmed, Publisher};
pub use topology::{Queue, QueueCounts};
pub use url::BrokerUrl;
