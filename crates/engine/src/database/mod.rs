//! The connections to the database: the thread that writes, the pool that reads, and the log of events.
//!
//! It belongs here if it decides on which connection a job runs, and when. What a job writes does not belong here.

mod batch;
pub(crate) mod events;
mod lost_locks;
mod readers;
mod tail;
mod unwritable;
mod writer;

pub(crate) use batch::Batch;
pub use readers::{Batches, Busy};
pub(crate) use readers::{CloseIdle, Readers};
pub(crate) use tail::EventTail;
pub use unwritable::{Unwritten, WriteOutage};
pub(crate) use writer::{Writer, WriterThread};
