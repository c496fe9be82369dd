//! The façade: everything an entrance (HTTP, a queue, a stream) may ask of the engine.
//!
//! It belongs here if it is one call of [`Engine`]. Rows of tables go out as plain structs; connections never do.

mod accept;
mod adopt;
mod events;
mod exports;
mod files;
mod history;
mod names;
mod once;
mod operations;
mod overview;
mod product_list;
mod products;
mod queues;
mod reload;
mod reports;
mod role;
mod scoped_rows;
mod sources;
mod start;

use std::{
    sync::{Arc, PoisonError, RwLock, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tributary_config::{CatalogConfig, Config, ReportConfig};
use tributary_store::{Lock, QueueRow, Store};

use crate::{
    database::{CloseIdle, EventTail, Readers, Seen, Watch, Writer, WriterThread},
    documents::Presence,
    history::{Meter, StoreHistory},
    inbox::{DocumentSource, Expiry, Inbox, InboxParts, PollSettings},
    poll::{Context, PollManager, Statuses},
    progress::MakeObserver,
    source::Spool,
    supervise::Tasks,
    views::{Charts, MostFrequent},
};

pub use accept::{ACCEPT_COMMAND, AcceptError, Acceptance, accept_held, lock_holder};
pub use events::{Followed, Resume};
pub use exports::{ExportState, ExportStatus, NotComputed, SpoolFile};
pub use files::{RejectedFile, SourceDetail, reader_named};
pub use names::{MAX_SEARCHED_NAMES, NameSearch};
pub use once::{OnceSummary, once};
pub use operations::OperateError;
pub use overview::{Overview, Today};
pub use product_list::{ListError, Matches, ProductPage, ProductQuery, ProductSearch};
pub use products::EditError;
pub use queues::{QueueRole, QueueState};
pub use reports::{ReportDetail, ReportScope, RowOrder, RowRange};
pub use role::MasterRole;
pub use scoped_rows::TooManyToSort;
pub use sources::SourceHealth;
pub use start::{Prepared, acquire};
use start::{Started, StartedUploads, start};

/// The longest wait for the writer at a stop. A large version that is still being applied is rolled back by SQLite, and the next
/// start applies it.
const LAST_WRITE: Duration = Duration::from_millis(1_200);

/// A running engine; clones share it. Dropping all clones does not stop it, see [`Running::stop`].
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    role: MasterRole,
    /// The database as one that only reads has last seen it.
    seen: Option<watch::Receiver<Seen>>,
    readers: Readers,
    events: EventTail,
    writer: Writer,
    statuses: Statuses,
    meter: Meter,
    most_frequent: MostFrequent,
    inbox: Inbox,
    /// Replaced by a reload. Held only to copy or to set it.
    reports: RwLock<Arc<[ReportConfig]>>,
    /// The same.
    catalog: RwLock<Arc<CatalogConfig>>,
    /// The queues of a broker as an entrance last saw them. The same.
    queues: RwLock<Arc<[QueueRow]>>,
    /// The exports to S3 or a folder, as the room that does it last saw it. The same.
    exports: RwLock<Arc<[ExportStatus]>>,
    spool: Spool,
    charts: Arc<Charts>,
    /// Whether every source was tried once; a reload does not take that back.
    ready: AtomicBool,
    loops: PollManager,
    /// The configuration in force. Held while a reload changes it.
    current: tokio::sync::Mutex<Current>,
    shutdown: CancellationToken,
}

/// The configuration in force, and the part that its polls share.
struct Current {
    config: Config,
    context: Context,
}

/// The background work of an engine, to be stopped and waited for.
pub struct Running {
    writer: Writer,
    /// None if this master only reads.
    writer_thread: Option<WriterThread>,
    tasks: Tasks,
    shutdown: CancellationToken,
}

impl Engine {
    /// Sets the database up, adopts the configuration and starts to poll. `shutdown` stops everything.
    ///
    /// # Errors
    /// Another process holds the database; the database, the spool or the uploads folder fails.
    pub async fn start(
        config: &Config,
        observer: &MakeObserver,
        shutdown: CancellationToken,
    ) -> Result<(Engine, Running)> {
        let of = config.clone();
        let both = move || anyhow::Ok((acquire(&of, "master")?, Prepared::new(&of)?));
        let (lock, prepared) = tokio::task::spawn_blocking(both).await.context("the start failed")??;
        Self::lead(config, lock, prepared, observer, shutdown).await
    }

    /// As [`Engine::start`], with the right to write that the caller has [acquired](super::acquire).
    ///
    /// # Errors
    /// The database, the spool or the uploads folder fails.
    pub async fn lead(
        config: &Config,
        lock: Lock,
        prepared: Prepared,
        observer: &MakeObserver,
        shutdown: CancellationToken,
    ) -> Result<(Engine, Running)> {
        let started = start(config, lock, prepared, observer).await?;
        Ok(Self::begin(started, config, MasterRole::Active, shutdown))
    }

    /// Reads a database that another process writes, or will create. Polls nothing and writes nothing. `role` says why.
    #[must_use]
    pub fn reading(
        config: &Config,
        prepared: Prepared,
        role: MasterRole,
        shutdown: CancellationToken,
    ) -> (Engine, Running) {
        Self::begin(Started::reading(config, prepared), config, role, shutdown)
    }

    /// Serves a database as it is: adopts nothing and polls nothing. For tests of entrances.
    ///
    /// # Errors
    /// Another process holds the database, or it fails.
    #[doc(hidden)]
    pub fn over(config: &Config, shutdown: CancellationToken) -> Result<(Engine, Running)> {
        Ok(Self::begin(Started::idle(config)?, config, MasterRole::Active, shutdown))
    }

    fn begin(started: Started, config: &Config, role: MasterRole, shutdown: CancellationToken) -> (Engine, Running) {
        let Started { context, writer_thread, polls, uploads, adopted: _ } = started;
        let (writer, tasks) = (context.writer.clone(), Tasks::new(shutdown.clone()));
        let meter = Meter::default();
        let statuses = Statuses::new(polls.iter().map(|poll| poll.name()), context.durations.clone(), meter.clone());
        let readers = Readers::new(config.database.clone());
        let loops = PollManager::new(&statuses, &tasks);
        let StartedUploads { source, documents, is_polled, unfinished } = uploads;
        let settings = PollSettings {
            context: context.clone(),
            poll_interval: config.poll_interval,
            formats: config.uploads.formats.clone(),
            columns: config.uploads.columns.clone(),
        };
        let (own, current) = (readers.clone(), documents.clone());
        // A reload replaces the reports, and those that read them.
        let all_readers = move || [own.clone(), current.reports().readers().clone()];
        let source = DocumentSource::new(source, documents.clone(), settings, loops.clone(), is_polled);
        let presence = Presence(documents.clone());
        let inbox = Inbox::new(InboxParts {
            patience: config.patience,
            config: &config.uploads,
            readers: readers.clone(),
            writer: writer.clone(),
            documents,
            source,
            unfinished,
            stop: shutdown.clone(),
        });
        polls.into_iter().for_each(|poll| loops.add(poll, config.poll_interval));
        tasks.spawn("idle connections".to_owned(), CancellationToken::new(), CloseIdle(all_readers));
        let seen = match role {
            MasterRole::Active => {
                tasks.spawn("files of uploads".to_owned(), CancellationToken::new(), presence);
                tasks.spawn("expiry of uploads".to_owned(), CancellationToken::new(), Expiry(inbox.clone()));
                tasks.spawn("history".to_owned(), CancellationToken::new(), StoreHistory::new(&meter, &writer));
                None
            }
            MasterRole::Standby | MasterRole::Reader => Some(watch_others(config, &readers, &writer, &tasks)),
        };
        let shared = Shared {
            role,
            seen,
            events: EventTail::new(readers.clone()),
            readers,
            writer: writer.clone(),
            statuses,
            meter,
            most_frequent: MostFrequent::new(),
            inbox,
            reports: RwLock::new(context.reports.configured().into()),
            catalog: RwLock::new(config.catalog.clone().into()),
            queues: RwLock::new(Arc::new([])),
            exports: RwLock::new(Arc::new([])),
            spool: context.spool.clone(),
            charts: Arc::default(),
            ready: AtomicBool::new(false),
            loops,
            current: tokio::sync::Mutex::new(Current { config: config.clone(), context }),
            shutdown: shutdown.clone(),
        };
        (Engine(Arc::new(shared)), Running { writer, writer_thread, tasks, shutdown })
    }

    /// Cancelled once the engine stops: an entrance ends the answers that it holds then.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.0.shutdown
    }

    /// The catalog as configured.
    #[must_use]
    pub fn catalog(&self) -> Arc<CatalogConfig> {
        Arc::clone(&self.0.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in documents and follows them.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    /// Describes what is being written now and for how long it has been, if a large job is.
    #[must_use]
    pub fn writing(&self) -> Option<(String, Duration)> {
        self.0.writer.running()
    }

    /// Runs `read` in one snapshot.
    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&mut Store) -> Result<T> + Send + 'static) -> Result<T> {
        self.0.readers.run(read).await
    }
}

