//! The start of `--once` and of the daemon: lock, migrations, adoption of the configuration, spool, recovery of documents, writer.
//! And that of a master that only reads, which does none of it.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tributary_budget::Budget;
use tributary_config::{Brake, Config, Limits, SourceConfig};
use tributary_http_client::Trust;
use tributary_store::{DocumentRow, Lock, Store, spool_path};

use super::adopt::Adoption;
use crate::{
    cache::Cache,
    database::{Writer, WriterThread},
    documents::{DocumentFolder, Documents, Recovered, recover},
    ingest::{StoredSource, Written},
    metrics::Durations,
    poll::{Context, Poll, Turns},
    progress::{MakeObserver, ProgressObserver},
    reports::{ReportMemory, Reports},
    source::{AnswerMemory, BucketClient, Http, Origin, SourceClient, Spool, http_client},
};

/// A master that is ready to poll.
pub(crate) struct Started {
    /// The part that all polls share.
    pub(crate) context: Context,
    /// The thread to wait for at the end.
    pub(crate) writer_thread: Option<WriterThread>,
    /// One per configured source, in order, and one for the documents if there is a folder of them.
    pub(crate) polls: Vec<Poll>,
    /// The changes of products by the adoption of the configuration.
    pub(crate) adopted: Written,
    pub(crate) uploads: StartedUploads,
}

/// The part of a start that takes its time and needs no database: a master that waits for its turn has it ready.
#[derive(Clone)]
pub struct Prepared(Http);

impl Prepared {
    /// Makes the client for sources, which reads the certificates of this machine. Blocks the thread.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(config: &Config) -> Result<Self> {
        let memory = AnswerMemory::new(config.limits.lists);
        Ok(Self(http_client(&Trust::default(), config.patience, memory)?))
    }
}

/// Takes the right to write the database as `holder`. Blocks the thread.
///
/// # Errors
/// Another process has it, see [`lock_holder`](super::lock_holder); the lock file fails.
pub fn acquire(config: &Config, holder: &str) -> Result<Lock> {
    Ok(Lock::acquire_at(&config.database, holder, config.public_url.as_deref())?)
}

/// The documents, and the source that they are.
pub(crate) struct StartedUploads {
    /// The source, now or after the first upload.
    pub(crate) source: SourceConfig,
    pub(crate) documents: Documents,
    /// Whether it is one of the polls.
    pub(crate) is_polled: bool,
    /// Documents that were received in part.
    pub(crate) unfinished: Vec<DocumentRow>,
}

impl Started {
    /// Opens a database as it is, without sources.
    pub(super) fn idle(config: &Config) -> Result<Self> {
        let store = Store::open(&config.database)?;
        let (writer, thread) = Writer::start(config.database.clone(), store, acquire(config, "a test")?)?;
        let spool = Spool::open(config.database.place(), config.keep_free)?;
        Ok(Self::without_sources(config, writer, Some(thread), spool, Prepared::new(config)?))
    }

    /// Prepares to read a database, which need not be there yet. Opens and creates nothing.
    pub(super) fn reading(config: &Config, prepared: Prepared) -> Self {
        let spool = Spool::unused(config.database.place());
        Self::without_sources(config, Writer::absent(), None, spool, prepared)
    }

    fn without_sources(
        config: &Config,
        writer: Writer,
        writer_thread: Option<WriterThread>,
        spool: Spool,
        Prepared(http): Prepared,
    ) -> Self {
        let folder = config.uploads.folder(&config.database);
        let memory = ReportMemory::new(config.limits.report_memory, spool.clone());
        let reports = Reports::new(&config.reports, config.database.clone(), memory);
        let source = config.uploads.source(&folder);
        let documents = Documents::new(DocumentFolder::new(folder), reports.clone(), &[], BTreeSet::new());
        let context = Context::new(http, writer, (spool, Cache::off()), (reports, &config.limits));
        let uploads = StartedUploads { source, documents, is_polled: false, unfinished: Vec::new() };
        Self { context, writer_thread, polls: Vec::new(), adopted: Written::default(), uploads }
    }
}

