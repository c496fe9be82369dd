//! The connections to the database: the one thread that writes, the pool that reads, and the log of events.
//!
//! It belongs here if it decides when a job runs on which connection. What a job writes does not.

pub(crate) mod events;
mod readers;
mod writer;

pub use readers::Batches;
pub(crate) use readers::Readers;
pub(crate) use writer::{Writer, WriterThread};
