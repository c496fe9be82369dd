//! Asking the sources: what one source is asked, one pass over it, and the loop that passes over it all day.

mod aggregate;
mod client;
mod list;
mod local;
mod origin;
mod pass;
mod poll_loop;
mod status;

pub(crate) use client::{Http, SourceClient, http_client};
pub(crate) use local::LocalSource;
pub(crate) use origin::Origin;
pub(crate) use pass::{Context, Passed, Poll};
pub(crate) use poll_loop::PollManager;
pub(crate) use status::{SourceStatus, Statuses};
