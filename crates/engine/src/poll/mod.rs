//! Polling: passes over a source, the loop that decides when the next one is due, and the health it leaves.
//!
//! Code that decides when a source is asked, or what a pass does, belongs here. How a source is asked is `source`'s job.

mod context;
mod hold;
mod list;
mod manager;
mod notes;
mod part;
mod pass;
mod planned;
mod poll_loop;
mod recent_errors;
mod remember;
mod running;
mod status;
mod turn;
mod write;

pub(crate) use context::Context;
pub(crate) use manager::PollManager;
pub(crate) use pass::{PassOutcome, Poll};
pub use recent_errors::RecentError;
pub use running::RunningPass;
pub use status::SourceStatus;
pub(crate) use status::Statuses;
pub(crate) use turn::Turns;
