//! The first half of a pass: what a source holds is listed, and what of it is not applied yet is read, from the spool or in
//! place. Nothing is written to the database here.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use futures_util::{StreamExt, stream};
use tributary_protocol::{Manifest, ManifestEntry};

use super::Poll;
use crate::{
    ingest::{self, Arriving, FileVersion, Outcome, Reader},
    reports::SourceContent,
    source::{ActiveRead, Core, Counted, FetchError, LocalSource, Origin, SourceClient, Spooled},
};

/// How often a file that changes under the pass is asked for before the pass goes on without it.
const ROUNDS: usize = 3;
/// Files of one source that are fetched at one time, and so lie in the spool.
const FETCHES: usize = 4;
/// Bytes of a body from which it is read while it arrives; smaller ones come in a few pieces.
const WORTH_FOLLOWING: u64 = 4 << 20;
/// How long a source is given to settle whose files change under a pass.
const SETTLING: Duration = Duration::from_secs(1);
/// The one file of a source of the plain protocol.
const PLAIN_PATH: &str = "read.csv";

/// What the source holds and what of it was read.
pub(super) struct Listed {
    pub(super) plan: ingest::Plan,
    pub(super) read: Vec<FileVersion>,
    pub(super) unread: Vec<(ManifestEntry, FetchError)>,
    /// All that the source holds, for the reports.
    pub(super) holding: SourceContent,
}

impl Poll {
    /// Reads what the manifest lists and the database does not have. Where a file changes meanwhile the manifest is asked
    /// for again; what was read already is kept by its hash.
    pub(super) async fn list(&self) -> Result<Listed> {
        let mut kept: HashMap<(String, String), Outcome> = HashMap::new();
        let mut round = 1;
        loop {
            self.progress.phase("listing");
            let manifest = self.origin.manifest().await?;
            let plan = self.plan(&manifest);
            let missing = plan.read.iter().filter(|entry| !kept.contains_key(&key(entry))).cloned();
            let mut unread = Vec::new();
            for (entry, outcome) in self.read_files(missing.collect()).await {
                match outcome {
                    Ok(outcome) => drop(kept.insert(key(&entry), outcome)),
                    Err(error) => unread.push((entry, error)),
                }
            }
            let again = unread.iter().any(|(_, error)| matches!(error, FetchError::RanAway(_)));
            if !again || round == ROUNDS {
                let version = |entry: &ManifestEntry| {
                    Some(FileVersion { entry: entry.clone(), outcome: kept.remove(&key(entry))? })
                };
                let read = plan.read.iter().filter_map(version).collect();
                let holding = SourceContent { manifest, body: Mutex::default() };
                return Ok(Listed { plan, read, unread, holding });
            }
            // A file that was touched is offered again only when it has settled.
            self.origin.sense_change(&manifest.version, SETTLING).await?;
            round += 1;
        }
    }

    fn plan(&self, manifest: &Manifest) -> ingest::Plan {
        let is_feed = |path: &str| self.context.reports.is_feed(path);
        ingest::plan(manifest, is_feed, &self.stored.files, &self.reading)
    }

    async fn read_files(&self, entries: Vec<ManifestEntry>) -> Vec<(ManifestEntry, Result<Outcome, FetchError>)> {
        self.progress.files_expected(entries.len() as u64);
        let stalled = AtomicBool::new(false);
        let stalled = &stalled;
        let read = |entry: ManifestEntry| async move {
            if stalled.load(Ordering::Relaxed) {
                let why = "not asked for after another file of this source stood still".to_owned();
                return (entry, Err(FetchError::Stalled(why)));
            }
            let outcome = self.read_file(&entry).await;
            stalled.fetch_or(matches!(outcome, Err(FetchError::Stalled(_))), Ordering::Relaxed);
            self.progress.file_read();
            (entry, outcome)
        };
        stream::iter(entries).map(read).buffer_unordered(FETCHES).collect().await
    }

    async fn read_file(&self, entry: &ManifestEntry) -> Result<Outcome, FetchError> {
        match &self.origin {
            Origin::Remote(client) => self.read_remote(client, entry).await,
            Origin::Local(local) => self.read_in_place(local, entry).await,
        }
    }

    async fn read_remote(&self, client: &SourceClient, entry: &ManifestEntry) -> Result<Outcome, FetchError> {
        let place = self.context.spool.place()?;
        let reader = self.reader(entry.clone(), ActiveRead::unlisted(Arc::clone(&self.progress)));
        let arriving = self.read_arriving(&reader, &place.0);
        let fetched = client.fetch(entry, place, |bytes| self.progress.bytes_read(bytes));
        // What was read of a body counts only if the body is what was announced.
        let (arriving, body) = tokio::join!(arriving, fetched);
        match (body?, arriving) {
            (_, Arriving::Read(outcome)) => Ok(outcome),
            (body, Arriving::Unclear) => Ok(self.gate(reader, move || body.open(), true).await?),
            (body, Arriving::TooEarly) => Ok(self.gate(reader, move || body.open(), false).await?),
        }
    }

