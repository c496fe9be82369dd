//! The first half of a pass: lists what a source holds, and reads what is not applied yet from the spool or in place. It writes
//! nothing to the database.

use std::{
    io::{self, Read},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures_util::{Stream, StreamExt, stream};
use tributary_budget::Share;
use tributary_config::SourceConfig;
use tributary_merge::SpillFiles;
use tributary_protocol::{CompactManifest, FileList, ManifestEntry, Sense, Unreadable};

use super::{
    Context,
    part::{Step, Unfinished},
    planned::{Basis, Planned},
    remember::missing,
};
use crate::{
    documents::{ActiveRead, CountingReader, Documents},
    ingest::{ArrivingFile, Feed, FeedRules, FileReader, FileVersion, Outcome},
    input::{FileToRead, FilesToRead, KnownFiles, Plan},
    progress::ProgressObserver,
    reports::{PlainBody, SourceContent},
    source::{CorePermit, FetchError, NewBody, Origin},
};

/// Rounds for files that change during a pass, which then goes on without them.
const MAX_ROUNDS: usize = 3;
/// Files of one source that are fetched, and so are in the spool, at a time.
const MAX_FETCHES: usize = 4;
/// Size from which a body is read while it arrives. Smaller ones arrive in a few pieces.
const MIN_FOLLOWED_BYTES: u64 = 4 << 20;
/// Files that fail one after the other, after which a source is asked for no more: it has listed files that it does not have.
const MAX_FAILURES: usize = 1_000;
/// Time for a source to settle between two rounds.
const SETTLE_WAIT: Duration = Duration::from_secs(1);
/// The path of the one file of a plain source.
const PLAIN_PATH: &str = "read.csv";

/// Everything that a source holds, and the files that were read.
pub(super) struct Listed {
    pub(super) plan: Plan,
    pub(super) read: Vec<FileVersion>,
    pub(super) unread: Vec<(Arc<FileToRead>, FetchError)>,
    /// Number of files that were not tried after these.
    pub(super) skipped: usize,
    /// All that the source holds, or the part that was listed.
    pub(super) content: SourceContent,
    /// Keeps the progress visible until what was read is committed.
    pub(super) active_reads: Vec<Arc<ActiveRead>>,
    /// Whether nothing was read because the plan is that of the version that is held.
    pub(super) is_held: bool,
    /// The digest of the plan.
    pub(super) digest: String,
    /// A hint that the order of files may not be the one that is meant.
    pub(super) order_hint: Option<String>,
}

impl Listed {
    /// The paths of the documents that were listed; none if documents are not the source.
    pub(super) fn documents(&self, origin: &Origin) -> Vec<String> {
        match origin.documents() {
            Some(_) => self.content.manifest.files.paths().map(str::to_owned).collect(),
            None => Vec::new(),
        }
    }

    /// The files that the source cannot read.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = String> {
        let unreadable = self.content.manifest.unreadable.iter();
        unreadable.map(|Unreadable { path, error }| format!("{path} cannot be read: {error}"))
    }
}

/// The same with the bytes of a plain source.
fn with_body(mut listed: Listed, body: Arc<PlainBody>) -> Listed {
    listed.content.body = body;
    listed
}

/// Lists and reads the files of one source for one pass.
pub(super) struct Lister<'a> {
    pub(super) source: &'a SourceConfig,
    /// The files as the database has them, by path.
    pub(super) stored: &'a Arc<KnownFiles>,
    /// The number of their rejects.
    pub(super) rejects: u64,
    /// Rules by which its feeds are read.
    pub(super) feeds: &'a FeedRules,
    pub(super) origin: &'a Origin,
    pub(super) context: &'a Context,
    /// The version that is applied; only what has changed since need be listed.
    pub(super) since: Option<&'a str>,
    /// Whether the order of files is looked at.
    pub(super) wants_order_hint: bool,
    /// The plan of the version that is held; it need not be read again.
    pub(super) held_plan: Option<&'a str>,
    pub(super) progress: &'a Arc<dyn ProgressObserver>,
    /// Takes the sorted rows of this pass that exceed the memory budget.
    pub(super) spill: SpillFiles,
    pub(super) active_reads: Mutex<Vec<Arc<ActiveRead>>>,
}

