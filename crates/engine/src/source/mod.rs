//! Access to sources: the questions a source answers over HTTP or from a local folder, and how its bytes get here.
//!
//! It belongs here if it knows a URL, a folder, a body or the spool. Passes, rows and tables do not.

mod active_reads;
mod aggregate;
mod arrival;
mod client;
mod fetch;
mod groups;
mod local;
mod origin;
mod spool;

pub(crate) use active_reads::{ActiveRead, ActiveReads, Counted};
pub(crate) use aggregate::{Answer, Answered};
pub(crate) use arrival::{Core, Follower, Incoming};
pub(crate) use client::{Http, SourceClient, http_client};
pub(crate) use fetch::{FetchError, Received, causes, receive};
pub(crate) use groups::{Adder, Lines};
pub(crate) use local::LocalSource;
pub(crate) use origin::Origin;
pub(crate) use spool::{Place, Spool, Spooled};
