//! The documents as a source: which paths there are, what changed, and the files to read. Nothing is watched, because nobody else
//! should change them. A copy of what the paths stand for is kept in memory, and follows each commit on the writer's thread.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{runtime::Handle, sync::watch};
use tributary_csv_gate::FileReject;
use tributary_protocol::{CompactManifest, ManifestEntry, Sense, Unreadable};
use tributary_store::{DocumentRow, Store};
use uuid::Uuid;

use super::{
    active_reads::ActiveReads,
    changes::{Changes, Standing},
    folder::DocumentFolder,
    settle::settle,
    state::State,
};
use crate::{reports::Reports, source::FetchError};

/// Documents that one pass reads. The others wait for the next one, so that neither a transaction nor its memory grows with them.
const MAX_DOCUMENTS_PER_PASS: usize = 1_000;

/// Longest wait for documents that are being received, so that they are applied together with those that wait.
const MAX_GATHER: Duration = Duration::from_millis(5);
/// Longest wait for as many documents as were listed last: clients that were answered together come again together.
const MAX_REUNION: Duration = Duration::from_millis(2);

/// Why a document cannot be read.
const MISSING: &str = "its file is missing from the folder of uploads; upload it again";

/// The documents; clones share them.
#[derive(Clone)]
pub(crate) struct Documents(Arc<Shared>);

struct Shared {
    folder: DocumentFolder,
    /// Begins each version, so that no version of an earlier process is taken for one of this.
    run: String,
    /// Locked only to read or change it.
    state: Mutex<State>,
    /// Tells that the number of changes is another one.
    news: watch::Sender<()>,
    /// Small documents that are being received.
    arriving: watch::Sender<usize>,
    /// The readers of files. Replaced by a reload.
    reports: Mutex<Reports>,
    active_reads: ActiveReads,
    /// Those who wait for the end of a document, by its id. Locked only to add, remove or find one.
    followers: Mutex<HashMap<String, watch::Sender<Option<DocumentRow>>>>,
    /// Ids of documents that have ended and whose files are not deleted yet. Locked only to add, remove or copy them.
    undeleted: Mutex<HashSet<String>>,
}

/// The file of a document. It never changes.
#[derive(Clone)]
pub(crate) struct DocumentFile {
    folder: DocumentFolder,
    id: String,
    path: String,
}

impl Documents {
    /// The documents in a folder: `standing` are those that paths stand for, `missing` the paths of which the file is gone.
    pub(crate) fn new(
        folder: DocumentFolder,
        reports: Reports,
        standing: &[DocumentRow],
        missing: BTreeSet<String>,
    ) -> Self {
        let standing = standing.iter().map(|row| (row.path.clone(), Standing::of(row))).collect();
        Self(Arc::new(Shared {
            folder,
            run: Uuid::new_v4().simple().to_string()[..8].to_owned(),
            state: Mutex::new(State { standing, missing, ..State::default() }),
            news: watch::Sender::new(()),
            arriving: watch::Sender::new(0),
            reports: Mutex::new(reports),
            active_reads: ActiveReads::default(),
            followers: Mutex::default(),
            undeleted: Mutex::default(),
        }))
    }

    /// The folder of their files.
    pub(crate) fn folder(&self) -> &DocumentFolder {
        &self.0.folder
    }

    /// The progress of documents that are being read.
    pub(crate) fn active_reads(&self) -> &ActiveReads {
        &self.0.active_reads
    }

    /// The reports, which may claim documents.
    pub(crate) fn reports(&self) -> Reports {
        self.0.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the reports.
    pub(crate) fn set_reports(&self, reports: Reports) {
        *self.0.reports.lock().unwrap_or_else(PoisonError::into_inner) = reports;
    }

    /// The current version.
    pub(crate) fn sense(&self) -> Sense {
        Sense {
            status: 1,
            version: Some(self.version(&self.state())),
            name: None,
            files: None,
            bytes: None,
            changed_at: None,
        }
    }

    /// Waits until the version differs from `since`, at most for `wait`, and returns it.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Sense {
        let mut news = self.0.news.subscribe();
        let is_news = |(): &()| self.version(&self.state()) != since;
        let changed = tokio::time::timeout(wait, news.wait_for(is_news)).await.is_ok();
        if changed {
            let is_full = |(): &()| {
                let state = self.state();
                state.changed.len() >= state.listed
            };
            let _ = tokio::time::timeout(MAX_REUNION, news.wait_for(is_full)).await;
        }
        let mut arriving = self.0.arriving.subscribe();
        let _ = tokio::time::timeout(MAX_GATHER, arriving.wait_for(|arriving| *arriving == 0)).await;
        Sense { status: u8::from(changed), ..self.sense() }
    }

