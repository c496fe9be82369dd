//! Polling: one pass over a source, the loop that decides when the next one is due, and the health it leaves.
//!
//! It belongs here if it decides when a source is asked or what one pass does. How a source is asked is `source`'s job.

mod list;
mod manager;
mod pass;
mod poll_loop;
mod status;

pub(crate) use manager::PollManager;
pub(crate) use pass::{Context, Passed, Poll};
pub use status::SourceStatus;
pub(crate) use status::Statuses;
