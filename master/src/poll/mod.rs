//! Asking the sources: the client of one source, one pass over it, and the loop that passes over it all day.

mod client;
mod pass;
mod poll_loop;
mod status;

pub(crate) use client::http_client;
pub(crate) use pass::{Context, Passed, Poll};
pub(crate) use poll_loop::PollManager;
pub(crate) use status::{SourceStatus, Statuses};