    /// Counts a small document that is being received, until the result is dropped.
    pub(crate) fn arriving(&self) -> Arriving {
        self.0.arriving.send_modify(|arriving| *arriving += 1);
        Arriving(self.clone())
    }

    /// Lists the paths that changed since the last listing, if its version is `since`, or else all. Of many changed paths it lists
    /// some, under a version of their own, so that the others are asked for next.
    pub(crate) fn list(&self, since: Option<&str>) -> CompactManifest {
        let mut state = self.state();
        let since = since.filter(|since| since.starts_with(&format!("{}-", self.0.run)));
        state.listings += 1;
        let (paths, removed) = if since.is_some() {
            let rest = state.changed.iter().nth(MAX_DOCUMENTS_PER_PASS).cloned();
            let rest = rest.map(|first| state.changed.split_off(&first)).unwrap_or_default();
            let paths = std::mem::replace(&mut state.changed, rest);
            state.listed = paths.len();
            let (there, gone) = paths.into_iter().partition(|path| state.standing.contains_key(path));
            (there, gone)
        } else {
            state.changed.clear();
            (state.standing.keys().cloned().collect::<Vec<_>>(), Vec::new())
        };
        let is_there = |path: &String| !state.missing.contains(path);
        let there = paths.into_iter().filter(is_there);
        let files = there.filter_map(|path| Some(entry(&path, state.standing.get(&path)?))).collect();
        let unreadable = state.missing.iter().map(|path| Unreadable { path: path.clone(), error: MISSING.to_owned() });
        let unreadable = unreadable.collect();
        let version = match state.changed.is_empty() {
            true => self.version(&state),
            false => format!("{}.{}", self.version(&state), state.listings),
        };
        CompactManifest {
            version,
            since: since.map(str::to_owned),
            files,
            removed,
            unreadable,
            deltas: true,
            ..CompactManifest::default()
        }
    }

    /// Puts off what a listing has listed: the next one lists it again. Returns the version of the listing without it.
    pub(crate) fn put_off(&self, version: &str, paths: impl IntoIterator<Item = String>) -> String {
        let mut state = self.state();
        state.changed.extend(paths);
        state.listings += 1;
        format!("{version}.{}", state.listings)
    }

    /// The number of files that one pass may read.
    pub(crate) fn max_files_per_pass(&self) -> usize {
        MAX_DOCUMENTS_PER_PASS
    }

    /// Returns the file of a listed document.
    ///
    /// # Errors
    /// The path stands for something else by now.
    pub(crate) fn file(&self, listed: &ManifestEntry) -> Result<DocumentFile, FetchError> {
        let state = self.state();
        let standing = state.standing.get(&listed.path).filter(|standing| standing.hash == listed.hash);
        let standing = standing.ok_or_else(|| FetchError::Changed(format!("{} has changed", listed.path)))?;
        Ok(DocumentFile { folder: self.0.folder.clone(), id: standing.id.clone(), path: listed.path.clone() })
    }

    /// Why a listed document could not be read, if somebody has deleted its file; `None` if the reason is another one.
    ///
    /// # Errors
    /// The path stands for something else by now, so the file is no longer needed.
    pub(crate) fn missing(
        &self,
        listed: &ManifestEntry,
        file: &DocumentFile,
    ) -> Result<Option<FileReject>, FetchError> {
        let is_missing = file.open().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if self.file(listed)?.id != file.id {
            return Err(FetchError::Changed(format!("{} was sent again", listed.path)));
        }
        Ok(is_missing.then_some(FileReject::of_file(MISSING.to_owned())))
    }

    /// Whether a path stands for a document with this hash. Exact on the writer's thread.
    pub(crate) fn is_standing(&self, path: &str, hash: &str) -> bool {
        self.state().standing.get(path).is_some_and(|standing| standing.hash == hash)
    }

