//! Access to sources: asks a source over HTTP, a bucket, or the documents of this master, and fetches its bytes.
//!
//! Code that knows URLs, bodies or the spool belongs here. Passes, rows and tables do not.

mod aggregate;
mod arrival;
mod body_lines;
mod bucket;
mod client;
mod fetch;
mod groups;
mod kept;
mod manifest;
mod memory;
mod objects;
mod origin;
mod plain;
mod question;
mod spool;
mod watched;

pub(crate) use aggregate::{Answer, Answered};
pub(crate) use arrival::{BodyFollower, CorePermit};
pub(crate) use bucket::BucketClient;
pub(crate) use client::{Http, SourceClient, http_client};
pub(crate) use fetch::FetchError;
pub(crate) use groups::{GroupAdder, GroupLines};
pub(crate) use memory::AnswerMemory;
pub(crate) use origin::Origin;
pub(crate) use plain::{IsPlain, OpenedFiles, without_secrets};
pub(crate) use spool::{NewBody, Spool, SpooledBody};
pub(crate) use watched::WatchedObjects;
