//! The partial of one file: requested from the source if that can compute it, else computed here, from the spool or in place.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::Error as GateError;
use tributary_format_rules::file_format;
use tributary_protocol::ManifestEntry;
use tributary_report::{Error, Partial, Progress};

use super::{
    Report, Reports, SourceContent,
    cluster::{ClusterRun, Routed},
};
use crate::{
    documents::{ActiveRead, Documents},
    input::FileToRead,
    progress::ProgressObserver,
    source::{Answer, Answered, BucketClient, FetchError, GroupLines, Origin, SourceClient, Spool, SpooledBody},
};

/// Gets the partials of one source's files.
pub(crate) struct PartialFetcher {
    reports: Reports,
    origin: Origin,
    spool: Spool,
    /// The reads in place whose partials are not applied yet.
    active: Mutex<Vec<Arc<ActiveRead>>>,
    observer: Arc<dyn ProgressObserver>,
}

/// Work on a report, from its begin to its end.
pub(super) struct Reporting<'a>(&'a dyn ProgressObserver);

impl Drop for Reporting<'_> {
    fn drop(&mut self) {
        self.0.finished("ended");
    }
}

impl PartialFetcher {
    /// Gets the partials of the files at `origin` for all `reports`. Bodies and large partials go to `spool`.
    pub(crate) fn new(reports: Reports, origin: Origin, spool: Spool, observer: Arc<dyn ProgressObserver>) -> Self {
        Self { reports, origin, spool, active: Mutex::default(), observer }
    }