impl Lister<'_> {
    /// Reads what the source has and the database does not, or a part of it. `sense` is the source's answer just now, and `unfinished`
    /// is left by the part before.
    ///
    /// # Errors
    /// The source or the spool fails.
    pub(super) async fn list(self, sense: &Sense, unfinished: Option<Unfinished>) -> Result<Step> {
        match sense.version {
            Some(_) => self.list_manifest(unfinished).await,
            None => Ok(Step::Rest(Box::new(self.list_plain().await?))),
        }
    }

    /// Reads what the manifest lists. If a file changes meanwhile, asks for the manifest again; what was read before is found
    /// again by its hash.
    async fn list_manifest(self, mut unfinished: Option<Unfinished>) -> Result<Step> {
        let mut read: Vec<FileVersion> = Vec::new();
        let mut round = 1;
        loop {
            let mut left = match unfinished.take() {
                Some(unfinished) => unfinished,
                None => self.plan_all(round == 1).await?,
            };
            if self.is_held(&left.planned) {
                return Ok(Step::Rest(Box::new(self.held(left.planned, left.share))));
            }
            if let Some(files) = left.next_part(self.context.files_per_part) {
                return Ok(self.read_part(files, left).await);
            }
            let Unfinished { planned, share, .. } = left;
            let listed = &planned.manifest.files;
            let missing = missing(&planned.plan.read, listed, &self.feed(), &mut read);
            let (unread, skipped) = self.read_missing((&missing, listed), &mut read).await;
            let has_changed = unread.iter().any(|(_, error)| matches!(error, FetchError::Changed(_)));
            // It has nothing of what it lists, and its list may be long: the next pass asks for it again.
            let has_nothing = skipped > 0 && read.is_empty();
            if !has_changed || has_nothing || round == MAX_ROUNDS {
                let listed = Listed { unread, skipped, ..self.listed(planned, read, share) };
                return Ok(Step::Rest(Box::new(listed)));
            }
            // A file that was touched is listed again only once it has settled.
            self.origin.settle(&planned.manifest.version, SETTLE_WAIT).await?;
            round += 1;
        }
    }

    /// Reads the one file of a plain source, whose hash is known only once it is here.
    async fn list_plain(self) -> Result<Listed> {
        let Origin::Remote(client) = self.origin else { anyhow::bail!("only a source over HTTP has no version") };
        self.progress.files_expected(1);
        let mut round = 1;
        let received = loop {
            let new = self.context.spool.new_body(None)?;
            match client.fetch_all(new, |bytes| self.progress.bytes_read(bytes)).await {
                Err(FetchError::Changed(_)) if round < MAX_ROUNDS => round += 1,
                received => break received?,
            }
        };
        let entry = ManifestEntry {
            path: PLAIN_PATH.to_owned(),
            size: received.size,
            hash: received.hash,
            ..ManifestEntry::default()
        };
        let body = Arc::new(received.body);
        let is_claimed = self.context.reports.configured().iter().any(|report| report.claims(PLAIN_PATH));
        let kept = Arc::new(Mutex::new(is_claimed.then(|| Arc::clone(&body))));
        let manifest = CompactManifest {
            version: entry.hash.clone(),
            files: [entry].into_iter().collect(),
            ..CompactManifest::default()
        };
        let planned = self.plan(manifest).await?;
        if self.is_held(&planned) {
            self.progress.file_read();
            return Ok(with_body(self.held(planned, None), kept));
        }
        let mut read = Vec::new();
        let file = planned.plan.read.iter(&planned.manifest.files, &self.feed()).next();
        if let Some(file) = file {
            let reader = self.reader(&file, ActiveRead::unlisted(Arc::clone(self.progress)));
            let mut outcome = self.gate(reader, move || body.open(), false).await?;
            self.keep(&mut outcome).await;
            read.push(FileVersion { listed: file, outcome });
        }
        self.progress.file_read();
        Ok(with_body(self.listed(planned, read, None), kept))
    }

    /// Asks for what has changed since a version, or else for everything. What people are told about a source is seen in the whole
    /// only: what cannot be read, and what never rests.
    async fn manifest(&self, since: Option<&str>) -> Result<(CompactManifest, Option<Share>)> {
        let (manifest, share) = self.origin.manifest(since).await?;
        let is_remarkable = !manifest.unreadable.is_empty() || manifest.files.partial_paths().next().is_some();
        if manifest.since.is_some() && is_remarkable {
            drop((manifest, share));
            return self.origin.manifest(None).await;
        }
        Ok((manifest, share))
    }

    /// Asks for a list and plans it. `takes_delta` allows to list only what has changed.
    async fn plan_all(&self, takes_delta: bool) -> Result<Unfinished> {
        let (manifest, share) = self.manifest(self.since.filter(|_| takes_delta)).await?;
        let mut planned = self.plan(manifest).await?;
        self.put_off(&mut planned);
        Ok(Unfinished { planned, share, has_parts: false })
    }

    /// Plans a pass over what is listed.
    async fn plan(&self, manifest: CompactManifest) -> Result<Planned> {
        let basis = Basis {
            source: self.source.clone(),
            stored: Arc::clone(self.stored),
            rules: self.feeds.clone(),
            reports: self.context.reports.clone(),
            wants_order_hint: self.wants_order_hint,
            // They come in parts already.
            files_per_part: self.origin.documents().map_or(self.context.files_per_part, |_| usize::MAX),
        };
        basis.plan(manifest).await
    }

    fn feed(&self) -> Feed<'_> {
        Feed::new(self.context.reports.configured(), self.feeds)
    }

    /// Leaves documents beyond the bound of a pass to the next one.
    fn put_off(&self, Planned { plan, manifest, digest, .. }: &mut Planned) {
        let Some(documents) = self.origin.documents() else { return };
        if plan.read.len() > documents.max_files_per_pass() {
            let paths = plan.read.put_off(documents.max_files_per_pass(), &manifest.files);
            manifest.version = documents.put_off(&manifest.version, paths);
            *digest = plan.digest(&manifest.files);
        }
    }

    fn listed(self, planned: Planned, read: Vec<FileVersion>, share: Option<Share>) -> Listed {
        let active_reads = self.active_reads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Planned { manifest, formats, plan, digest, order_hint, .. } = planned;
        let content = SourceContent { manifest, formats, body: Arc::default(), share };
        let (unread, skipped, is_held) = (Vec::new(), 0, false);
        Listed { plan, read, unread, skipped, content, active_reads, is_held, digest, order_hint }
    }

    fn is_held(&self, planned: &Planned) -> bool {
        self.held_plan.is_some_and(|held| held == planned.digest)
    }

    fn held(self, planned: Planned, share: Option<Share>) -> Listed {
        let planned = Planned { plan: Plan::default(), ..planned };
        Listed { is_held: true, ..self.listed(planned, Vec::new(), share) }
    }

    /// Adds files to those that were read. Returns those that cannot be read, and how many were not tried after them.
    pub(super) async fn read_missing(
        &self,
        (missing, listed): (&FilesToRead, &FileList),
        read: &mut Vec<FileVersion>,
    ) -> (Vec<(Arc<FileToRead>, FetchError)>, usize) {
        let mut unread = Vec::new();
        let (count, mut tried, mut failures) = (missing.len(), 0, 0);
        let mut rejects = self.kept_rejects((missing, listed), read);
        let feed = self.feed();
        let is_over = AtomicBool::new(false);
        self.progress.files_expected(count as u64);
        let mut outcomes = pin!(self.read_files(missing.iter(listed, &feed), &is_over));
        while let Some((file, outcome)) = outcomes.next().await {
            tried += 1;
            failures = if outcome.is_ok() { 0 } else { failures + 1 };
            // One that stalls would stall again. One that has given so many bad answers in a row will not do better.
            if failures == MAX_FAILURES || matches!(outcome, Err(FetchError::Stalled(_))) {
                is_over.store(true, Ordering::Relaxed);
            }
            match outcome {
                Ok(mut outcome) => {
                    rejects = outcome.keep_rejects(rejects);
                    read.push(FileVersion { listed: file, outcome });
                }
                // Its path stands for another document by now, which the next pass lists.
                Err(FetchError::Changed(_)) if self.origin.documents().is_some() => {}
                Err(error) => unread.push((file, error)),
            }
        }
        (unread, count - tried)
    }

    /// Reads files as they are asked for, in no particular order, until it `is_over`.
    fn read_files(
        &self,
        files: impl Iterator<Item = Arc<FileToRead>>,
        is_over: &AtomicBool,
    ) -> impl Stream<Item = (Arc<FileToRead>, Result<Outcome, FetchError>)> {
        let read = move |file: Arc<FileToRead>| async move {
            let outcome = self.read_file(&file).await;
            self.progress.file_read();
            (file, outcome)
        };
        let files = files.take_while(|_| !is_over.load(Ordering::Relaxed));
        stream::iter(files).map(read).buffer_unordered(MAX_FETCHES)
    }

    async fn read_file(&self, file: &Arc<FileToRead>) -> Result<Outcome, FetchError> {
        let mut outcome = match self.origin.documents() {
            Some(documents) => self.read_in_place(documents, file).await,
            None => self.read_remote(file).await,
        }?;
        self.keep(&mut outcome).await;
        Ok(outcome)
    }

    async fn read_remote(&self, file: &Arc<FileToRead>) -> Result<Outcome, FetchError> {
        let others = self.origin.bucket().map_or(0, |_| self.context.reports.count_claims(&file.entry.path));
        let new = self.context.spool.new_body_for(file.entry.size, others)?;
        let reader = self.reader(file, ActiveRead::unlisted(Arc::clone(self.progress)));
        let arriving = self.read_arriving(&reader, &new);
        let fetched = self.origin.fetch(&file.entry, new, |bytes| self.progress.bytes_read(bytes));
        // What was read early counts only if the body turns out to be the announced one.
        let (arriving, body) = tokio::join!(arriving, fetched);
        let body = self.origin.keep(&file.entry, body?, others);
        match (body, arriving) {
            (_, ArrivingFile::Read(outcome)) => Ok(*outcome),
            (body, ArrivingFile::NeedsTwoPasses) => Ok(self.gate(reader, move || body.open(), true).await?),
            (body, ArrivingFile::NotRead) => Ok(self.gate(reader, move || body.open(), false).await?),
        }
    }

    async fn read_in_place(&self, documents: &Documents, to_read: &Arc<FileToRead>) -> Result<Outcome, FetchError> {
        let entry = &to_read.entry;
        let file = documents.file(entry)?;
        let read = documents.active_reads().begin(&entry.path, &entry.hash, Some(Arc::clone(self.progress)));
        self.active_reads.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&read));
        let reader = self.reader(to_read, Arc::clone(&read));
        let open = {
            let file = file.clone();
            move || Ok(CountingReader { inner: file.open()?, read: Arc::clone(&read) })
        };
        let outcome = self.gate(reader, open, false).await;
        self.progress.bytes_read(entry.size);
        match outcome {
            Err(error) => documents.missing(entry, &file)?.map(Outcome::from).ok_or(FetchError::Failed(error)),
            outcome => Ok(outcome?),
        }
    }

    fn reader(&self, file: &Arc<FileToRead>, progress: Arc<ActiveRead>) -> Arc<FileReader> {
        Arc::new(FileReader {
            file: Arc::clone(file),
            rules: self.feeds.clone(),
            memory: self.context.memory.clone(),
            spill: self.spill.clone(),
            before: self.memory(file),
            progress,
        })
    }

    /// Reads a large body while it arrives, if another follower is allowed.
    fn read_arriving(&self, reader: &Arc<FileReader>, body: &NewBody) -> impl Future<Output = ArrivingFile> + use<> {
        let permit = Arc::clone(&self.context.followers).try_acquire_owned().ok();
        let permit = permit.filter(|_| reader.file.entry.size >= MIN_FOLLOWED_BYTES);
        let core = CorePermit::new(Arc::clone(&self.context.gates));
        let follower = permit.and_then(|permit| Some((permit, body.follow(core)?.ok()?)));
        let reader = Arc::clone(reader);
        async move {
            let Some((permit, follower)) = follower else { return ArrivingFile::NotRead };
            let span = tracing::debug_span!("gate", file.path = %reader.file.entry.path);
            let read = move || {
                let _permit = permit;
                span.in_scope(|| reader.read_arriving(follower))
            };
            // If it panics, the second reading reports that.
            tokio::task::spawn_blocking(read).await.unwrap_or(ArrivingFile::NotRead)
        }
    }

    async fn gate<R: Read>(
        &self,
        reader: Arc<FileReader>,
        open: impl Fn() -> io::Result<R> + Send + 'static,
        needs_two_passes: bool,
    ) -> Result<Outcome> {
        let _core = self.context.gates.acquire().await.context("the gates are closed")?;
        let span = tracing::debug_span!("gate", file.path = %reader.file.entry.path);
        let read = move || span.in_scope(|| reader.read(open, needs_two_passes));
        tokio::task::spawn_blocking(read).await.context("the gate panicked")?
    }
}
