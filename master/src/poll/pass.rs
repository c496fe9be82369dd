//! One pass over one source: list, plan, fetch and gate side by side, apply. Whatever happens to this source, others do not
//! notice. When a source is passed over is not decided here.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;
use tributary_merge::{Budget, Spill};
use tributary_store::{FileState, SourcePass, SourceState, Store};
use tributary_wire::{Manifest, ManifestEntry, Sense};

use super::client::{Http, SourceClient};
use crate::{
    clock::now,
    config::SourceConfig,
    ingest::{
        self, Applied, Arriving, Core, FetchError, FileVersion, Outcome, Reader, SourceVersion, Spool, Spooled, Stored,
    },
    progress::SourceProgress,
    writer::Writer,
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

/// How often a pass that found nothing is noted in the database; the time in between is known to this process only.
const NOTED: Duration = Duration::from_secs(60);

/// What the polls of all sources share.
#[derive(Clone)]
pub(crate) struct Context {
    /// They keep connections and certificates.
    pub(crate) http: Http,
    /// Where changes are written.
    pub(crate) writer: Writer,
    /// Where bodies lie meanwhile.
    pub(crate) spool: Spool,
    /// Bounds the files that are read at one time, over all sources: it is work for a core each.
    pub(crate) gates: Arc<Semaphore>,
    /// Bounds the bodies that are read while they arrive, over all sources: each takes a thread.
    pub(crate) followers: Arc<Semaphore>,
    /// Bounds the memory of sorted rows that are not applied yet, over all sources.
    pub(crate) memory: Budget,
}

/// The polls of one source, one after the other.
pub(crate) struct Poll {
    source: SourceConfig,
    /// What the database holds of it. Only this writes that, so it is read once.
    stored: Stored,
    /// How its files are read.
    reading: String,
    client: SourceClient,
    context: Context,
    /// Where it shows.
    progress: SourceProgress,
    /// Where the rows of this pass lie that memory has no room for.
    spill: Spill,
    /// When a pass was last noted in the database by this process.
    noted: Option<Instant>,
}

fn new_spill(spool: &Spool) -> Spill {
    let spool = spool.clone();
    Spill::new(move || spool.unnamed())
}

/// What a pass did.
pub(crate) struct Passed {
    /// The version that the source has, of which all was applied if `unread` is empty.
    pub(crate) version: String,
    /// Whether any file was another than before.
    pub(crate) changed: bool,
    /// Files that were read.
    pub(crate) read: usize,
    /// Files that have gone.
    pub(crate) removed: usize,
    /// What that changed.
    pub(crate) applied: Applied,
    /// Files that could not be read, as `path: why`.
    pub(crate) unread: Vec<String>,
}

/// What the source holds and what of it was read.
struct Listed {
    version: String,
    plan: ingest::Plan,
    read: Vec<FileVersion>,
    unread: Vec<(ManifestEntry, FetchError)>,
}

impl Poll {
    /// Polls of `source`, of which the database holds `stored`.
    pub(crate) fn new(source: SourceConfig, stored: Stored, context: Context, progress: SourceProgress) -> Self {
        let client = SourceClient::new(context.http.clone(), &source);
        let reading = ingest::reading(&source.columns);
        let spill = new_spill(&context.spool);
        Self { source, stored, reading, client, context, progress, spill, noted: None }
    }

    /// The source's name.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// Asks the source.
    pub(crate) fn client(&self) -> &SourceClient {
        &self.client
    }

    /// Every file of the source that is rejected now: path and reason.
    pub(crate) fn rejected_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let rejected = self.stored.files.iter().filter(|file| file.state == FileState::Rejected);
        rejected.filter_map(|file| Some((file.path.as_str(), file.rejected_reason.as_deref()?)))
    }

    /// Brings the database up to what the source holds. `sense` is its answer just now.
    ///
    /// # Errors
    /// The source fails, or the spool or the database does. Nothing was applied then.
    pub(crate) async fn pass(&mut self, sense: &Sense) -> Result<Passed> {
        let passed = self.pass_over(sense).await;
        // What this pass has put there takes room until nobody holds it.
        self.spill = new_spill(&self.context.spool);
        passed
    }

    async fn pass_over(&mut self, sense: &Sense) -> Result<Passed> {
        let (started, sensed) = (Instant::now(), now());
        let listed = match sense.version {
            Some(_) => self.list().await?,
            None => self.list_plain().await?,
        };
        let passed = self.apply(listed, started, sensed).await?;
        self.progress.finish(&format!("{} files read", passed.read));
        Ok(passed)
    }

    /// Notes that the source is down. A warning if it was not before, or is for another reason.
    pub(crate) async fn note_down(&mut self, error: &anyhow::Error) {
        self.progress.finish("failed");
        let (name, why) = (self.source.name.clone(), format!("{error:#}"));
        if self.stored.state == SourceState::Down && self.stored.error.as_deref() == Some(&why) && self.noted.is_some()
        {
            tracing::debug!(source.id = %name, "source `{name}` is still down: {why}");
            return;
        }
        tracing::warn!(source.id = %name, "source `{name}` is down: {why}");
        let pass = SourcePass {
            state: SourceState::Down,
            error: Some(why.clone()),
            version: None,
            last_sensed: None,
            last_applied: None,
        };
        let (id, before) = (self.stored.id, self.stored.state);
        let note =
            move |store: &mut Store| store.transaction(|store| ingest::note_pass(store, id, &name, before, &pass));
        match self.context.writer.run(format!("the state of {}", self.source.name), note).await {
            Ok(()) => {
                (self.stored.state, self.stored.error) = (SourceState::Down, Some(why));
                self.noted = Some(Instant::now());
            }
            Err(error) => {
                let name = &self.source.name;
                tracing::error!(source.id = %name, "failed to record that source `{name}` is down: {error:#}");
            }
        }
    }

    /// Reads what the manifest lists and the database does not have. Where a file changes meanwhile the manifest is asked
    /// for again; what was read already is kept by its hash.
    async fn list(&self) -> Result<Listed> {
        let mut kept: HashMap<(String, String), Outcome> = HashMap::new();
        let mut round = 1;
        loop {
            self.progress.show("listing");
            let manifest = self.client.manifest().await?;
            let plan = ingest::plan(&manifest, &self.stored.files, &self.reading);
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
                return Ok(Listed { version: manifest.version, plan, read, unread });
            }
            // A file that was touched is offered again only when it has settled.
            self.client.sense_change(&manifest.version, SETTLING).await?;
            round += 1;
        }
    }

    async fn read_files(&self, entries: Vec<ManifestEntry>) -> Vec<(ManifestEntry, Result<Outcome, FetchError>)> {
        self.progress.expect_files(entries.len() as u64);
        let stalled = AtomicBool::new(false);
        let stalled = &stalled;
        let read = |entry: ManifestEntry| async move {
            if stalled.load(Ordering::Relaxed) {
                let why = "not asked for after another file of this source stood still".to_owned();
                return (entry, Err(FetchError::Stalled(why)));
            }
            let outcome = self.read_file(&entry).await;
            stalled.fetch_or(matches!(outcome, Err(FetchError::Stalled(_))), Ordering::Relaxed);
            self.progress.file_done();
            (entry, outcome)
        };
        stream::iter(entries).map(read).buffer_unordered(FETCHES).collect().await
    }

    async fn read_file(&self, entry: &ManifestEntry) -> Result<Outcome, FetchError> {
        let place = self.context.spool.place()?;
        let reader = self.reader(entry.clone());
        let arriving = self.read_arriving(&reader, &place.0);
        let fetched = self.client.fetch(entry, place, |bytes| self.progress.add_bytes(bytes));
        // What was read of a body counts only if the body is what was announced.
        let (arriving, body) = tokio::join!(arriving, fetched);
        match (body?, arriving) {
            (_, Arriving::Read(outcome)) => Ok(outcome),
            (body, Arriving::Unclear) => Ok(self.gate(reader, body, true).await?),
            (body, Arriving::TooEarly) => Ok(self.gate(reader, body, false).await?),
        }
    }

    fn reader(&self, entry: ManifestEntry) -> Arc<Reader> {
        Arc::new(Reader {
            entry,
            columns: self.source.columns.clone(),
            memory: self.context.memory.clone(),
            spill: self.spill.clone(),
            progress: self.progress.clone(),
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
    async fn list_plain(&self) -> Result<Listed> {
        self.progress.expect_files(1);
        let mut round = 1;
        let received = loop {
            let place = self.context.spool.place()?;
            match self.client.fetch_all(place, |bytes| self.progress.add_bytes(bytes)).await {
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
        let manifest = Manifest { version: entry.hash.clone(), files: vec![entry.clone()] };
        let plan = ingest::plan(&manifest, &self.stored.files, &self.reading);
        let mut read = Vec::new();
        if !plan.read.is_empty() {
            let outcome = self.gate(self.reader(entry.clone()), received.body, false).await?;
            read.push(FileVersion { entry, outcome });
        }
        self.progress.file_done();
        Ok(Listed { version: manifest.version, plan, read, unread: Vec::new() })
    }

    async fn gate(&self, reader: Arc<Reader>, body: Spooled, carefully: bool) -> Result<Outcome> {
        let _core = self.context.gates.acquire().await.context("the gates are closed")?;
        let span = tracing::debug_span!("gate", file.path = %reader.entry.path);
        let read = move || span.in_scope(|| reader.read(&body, carefully));
        tokio::task::spawn_blocking(read).await.context("the gate stopped")?
    }

    async fn apply(&mut self, listed: Listed, started: Instant, sensed: String) -> Result<Passed> {
        let Listed { version, plan, read: mut files, unread } = listed;
        let (read, removed) = (files.len(), plan.removed.len());
        let failed = unread.iter().any(|(_, error)| !matches!(error, FetchError::RanAway(_)));
        let complete = unread.is_empty();
        let why: Vec<String> = unread.iter().map(|(entry, error)| format!("{}: {error:#}", entry.path)).collect();
        let ran_away = unread.into_iter().filter(|(_, error)| matches!(error, FetchError::RanAway(_)));
        files.extend(ran_away.map(|(entry, _)| FileVersion { entry, outcome: Outcome::Changing }));
        files.sort_unstable_by(|a, b| a.entry.path.cmp(&b.entry.path));
        let new = SourceVersion {
            source: self.stored.id,
            name: self.source.name.clone(),
            before: self.stored.state,
            reading: self.reading.clone(),
            version: complete.then(|| version.clone()),
            files,
            settled: plan.settled,
            removed: plan.removed,
            failed,
            error: (!complete).then(|| why.join("; ")),
            sensed,
            started,
        };
        let changed = new.changes_files();
        let applied = match self.nothing_to_note(&new) {
            true => Applied { written: ingest::Written::default(), rejected: 0, state: self.stored.state },
            false => self.write(new).await?,
        };
        Ok(Passed { version, changed, read, removed, applied, unread: why })
    }

    /// Whether a pass changed nothing and was noted not long ago: then the writer is left alone.
    fn nothing_to_note(&self, new: &SourceVersion) -> bool {
        let is_recent = self.noted.is_some_and(|noted| noted.elapsed() < NOTED);
        let was_good = self.stored.state != SourceState::Down && self.stored.error.is_none();
        let is_known = new.version.is_some() && new.version == self.stored.version;
        is_recent && was_good && is_known && !new.changes_files()
    }

    async fn write(&mut self, new: SourceVersion) -> Result<Applied> {
        self.progress.show("applying");
        let (read, removed) = (new.files.len(), new.removed.len());
        let (version, error, changes) = (new.version.clone(), new.error.clone(), new.changes_files());
        let what = format!("a version of {}", self.source.name);
        let (applied, files) = self.context.writer.run(what, move |store| ingest::apply(store, new)).await?;
        self.stored.files = files;
        (self.stored.state, self.stored.version, self.stored.error) = (applied.state, version, error);
        self.noted = Some(Instant::now());
        if changes {
            let ingest::Written { added, updated, removed: gone } = applied.written;
            tracing::info!(
                source.id = %self.source.name, files.read = read, files.removed = removed, products.added = added,
                products.updated = updated, products.removed = gone, rows.rejected = applied.rejected,
                "applied `{}`: {read} files read, {removed} removed; products +{added} ~{updated} -{gone}", self.source.name
            );
        }
        Ok(applied)
    }
}

fn key(entry: &ManifestEntry) -> (String, String) {
    (entry.path.clone(), entry.hash.clone())
}
