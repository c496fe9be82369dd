//! The start of `--once` and of the daemon: lock, migrations, adoption of the configuration, spool, recovery of uploads, writer.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tributary_config::{Brake, Config, SourceConfig};
use tributary_merge::MemoryBudget;
use tributary_store::{Lock, Store, UploadRow};

use super::adopt::Adoption;
use crate::{
    database::{Writer, WriterThread},
    ingest::StoredSource,
    metrics::Durations,
    poll::{Context, Poll},
    progress::{MakeObserver, ProgressObserver},
    reports::Reports,
    source::{Http, LocalSource, Origin, SourceClient, Spool, http_client},
    uploads::{UploadFolder, recover},
};

/// Memory for sorted rows that are not applied yet, over all sources. More go to the spool.
const SORTED_BYTES: usize = 256 << 20;

/// A master that is ready to poll.
pub(crate) struct Started {
    /// The part that all polls share.
    pub(crate) context: Context,
    /// The thread to wait for at the end.
    pub(crate) writer_thread: WriterThread,
    /// One per configured source, in order, and one for the uploads folder if it exists.
    pub(crate) polls: Vec<Poll>,
    /// The uploads folder and its unfinished jobs.
    pub(crate) uploads: StartedUploads,
}

/// The uploads folder, and the jobs that an earlier process left.
pub(crate) struct StartedUploads {
    pub(crate) folder: UploadFolder,
    /// The folder as a source, now or after the first upload.
    pub(crate) source: SourceConfig,
    pub(crate) local: Arc<LocalSource>,
    /// Whether it is one of the polls.
    pub(crate) is_polled: bool,
    /// Received uploads that are not complete yet.
    pub(crate) queued: Vec<UploadRow>,
}

impl Started {
    /// Opens a database as it is, without sources.
    pub(super) fn idle(config: &Config) -> Result<Self> {
        let folder = config.uploads.folder(&config.database);
        let (writer, writer_thread) = Writer::start(
            config.database.clone(),
            Store::open(&config.database)?,
            Lock::acquire(&config.database, "a test")?,
        )?;
        let reports = Reports::new(&config.reports, config.database.clone());
        let context = Context::new(http_client()?, writer, Spool::open(config.database.path())?, reports);
        let uploads = StartedUploads {
            folder: UploadFolder::new(folder.clone()),
            source: config.uploads.source(&folder),
            local: Arc::new(LocalSource::new(folder)),
            is_polled: false,
            queued: Vec::new(),
        };
        Ok(Self { context, writer_thread, polls: Vec::new(), uploads })
    }
}

impl Context {
    /// Makes the part that all polls share.
    pub(crate) fn new(http: Http, writer: Writer, spool: Spool, reports: Reports) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (gates, followers) = (Arc::new(Semaphore::new(cores)), Arc::new(Semaphore::new(cores)));
        Self {
            http,
            writer,
            spool,
            gates,
            followers,
            memory: MemoryBudget::new(SORTED_BYTES),
            reports,
            durations: Durations::default(),
        }
    }

    /// Makes the poll of a source; `local` is the uploads folder.
    pub(super) fn poll(
        &self,
        source: SourceConfig,
        stored: StoredSource,
        local: &Arc<LocalSource>,
        progress: Arc<dyn ProgressObserver>,
    ) -> Poll {
        let origin = match source.folder {
            Some(_) => Origin::Local(Arc::clone(local)),
            None => Origin::Remote(SourceClient::new(self.http.clone(), &source)),
        };
        Poll::new(source, origin, stored, self.clone(), progress)
    }
}

/// Takes the lock as `holder`, creates or migrates the database, and adopts the configuration.
///
/// # Errors
/// Another master holds the database, or the database or the spool fails.
pub(crate) async fn start(config: &Config, holder: &'static str, observer: &MakeObserver) -> Result<Started> {
    let (url, mut sources) = (config.database.clone(), config.sources.clone());
    let (folder, configured) = (config.uploads.folder(&url), config.reports.clone());
    let drop = config.drop_sources.clone();
    let (upload_folder, source) = (UploadFolder::new(folder.clone()), config.uploads.source(&folder));
    let prepare = move || -> Result<_> {
        let lock = Lock::acquire(&url, holder)?;
        let mut store = Store::open(&url)?;
        let spool = Spool::open(url.path())?;
        let queued = recover(&mut store, &upload_folder)?;
        let is_polled = upload_folder.exists();
        sources.extend(is_polled.then(|| source.clone()));
        let adoption = Adoption { sources, reports: configured, drop, is_reload: false };
        let stored = adoption.run(&mut store)?;
        let local = Arc::new(LocalSource::new(folder));
        let uploads = StartedUploads { folder: upload_folder, source, local, is_polled, queued };
        Ok((Writer::start(url, store, lock)?, spool, adoption.sources.into_iter().zip(stored), uploads))
    };
    // Both take their time, the one with the disk, the other with certificates.
    let (prepared, http) = tokio::join!(tokio::task::spawn_blocking(prepare), tokio::task::spawn_blocking(http_client));
    let ((writer, writer_thread), spool, adopted, uploads) = prepared.context("the start failed")??;
    let reports = Reports::new(&config.reports, config.database.clone());
    let context = Context::new(http.context("the start failed")??, writer, spool, reports);
    let poll = |(mut source, stored): (SourceConfig, StoredSource)| {
        if config.accept.contains(&source.name) {
            source.brake = Brake::OFF;
        }
        let progress = observer(&source.name);
        context.poll(source, stored, &uploads.local, progress)
    };
    let polls = adopted.map(poll).collect();
    Ok(Started { context, writer_thread, polls, uploads })
}
