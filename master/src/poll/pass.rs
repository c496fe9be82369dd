//! One pass over one source: sense, list, plan, fetch and gate side by side, apply. Whatever happens to this source, others
//! do not notice; every pass ends in a report.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;
use tributary_store::{FileRow, SourcePass, SourceState};
use tributary_wire::{Manifest, ManifestEntry};

use super::client::SourceClient;
use crate::{
    config::SourceConfig,
    ingest::{self, Applied, FetchError, FileVersion, Outcome, SourceVersion, Spool, Spooled},
    progress::SourceProgress,
    writer::Writer,
};

/// How often a file that changes under the pass is asked for before the pass goes on without it.
const ROUNDS: usize = 3;
/// Files of one source that are fetched at one time, and so lie in the spool.
const FETCHES: usize = 4;
/// The one file of a source of the plain protocol.
const PLAIN_PATH: &str = "read.csv";

/// All that a pass over one source needs.
pub(crate) struct Pass {
    /// The source.
    pub(crate) source: SourceConfig,
    /// Its number in the database.
    pub(crate) id: i64,
    /// What the database holds of it.
    pub(crate) stored: Vec<FileRow>,
    /// One for all sources: it keeps connections and certificates.
    pub(crate) http: reqwest::Client,
    /// Where changes are written.
    pub(crate) writer: Writer,
    /// Where bodies lie meanwhile.
    pub(crate) spool: Spool,
    /// Bounds the files that are read at one time, over all sources: it is work for a core each.
    pub(crate) gates: Arc<Semaphore>,
    /// Where it shows.
    pub(crate) progress: SourceProgress,
}

/// How a pass ended.
pub(crate) struct PassReport {
    /// The source's name.
    pub(crate) name: String,
    /// What was done, or why the source could not be passed over.
    pub(crate) outcome: Result<Passed>,
}

/// What a pass did.
pub(crate) struct Passed {
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

impl Pass {
    /// Runs the pass.
    pub(crate) async fn run(self) -> PassReport {
        let sensed = ingest::now();
        let outcome = self.pass(&sensed).await;
        match &outcome {
            Ok(passed) => self.progress.finish(&format!("{} files read", passed.read)),
            Err(error) => {
                self.progress.finish("failed");
                tracing::warn!(source.id = %self.source.name, "source `{}` is down: {error:#}", self.source.name);
                self.report_down(format!("{error:#}")).await;
            }
        }
        PassReport { name: self.source.name, outcome }
    }

    async fn pass(&self, sensed: &str) -> Result<Passed> {
        let client = SourceClient::new(self.http.clone(), &self.source);
        let sense = client.sense().await?;
        let reading = ingest::reading(&self.source.columns);
        let listed = match sense.version {
            Some(_) => self.list(&client, &reading).await?,
            None => self.list_plain(&client, &reading).await?,
        };
        self.apply(listed, reading, sensed).await
    }