impl Context {
    /// Makes the part that all polls share.
    pub(crate) fn new(
        http: Http,
        writer: Writer,
        (spool, cache): (Spool, Cache),
        (reports, limits): (Reports, &Limits),
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (gates, followers) = (Arc::new(Semaphore::new(cores)), Arc::new(Semaphore::new(cores)));
        Self {
            http,
            writer,
            spool,
            cache,
            turns: Turns::default(),
            gates,
            followers,
            memory: Arc::new(Budget::new(limits.sorted_rows)),
            files_per_part: limits.files_per_part,
            reports,
            durations: Durations::default(),
        }
    }

    /// Makes the poll of a source; `documents` are those of this master.
    pub(super) fn poll(
        &self,
        source: SourceConfig,
        stored: StoredSource,
        documents: &Documents,
        progress: Arc<dyn ProgressObserver>,
    ) -> Poll {
        let origin = match (&source.folder, source.location()) {
            (Some(_), _) => Origin::Documents(documents.clone()),
            (None, Some(location)) => Origin::Bucket(BucketClient::new(self.http.clone(), &source, location)),
            (None, None) => Origin::Remote(Box::new(SourceClient::new(self.http.clone(), &source))),
        };
        Poll::new(source, origin, stored, self.clone(), progress)
    }
}

/// Creates or migrates the database, and adopts the configuration. The lock is that of the database.
///
/// # Errors
/// The database or the spool fails, or another process has a folder of this one.
pub(crate) async fn start(
    config: &Config,
    lock: Lock,
    Prepared(http): Prepared,
    observer: &MakeObserver,
) -> Result<Started> {
    let (url, mut sources) = (config.database.clone(), config.sources.clone());
    let (folder, configured) = (config.uploads.folder(&url), config.reports.clone());
    let (drop, catalog) = (config.drop_sources.clone(), config.catalog.clone());
    let (cache, keep_free) = (config.cache.clone(), config.keep_free);
    let source = config.uploads.source(&folder);
    let folder = DocumentFolder::new(folder);
    let report_memory = config.limits.report_memory;
    let prepare = move || -> Result<_> {
        let mut store = lock.open_store()?;
        let kept = (Spool::open(url.place(), keep_free)?, Cache::open(&cache, keep_free, &url));
        lock.folders().acquire(&spool_path(url.place()))?;
        let reports = Reports::new(&configured, url.clone(), ReportMemory::new(report_memory, kept.0.clone()));
        let folder = folder.with(lock.folders());
        if folder.exists() {
            folder.take()?;
        }
        let Recovered { standing, missing, unfinished } = recover(&mut store, &folder)?;
        let is_polled = folder.exists();
        sources.extend(is_polled.then(|| source.clone()));
        let adoption = Adoption { sources, reports: reports.configured().to_vec(), catalog, drop, is_reload: false };
        let (stored, written) = adoption.run(&mut store)?;
        let documents = Documents::new(folder, reports.clone(), &standing, missing);
        let uploads = StartedUploads { source, documents, is_polled, unfinished };
        let adopted = (adoption.sources.into_iter().zip(stored), written);
        Ok((Writer::start(url, store, lock)?, (kept, reports), adopted, uploads))
    };
    let prepared = tokio::task::spawn_blocking(prepare).await;
    let ((writer, writer_thread), (kept, reports), (stored, adopted), uploads) =
        prepared.context("the start failed")??;
    let context = Context::new(http, writer, kept, (reports, &config.limits));
    let poll = |(mut source, stored): (SourceConfig, StoredSource)| {
        if config.accept.contains(&source.name) {
            source.brake = Brake::OFF;
        }
        let progress = observer(&source.name);
        context.poll(source, stored, &uploads.documents, progress)
    };
    let polls = stored.map(poll).collect();
    Ok(Started { context, writer_thread: Some(writer_thread), polls, adopted, uploads })
}