    /// Notes that the partials of so many files are fetched now, until what is returned is dropped.
    pub(super) fn begin(&self, files: usize) -> Reporting<'_> {
        self.observer.files_expected(files as u64);
        self.observer.phase("reporting");
        Reporting(&*self.observer)
    }

    /// The reports that partials are fetched for.
    pub(super) fn reports(&self) -> &Reports {
        &self.reports
    }

    /// The documents, if they are the origin.
    pub(super) fn documents(&self) -> Option<&Documents> {
        self.origin.documents()
    }

    /// Lets go of the bodies that were kept, once all reports were computed.
    pub(super) fn forget_kept(&self) {
        if let Some(bucket) = self.origin.bucket() {
            bucket.forget_kept();
        }
    }

    /// Ends the reads in place: what they read is applied or given up.
    pub(super) fn end_reads(&self) {
        self.active.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Files with what a cluster has made of them; none of a file that no cluster is asked about.
    pub(super) fn routed<'a>(
        &'a self,
        report: &'a Arc<Report>,
        files: impl Iterator<Item = Arc<FileToRead>> + Send + 'a,
        content: &SourceContent,
    ) -> BoxStream<'a, (Arc<FileToRead>, Option<Routed>)> {
        let Some(cluster) = &report.config.cluster else {
            return stream::iter(files.map(|file| (file, None))).boxed();
        };
        let elsewhere = match &self.origin {
            Origin::Documents(_) => "documents of this master are computed by it",
            Origin::Bucket(_) => "objects of a bucket are computed by this master",
            Origin::Remote(_) if content.body().is_some() => "a plain source keeps no files",
            Origin::Remote(client) => {
                let run = ClusterRun::new((cluster, Arc::new(report.config.clone())), client, files);
                let next = move |mut run: ClusterRun<'a, _>| async move {
                    let (file, routed) = run.next(|| self.lines(), |bytes| self.observer.bytes_read(bytes)).await?;
                    if !matches!(routed, Routed::PushDown(_)) {
                        self.observer.file_read();
                    }
                    Some(((file, Some(routed)), run))
                };
                return stream::unfold(run, next).boxed();
            }
        };
        stream::iter(files.map(move |file| (file, Some(Routed::PushDown(elsewhere.to_owned()))))).boxed()
    }

    /// Gets the partial of one file.
    ///
    /// # Errors
    /// As when a file is fetched.
    pub(super) async fn fetch(
        &self,
        report: &Arc<Report>,
        file: &FileToRead,
        content: &SourceContent,
    ) -> Result<Answer, FetchError> {
        let fetched = self.fetch_one(report, file, content).await;
        self.observer.file_read();
        fetched
    }

    async fn fetch_one(
        &self,
        report: &Arc<Report>,
        file: &FileToRead,
        content: &SourceContent,
    ) -> Result<Answer, FetchError> {
        let entry = &file.entry;
        let body = content.body().clone();
        match (&self.origin, body) {
            (Origin::Documents(documents), _) => {
                let found = documents.file(entry)?;
                let read = documents.active_reads().begin(&entry.path, &entry.hash, None);
                self.active.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&read));
                let opened = found.clone();
                match self.compute(report, file, move || opened.open(), read).await {
                    Err(error) => {
                        let missing = documents.missing(entry, &found)?;
                        missing.map(Answer::Rejected).ok_or(FetchError::Failed(error))
                    }
                    computed => Ok(computed?),
                }
            }
            (Origin::Bucket(bucket), _) => {
                let body = match bucket.take_kept(entry) {
                    Some(kept) => kept,
                    None => self.fetch_and_keep(bucket, report, entry).await?,
                };
                Ok(self.compute(report, file, move || body.open(), Arc::default()).await?)
            }
            (Origin::Remote(_), Some(body)) => {
                Ok(self.compute(report, file, move || body.open(), Arc::default()).await?)
            }
            (Origin::Remote(client), None) => {
                let read_on = |bytes| self.observer.bytes_read(bytes);
                match client.aggregate((entry, &file.format), &report.config, || self.lines(), read_on).await? {
                    Answered::With(answer) => Ok(answer),
                    Answered::CannotCompute => self.fetch_and_compute(client, report, file).await,
                }
            }
        }
    }

    /// Fetches an object, and keeps it for the reports that are computed later.
    async fn fetch_and_keep(
        &self,
        bucket: &BucketClient,
        report: &Report,
        entry: &ManifestEntry,
    ) -> Result<Arc<SpooledBody>, FetchError> {
        let later = self.reports.all().iter().skip_while(|other| other.config.name != report.config.name).skip(1);
        let others = later.filter(|other| other.config.claims(&entry.path)).count();
        let new = self.spool.new_body_for(entry.size, others)?;
        let body = bucket.fetch(entry, new, |bytes| self.observer.bytes_read(bytes)).await?;
        Ok(bucket.keep(entry, body, others))
    }

    async fn fetch_and_compute(
        &self,
        client: &SourceClient,
        report: &Arc<Report>,
        file: &FileToRead,
    ) -> Result<Answer, FetchError> {
        let body = client
            .fetch(&file.entry, self.spool.new_body(Some(file.entry.size))?, |bytes| self.observer.bytes_read(bytes))
            .await?;
        Ok(self.compute(report, file, move || body.open(), Arc::default()).await?)
    }

    /// Computes a partial here. It stops early if the future is dropped.
    async fn compute<R: Read>(
        &self,
        report: &Arc<Report>,
        file: &FileToRead,
        open: impl Fn() -> io::Result<R> + Send + 'static,
        read: Arc<ActiveRead>,
    ) -> Result<Answer> {
        let format = match file_format(&file.format) {
            Ok(format) => format,
            Err(why) => return Ok(Answer::Rejected(why.into())),
        };
        let _permit = self.reports.computing().acquire().await.context("the engine no longer computes reports")?;
        let dropped = CancellationToken::new();
        let _cancel_if_dropped = dropped.clone().drop_guard();
        let (path, size) = (file.entry.path.clone(), file.entry.size);
        let (report, lines) = (Arc::clone(report), self.lines());
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let compute = move || {
            let watch = |Progress { bytes, rows }| {
                read.set(bytes, rows);
                !dropped.is_cancelled()
            };
            match report.config.plan.aggregate_file((&path, size), open, &format, threads, watch) {
                Ok(partial) => answer(&partial, lines),
                Err(Error::Gate(GateError::Rejected(reject))) => Ok(Answer::Rejected(reject)),
                Err(error) => Err(error.into()),
            }
        };
        let computed = tokio::task::spawn_blocking(compute).await;
        computed.context("computing a partial panicked; this is a bug, and the log says where")?
    }

    fn lines(&self) -> GroupLines {
        GroupLines::new(&self.spool)
    }
}

fn answer(partial: &Partial, mut lines: GroupLines) -> Result<Answer> {
    partial.each_group(|group| lines.push(&group)).context("failed to keep the groups of a partial")?;
    Ok(Answer::Partial(partial.head(), lines))
}
