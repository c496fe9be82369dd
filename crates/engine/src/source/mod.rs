//! Access to sources: asks a source over HTTP or in a local folder, and fetches its bytes.
//!
//! Code that knows URLs, folders, bodies or the spool belongs here. Passes, rows and tables do not.

mod active_reads;
mod aggregate;
mod arrival;
mod client;
mod fetch;
mod groups;
mod local;
mod origin;
mod spool;

pub(crate) use active_reads::{ActiveRead, ActiveReads, CountingReader};
pub(crate) use aggregate::{Answer, Answered};
pub(crate) use arrival::{BodyFollower, CorePermit};
pub(crate) use client::{Http, SourceClient, http_client};
pub(crate) use fetch::FetchError;
pub(crate) use groups::{GroupAdder, GroupLines};
pub(crate) use local::LocalSource;
pub(crate) use origin::Origin;
pub(crate) use spool::{NewBody, Spool, SpooledBody};