    /// Whether a path stands for a document.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.state().standing.contains_key(path)
    }

    /// Ends the documents of these paths that have a verdict. Call it in the transaction that may have changed it.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) fn settle<T: AsRef<str>>(&self, store: &mut Store, paths: &[T]) -> Result<Changes> {
        let changes = settle(store, &self.reports(), paths)?;
        if !changes.files.is_empty() {
            // A start takes in a file without a row, so a row must outlive its file.
            let mut kept = self.undeleted().clone();
            kept.extend(changes.files.iter().map(|(id, _)| id.clone()));
            store.delete_old_documents(&kept)?;
        }
        Ok(changes)
    }

    /// Follows changes that were committed. Call it on the writer's thread right after the commit, so that it sees all changes in
    /// their order; pass the result to [`Self::announce`]. Makes the source report a change.
    pub(crate) fn committed(&self, changes: Changes) -> Committed {
        let Changes { moved, ended, files } = changes;
        self.undeleted().extend(files.iter().map(|(id, _)| id.clone()));
        if !moved.is_empty() {
            let mut state = self.state();
            for (path, standing) in moved {
                match standing {
                    Some(standing) => drop(state.standing.insert(path.clone(), standing)),
                    None => drop(state.standing.remove(&path)),
                }
                state.missing.remove(&path);
                state.changed.insert(path);
            }
            // Under the same lock, so that no listing has the changes under the version before them.
            state.number += 1;
            drop(state);
            self.tell_news();
        }
        self.state().note_applied(&ended);
        Committed { documents: self.clone(), ended, files }
    }

    /// Deletes the files that are no longer needed, and tells those who wait for documents that have ended.
    pub(crate) async fn announce(&self, mut committed: Committed) {
        let (documents, files) = (self.clone(), std::mem::take(&mut committed.files));
        if let Err(error) = tokio::task::spawn_blocking(move || documents.delete(files)).await {
            tracing::error!("deleting files of documents panicked: {error}");
        }
    }

    fn delete(&self, files: Vec<(String, String)>) {
        for (id, path) in files {
            match self.0.folder.delete(&id, &path) {
                Ok(()) => drop(self.undeleted().remove(&id)),
                Err(error) => tracing::warn!(
                    file.path = %path, "failed to delete a file of `{path}`, the next start tries again: {error}"
                ),
            }
        }
    }

    fn tell(&self, ended: Vec<DocumentRow>) {
        let mut followers = self.followers();
        for row in ended {
            log(&row);
            if let Some(follower) = followers.remove(&row.id) {
                follower.send_replace(Some(row));
            }
        }
    }

    /// Whether a path stands for something else than at the last listing.
    pub(crate) fn has_changed(&self) -> bool {
        !self.state().changed.is_empty()
    }

    /// A channel that gets the row of a document once it has ended. Subscribe before you read the row.
    pub(crate) fn follow(&self, id: &str) -> watch::Receiver<Option<DocumentRow>> {
        let mut followers = self.followers();
        if followers.len().is_power_of_two() {
            followers.retain(|_, follower| !follower.is_closed());
        }
        followers.entry(id.to_owned()).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    fn version(&self, state: &State) -> String {
        format!("{}-{}", self.0.run, state.number)
    }

    /// Tells of another version. Not under the lock, which those who wait take to look.
    pub(super) fn tell_news(&self) {
        self.0.news.send_replace(());
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn undeleted(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.undeleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn followers(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Option<DocumentRow>>>> {
        self.0.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A small document that is being received.
pub(crate) struct Arriving(Documents);

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.0.arriving.send_modify(|arriving| *arriving = arriving.saturating_sub(1));
    }
}

/// Changes that are committed and not yet announced.
#[must_use]
pub(crate) struct Committed {
    documents: Documents,
    ended: Vec<DocumentRow>,
    files: Vec<(String, String)>,
}

impl Drop for Committed {
    /// Those who made the changes may be gone: a connection broke, or a reload stopped the pass.
    fn drop(&mut self) {
        let (documents, files) = (self.documents.clone(), std::mem::take(&mut self.files));
        match Handle::try_current() {
            _ if files.is_empty() => {}
            Ok(runtime) => drop(runtime.spawn_blocking(move || documents.delete(files))),
            // On the writer's thread, which may wait for the disk.
            Err(_) => documents.delete(files),
        }
        self.documents.tell(std::mem::take(&mut self.ended));
    }
}

impl DocumentFile {
    /// Opens the file.
    pub(crate) fn open(&self) -> io::Result<File> {
        self.folder.open(&self.id, &self.path)
    }
}

fn entry(path: &str, standing: &Standing) -> ManifestEntry {
    let Standing { hash, bytes, created_at, .. } = standing.clone();
    ManifestEntry { path: path.to_owned(), size: bytes, modified: created_at, hash, ..ManifestEntry::default() }
}

fn log(row: &DocumentRow) {
    let DocumentRow { path, bytes, row_count, rejects, .. } = row;
    match &row.error {
        Some(why) => tracing::warn!(file.path = %path, reason = %why, "the upload of `{path}` failed: {why}"),
        None => tracing::info!(
            file.path = %path, bytes, rows = row_count, rows.rejected = rejects, "the upload of `{path}` is complete"
        ),
    }
}
