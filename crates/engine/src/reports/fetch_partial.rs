//! The partial of one file: requested from the source if that can compute it, else computed here, from the spool or in place.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::Error as GateError;
use tributary_format_rules::file_format;
use tributary_protocol::{ManifestEntry, PlainLine};
use tributary_report::{Error, Partial, Progress, plain_line};
use tributary_store::PlainFileRow;

use super::{
    Report, Reports, SourceContent,
    cluster::{ClusterRun, NotByCluster, Place, Routed},
    plain::{self, NewFindings},
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
    /// The id of the source.
    source: i64,
    origin: Origin,
    spool: Spool,
    /// The reads in place whose partials are not applied yet.
    active: Mutex<Vec<Arc<ActiveRead>>>,
    /// Findings about objects that are not stored yet. Held to add to it, or to take it.
    findings: Mutex<NewFindings>,
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
    /// Gets the partials of the files of a source, which are at `origin`, for all `reports`. Bodies and large partials go to `spool`.
    pub(crate) fn new(
        reports: Reports,
        (source, origin): (i64, Origin),
        spool: Spool,
        observer: Arc<dyn ProgressObserver>,
    ) -> Self {
        Self { reports, source, origin, spool, active: Mutex::default(), findings: Mutex::default(), observer }
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

    /// Whether findings about its files are kept.
    pub(super) fn keeps_findings(&self) -> bool {
        self.origin.bucket().is_some()
    }

    /// Takes what was found since it was called last, to store it.
    pub(super) fn take_findings(&self) -> Vec<PlainFileRow> {
        self.findings().take()
    }

    fn findings(&self) -> MutexGuard<'_, NewFindings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
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
        let place = match &self.origin {
            Origin::Documents(_) => Err("documents of this master are computed by it"),
            Origin::Remote(_) if content.body().is_some() => Err("a plain source keeps no files"),
            Origin::Remote(client) => Ok(Place::Source(client)),
            Origin::Bucket(client) => {
                Ok(Place::Bucket { client, readers: self.reports.readers(), source: self.source })
            }
        };
        let place = match place {
            Ok(place) => place,
            Err(why) => {
                let elsewhere = move |file| (file, Some(Routed::PushDown(why.to_owned())));
                return stream::iter(files.map(elsewhere)).boxed();
            }
        };
        let run = ClusterRun::new((cluster, Arc::new(report.config.clone())), place, files);
        let next = move |mut run: ClusterRun<'a, _>| async move {
            let (file, routed) = run.next(|| self.lines(), |bytes| self.observer.bytes_read(bytes)).await?;
            if matches!(routed, Routed::Answer(_) | Routed::Failed(_)) {
                self.observer.file_read();
            }
            Some(((file, Some(routed)), run))
        };
        stream::unfold(run, next).boxed()
    }

    /// Gets the partial of one file. `why` it is not computed by a cluster is noted on it.
    ///
    /// # Errors
    /// As when a file is fetched.
    pub(super) async fn fetch(
        &self,
        report: &Arc<Report>,
        file: &Arc<FileToRead>,
        content: &SourceContent,
        why: NotByCluster,
    ) -> Result<Answer, FetchError> {
        let fetched = self.fetch_one(report, file, content).await;
        let fetched = fetched.map(|(answer, found)| why.note(answer, found.as_ref()));
        self.observer.file_read();
        fetched
    }

    /// Gets the partial of an object, and finds out whether a cluster could have read it.
    async fn fetch_object(
        &self,
        bucket: &BucketClient,
        report: &Arc<Report>,
        file: &Arc<FileToRead>,
    ) -> Result<(Answer, Option<PlainLine>), FetchError> {
        let body = match bucket.take_kept(&file.entry) {
            Some(kept) => kept,
            None => self.fetch_and_keep(bucket, report, &file.entry).await?,
        };
        let found = self.find_out(file, &body).await?;
        let answer = self.compute(report, file, move || body.open(), Arc::default()).await?;
        Ok((answer, found))
    }

    async fn fetch_one(
        &self,
        report: &Arc<Report>,
        file: &Arc<FileToRead>,
        content: &SourceContent,
    ) -> Result<(Answer, Option<PlainLine>), FetchError> {
        let entry = &file.entry;
        let body = content.body().clone();
        let answer = match (&self.origin, body) {
            (Origin::Documents(documents), _) => {
                let found = documents.file(entry)?;
                let read = documents.active_reads().begin(&entry.path, &entry.hash, None);
                self.active.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&read));
                let opened = found.clone();
                match self.compute(report, file, move || opened.open(), read).await {
                    Err(error) => {
                        let missing = documents.missing(entry, &found)?;
                        missing.map(Answer::Rejected).ok_or(FetchError::Failed(error))?
                    }
                    computed => computed?,
                }
            }
            (Origin::Bucket(bucket), _) => return self.fetch_object(bucket, report, file).await,
            (Origin::Remote(_), Some(body)) => self.compute(report, file, move || body.open(), Arc::default()).await?,
            (Origin::Remote(client), None) => {
                let read_on = |bytes| self.observer.bytes_read(bytes);
                match client.aggregate((entry, &file.format), &report.config, || self.lines(), read_on).await? {
                    Answered::With(answer) => answer,
                    Answered::CannotCompute => self.fetch_and_compute(client, report, file).await?,
                }
            }
        };
        Ok((answer, None))
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

    /// Finds out whether a cluster could read an object, if any report asks one.
    async fn find_out(&self, file: &Arc<FileToRead>, body: &Arc<SpooledBody>) -> Result<Option<PlainLine>> {
        if self.reports.all().iter().all(|report| report.config.cluster.is_none()) {
            return Ok(None);
        }
        if let Some(found) = plain::known(self.reports.readers(), self.source, [&**file]).await?.into_values().next() {
            return Ok(Some(found));
        }
        // A format that cannot be is a reject of the report.
        let Ok(format) = file_format(&file.format) else { return Ok(None) };
        let (body, entry) = (Arc::clone(body), file.entry.clone());
        let check = move |dropped: &CancellationToken, threads| {
            let (open, go_on) = (|| body.open(), |_| !dropped.is_cancelled());
            plain_line((&entry.path, entry.size), open, &format.settings, threads, go_on)
        };
        let found = self.on_all_cores(check).await?;
        let found = found.context("failed to read an object from the spool")?;
        self.findings().put(self.source, file, &found)?;
        Ok(Some(found))
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
        let (path, size) = (file.entry.path.clone(), file.entry.size);
        let (report, lines) = (Arc::clone(report), self.lines());
        let compute = move |dropped: &CancellationToken, threads| {
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
        self.on_all_cores(compute).await?
    }

    /// Runs long work with so many threads, when it is its turn. It is told when the future is dropped.
    async fn on_all_cores<T: Send + 'static>(
        &self,
        work: impl FnOnce(&CancellationToken, usize) -> T + Send + 'static,
    ) -> Result<T> {
        let _permit = self.reports.computing().acquire().await.context("the engine no longer computes reports")?;
        let dropped = CancellationToken::new();
        let _cancel_if_dropped = dropped.clone().drop_guard();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let done = tokio::task::spawn_blocking(move || work(&dropped, threads)).await;
        done.context("reading a file for a report panicked; this is a bug, and the log says where")
    }

    fn lines(&self) -> GroupLines {
        GroupLines::new(&self.spool)
    }
}

fn answer(partial: &Partial, mut lines: GroupLines) -> Result<Answer> {
    partial.each_group(|group| lines.push(&group)).context("failed to keep the groups of a partial")?;
    Ok(Answer::Partial(partial.head(), lines))
}