    async fn read_in_place(&self, local: &LocalSource, entry: &ManifestEntry) -> Result<Outcome, FetchError> {
        let file = local.file(entry).await?;
        let read = local.active_reads().begin(&entry.path, &entry.hash, Some(Arc::clone(&self.progress)));
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&read));
        let reader = self.reader(entry.clone(), Arc::clone(&read));
        let opened = file.clone();
        let open = move || Ok(Counted { inner: opened.open()?, read: Arc::clone(&read) });
        let outcome = self.gate(reader, open, false).await;
        self.progress.bytes_read(entry.size);
        let verified = tokio::task::spawn_blocking(move || file.verify()).await;
        // What was read of a file counts only if it stayed the same; that it did not explains any failure.
        verified.map_err(|error| anyhow!(error))??;
        Ok(outcome?)
    }

    fn reader(&self, entry: ManifestEntry, progress: Arc<ActiveRead>) -> Arc<Reader> {
        Arc::new(Reader {
            entry,
            columns: self.source.columns.clone(),
            memory: self.context.memory.clone(),
            spill: self.spill.clone(),
            progress,
        })
    }

    /// Reads a large body while it arrives, if there is a place among the followers.
    fn read_arriving(&self, reader: &Arc<Reader>, body: &Spooled) -> impl Future<Output = Arriving> + use<> {
        let place = Arc::clone(&self.context.followers).try_acquire_owned().ok();
        let place = place.filter(|_| reader.entry.size >= WORTH_FOLLOWING);
        let core = Core::new(Arc::clone(&self.context.gates));
        let follower = place.and_then(|place| Some((place, body.follow(core).ok()?)));
        let reader = Arc::clone(reader);
        async move {
            let Some((place, follower)) = follower else { return Arriving::TooEarly };
            let span = tracing::debug_span!("gate", file.path = %reader.entry.path);
            let read = move || {
                let _place = place;
                span.in_scope(|| reader.read_arriving(follower))
            };
            // Should it break off, the second reading tells.
            tokio::task::spawn_blocking(read).await.unwrap_or(Arriving::TooEarly)
        }
    }

    /// A source of the plain protocol has one file, whose hash is known only when it is here.
    pub(super) async fn list_plain(&self) -> Result<Listed> {
        let Origin::Remote(client) = &self.origin else { anyhow::bail!("a folder of this machine has a version") };
        self.progress.files_expected(1);
        let mut round = 1;
        let received = loop {
            let place = self.context.spool.place()?;
            match client.fetch_all(place, |bytes| self.progress.bytes_read(bytes)).await {
                Err(FetchError::RanAway(_)) if round < ROUNDS => round += 1,
                received => break received?,
            }
        };
        let entry = ManifestEntry {
            path: PLAIN_PATH.to_owned(),
            size: received.size,
            modified: String::new(),
            hash: received.hash,
        };
        let body = Arc::new(received.body);
        let is_claimed = self.context.reports.claiming(PLAIN_PATH).next().is_some();
        let kept = Mutex::new(is_claimed.then(|| Arc::clone(&body)));
        let manifest = Manifest { version: entry.hash.clone(), files: vec![entry.clone()], unreadable: Vec::new() };
        let plan = self.plan(&manifest);
        let holding = SourceContent { manifest, body: kept };
        let mut read = Vec::new();
        if !plan.read.is_empty() {
            let reader = self.reader(entry.clone(), ActiveRead::unlisted(Arc::clone(&self.progress)));
            let outcome = self.gate(reader, move || body.open(), false).await?;
            read.push(FileVersion { entry, outcome });
        }
        self.progress.file_read();
        Ok(Listed { plan, read, unread: Vec::new(), holding })
    }

    async fn gate<R: Read>(
        &self,
        reader: Arc<Reader>,
        open: impl Fn() -> io::Result<R> + Send + 'static,
        carefully: bool,
    ) -> Result<Outcome> {
        let _core = self.context.gates.acquire().await.context("the gates are closed")?;
        let span = tracing::debug_span!("gate", file.path = %reader.entry.path);
        let read = move || span.in_scope(|| reader.read(open, carefully));
        tokio::task::spawn_blocking(read).await.context("the gate stopped")?
    }
}

fn key(entry: &ManifestEntry) -> (String, String) {
    (entry.path.clone(), entry.hash.clone())
}
