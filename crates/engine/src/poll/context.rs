//! Resources that the polls of all sources share, and their bounds.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tributary_budget::Budget;

use super::Turns;
use crate::{
    cache::Cache,
    database::Writer,
    metrics::Durations,
    reports::Reports,
    source::{Http, Spool},
};

/// Resources that the polls of all sources share.
#[derive(Clone)]
pub(crate) struct Context {
    /// Keeps connections and certificates.
    pub(crate) http: Http,
    /// Holds bodies until they are read.
    pub(crate) spool: Spool,
    /// Remembers accepted contents.
    pub(crate) cache: Cache,
    /// Bounds the passes that are made at a time, over all sources: each takes memory.
    pub(crate) turns: Turns,
    /// Bounds the files that are read at a time, over all sources: each takes a core.
    pub(crate) gates: Arc<Semaphore>,
    /// Bounds the bodies that are read while they arrive, over all sources: each takes a thread.
    pub(crate) followers: Arc<Semaphore>,
    /// Bounds the memory of sorted rows that are not applied yet, over all sources.
    pub(crate) memory: Arc<Budget>,
    /// Files of a version that are read before they are applied.
    pub(crate) files_per_part: usize,
    /// Decides whether a file is a product feed.
    pub(crate) reports: Reports,
    /// Measures passes and applies.
    pub(crate) durations: Durations,
    /// Writes to the database. The last field, so that it is dropped last: the thread that writes can move the write-ahead log into
    /// the database file only when nobody reads any more.
    pub(crate) writer: Writer,
}