    /// Reads what the manifest lists and the database does not have. Where a file changes meanwhile the manifest is asked
    /// for again; what was read already is kept by its hash.
    async fn list(&self, client: &SourceClient, reading: &str) -> Result<Listed> {
        let mut kept: HashMap<(String, String), Outcome> = HashMap::new();
        let mut round = 1;
        loop {
            self.progress.show("listing");
            let manifest = client.manifest().await?;
            let plan = ingest::plan(&manifest, &self.stored, reading);
            let missing = plan.read.iter().filter(|entry| !kept.contains_key(&key(entry))).cloned();
            let mut unread = Vec::new();
            for (entry, outcome) in self.read_files(client, missing.collect()).await {
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
            client.wait_for_change(&manifest.version).await?;
            round += 1;
        }
    }

    async fn read_files(
        &self,
        client: &SourceClient,
        entries: Vec<ManifestEntry>,
    ) -> Vec<(ManifestEntry, Result<Outcome, FetchError>)> {
        self.progress.expect_files(entries.len() as u64);
        let stalled = AtomicBool::new(false);
        let stalled = &stalled;
        let read = |entry: ManifestEntry| async move {
            if stalled.load(Ordering::Relaxed) {
                let why = "not asked for after another file of this source stood still".to_owned();
                return (entry, Err(FetchError::Stalled(why)));
            }
            let outcome = self.read_file(client, &entry).await;
            stalled.fetch_or(matches!(outcome, Err(FetchError::Stalled(_))), Ordering::Relaxed);
            self.progress.file_done();
            (entry, outcome)
        };
        stream::iter(entries).map(read).buffer_unordered(FETCHES).collect().await
    }

    async fn read_file(&self, client: &SourceClient, entry: &ManifestEntry) -> Result<Outcome, FetchError> {
        let place = self.spool.place()?;
        let body = client.fetch(entry, place, |bytes| self.progress.add_bytes(bytes)).await?;
        Ok(self.gate(entry.clone(), body).await?)
    }

    /// A source of the plain protocol has one file, whose hash is known only when it is here.
    async fn list_plain(&self, client: &SourceClient, reading: &str) -> Result<Listed> {
        self.progress.expect_files(1);
        let mut round = 1;
        let received = loop {
            let place = self.spool.place()?;
            match client.fetch_all(place, |bytes| self.progress.add_bytes(bytes)).await {
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
        let plan = ingest::plan(&manifest, &self.stored, reading);
        let mut read = Vec::new();
        if !plan.read.is_empty() {
            let outcome = self.gate(entry.clone(), received.body).await?;
            read.push(FileVersion { entry, outcome });
        }
        self.progress.file_done();
        Ok(Listed { version: manifest.version, plan, read, unread: Vec::new() })
    }

    async fn gate(&self, entry: ManifestEntry, body: Spooled) -> Result<Outcome> {
        let _core = self.gates.acquire().await.context("the gates are closed")?;
        let columns = self.source.columns.clone();
        let progress = self.progress.clone();
        let span = tracing::debug_span!("gate", file.path = %entry.path);
        let read = move || span.in_scope(|| ingest::read(&entry, &body, &columns, |more| progress.add_rows(more)));
        tokio::task::spawn_blocking(read).await.context("the gate stopped")?
    }

    async fn apply(&self, listed: Listed, reading: String, sensed: &str) -> Result<Passed> {
        self.progress.show("applying");
        let Listed { version, plan, read: mut files, unread } = listed;
        let (read, removed) = (files.len(), plan.removed.len());
        let failed = unread.iter().any(|(_, error)| !matches!(error, FetchError::RanAway(_)));
        let complete = unread.is_empty();
        let why: Vec<String> = unread.iter().map(|(entry, error)| format!("{}: {error:#}", entry.path)).collect();
        let ran_away = unread.into_iter().filter(|(_, error)| matches!(error, FetchError::RanAway(_)));
        files.extend(ran_away.map(|(entry, _)| FileVersion { entry, outcome: Outcome::Changing }));
        files.sort_unstable_by(|a, b| a.entry.path.cmp(&b.entry.path));
        let version = SourceVersion {
            source: self.id,
            reading,
            version: complete.then_some(version),
            files,
            settled: plan.settled,
            removed: plan.removed,
            failed,
            error: (!complete).then(|| why.join("; ")),
            sensed: sensed.to_owned(),
        };
        let applied = self.writer.run(move |store| ingest::apply(store, version)).await?;
        let ingest::Written { added, updated, removed: gone } = applied.written;
        tracing::info!(
            source.id = %self.source.name, files.read = read, files.removed = removed, products.added = added,
            products.updated = updated, products.removed = gone, rows.rejected = applied.rejected,
            "applied `{}`: {read} files read, {removed} removed; products +{added} ~{updated} -{gone}", self.source.name
        );
        Ok(Passed { read, removed, applied, unread: why })
    }

    async fn report_down(&self, error: String) {
        let id = self.id;
        let pass = SourcePass {
            state: SourceState::Down,
            error: Some(error),
            version: None,
            last_sensed: None,
            last_applied: None,
        };
        if let Err(error) = self.writer.run(move |store| Ok(store.set_source_pass(id, &pass)?)).await {
            tracing::error!(source.id = %self.source.name, "failed to record that source `{}` is down: {error:#}", self.source.name);
        }
    }
}

fn key(entry: &ManifestEntry) -> (String, String) {
    (entry.path.clone(), entry.hash.clone())
}
