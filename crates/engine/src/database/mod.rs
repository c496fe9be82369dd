//! The connections to the database: the thread that writes, the pool that reads, the log of events, and the watch over what others write.
//!
//! It belongs here if it decides on which connection a job runs, and when. What a job writes does not belong here.

mod batch;
pub(crate) mod events;
mod lost_locks;
mod readers;
mod tail;
mod unwritable;
mod watch;
mod writer;

pub(crate) use batch::Batch;
pub use readers::{Batches, Busy};
pub(crate) use readers::{CloseIdle, Readers};
pub(crate) use tail::EventTail;
pub use unwritable::{Unwritten, WriteOutage, is_away, is_unwritable};
pub(crate) use watch::{Seen, Watch};
pub use writer::OnlyReads;
pub(crate) use writer::{Writer, WriterThread};
