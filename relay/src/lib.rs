//! Hands CSV documents from a RabbitMQ queue to a master. A message is acknowledged once its rows are committed, set aside with the
//! reason if it can never be used, and returned to its queue while the master is away. It keeps nothing itself: any number of
//! relays may share a queue, and one may be killed at any moment.
#![warn(missing_docs)]

pub mod cli;

mod compat;
mod document;
mod job;
mod master;
mod outbox;
mod paths;
mod run;
mod session;
mod unpack;

pub use run::run;