/// Starts to watch what other processes write.
fn watch_others(config: &Config, readers: &Readers, writer: &Writer, tasks: &Tasks) -> watch::Receiver<Seen> {
    let (watch, seen) = Watch::new(config.database.clone(), readers.clone(), writer.clone());
    tasks.spawn("watch over the database".to_owned(), CancellationToken::new(), watch);
    seen
}

impl Running {
    /// Resolves if the writer is beyond repair, which the log explains: better to restart the process than to go on.
    ///
    /// # Errors
    /// Always, once it resolves.
    pub async fn broken(&self) -> Result<()> {
        if self.writer_thread.is_none() {
            return std::future::pending().await;
        }
        self.writer.broken().await;
        Err(anyhow!("the writer has stopped; this is a bug, and the log says where"))
    }

    /// Resolves once another process may write the database in place of this one. Nothing can be written from then on.
    pub async fn deposed(&self) {
        self.writer.deposed().await;
    }

    /// Stops all background tasks and waits for the last write, but not for long.
    pub async fn stop(self) {
        self.shutdown.cancel();
        drop(self.writer);
        self.tasks.stopped().await;
        let Some(writer_thread) = self.writer_thread else { return };
        let joined = tokio::task::spawn_blocking(|| writer_thread.join());
        match tokio::time::timeout(LAST_WRITE, joined).await {
            Ok(joined) => {
                if let Err(error) = joined.context("the stop failed").and_then(|joined| joined) {
                    tracing::error!("{error:#}");
                }
            }
            Err(_) => tracing::warn!("stopped while a large version was being applied; the next start applies it"),
        }
    }
}

#[cfg(test)]
mod tests;
