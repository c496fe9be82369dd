//! What `--once` and the daemon begin with: the lock, the database brought up to date and to the configuration, the spool,
//! the writer.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tributary_merge::Budget;
use tributary_store::{Lock, Store};

use crate::{
    config::Config,
    ingest::{Spool, adopt},
    poll::{Context, Poll, http_client},
    progress::Progress,
    writer::{Writer, WriterThread},
};

/// Sorted rows that are kept in memory until their version is applied, over all sources; the rest lies in the spool.
const SORTED_BYTES: usize = 256 << 20;

/// A master that is ready to poll.
pub(crate) struct Started {
    /// What all polls share.
    pub(crate) context: Context,
    /// To be waited for at the end.
    pub(crate) writer_thread: WriterThread,
    /// One for each configured source, in order.
    pub(crate) polls: Vec<Poll>,
}

/// Takes the lock as `holder`, sets the database up if need be, and brings the configuration into it.
///
/// # Errors
/// Another master holds the database, or the database or the spool fails.
pub(crate) async fn start(config: &Config, holder: &'static str, progress: &Progress) -> Result<Started> {
    let (url, configured) = (config.database.clone(), config.sources.clone());
    let prepare = move || -> Result<_> {
        let lock = Lock::acquire(&url, holder)?;
        let mut store = Store::open(&url)?;
        let spool = Spool::open(url.path())?;
        let adopted = adopt(&mut store, &configured)?;
        Ok((Writer::start(store, lock)?, spool, adopted))
    };
    // Both take their time, the one with the disk, the other with certificates.
    let (prepared, http) = tokio::join!(tokio::task::spawn_blocking(prepare), tokio::task::spawn_blocking(http_client));
    let ((writer, writer_thread), spool, adopted) = prepared.context("the start failed")??;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let context = Context {
        http: http.context("the start failed")??,
        writer,
        spool,
        gates: Arc::new(Semaphore::new(cores)),
        followers: Arc::new(Semaphore::new(cores)),
        memory: Budget::new(SORTED_BYTES),
    };
    let poll = |(source, stored): (&crate::config::SourceConfig, _)| {
        Poll::new(source.clone(), stored, context.clone(), progress.source(&source.name))
    };
    let polls = config.sources.iter().zip(adopted).map(poll).collect();
    Ok(Started { context, writer_thread, polls })
}
