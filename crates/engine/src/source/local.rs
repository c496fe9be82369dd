//! A folder of this machine as a source, watched and read in place: nothing is copied to the spool.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use tributary_folder_watch::{Content, Entry, Filter, Folder, OpenError, Options, Snapshot, State};
use tributary_protocol::{Manifest, ManifestEntry, Sense};

use crate::source::{ActiveReads, FetchError};

/// Time without changes after which a file counts as complete. Files arrive by rename, so it is short.
const SETTLE_TIME: Duration = Duration::from_millis(20);

/// One folder of this machine.
pub(crate) struct LocalSource {
    root: PathBuf,
    /// Watched from the first question on. Locked only to read or to set it.
    folder: Mutex<Option<Arc<Folder>>>,
    /// The progress of files that are being read.
    active_reads: ActiveReads,
}

/// The file of a manifest entry. Open it as often as needed, then call [`LocalFile::verify`] to know that it did not change
/// meanwhile.
#[derive(Clone)]
pub(crate) struct LocalFile {
    folder: Arc<Folder>,
    entry: Entry,
}

impl LocalSource {
    /// The folder at `root`. It may not exist yet, and is not watched before the first question.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, folder: Mutex::default(), active_reads: ActiveReads::default() }
    }

    /// The progress of files that are being read.
    pub(crate) fn active_reads(&self) -> &ActiveReads {
        &self.active_reads
    }

    /// Returns the version. Waits for the first scan, however long it takes, because this process does it.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        let mut state = self.folder().await?.state();
        let known = state.wait_for(|state| !matches!(state, State::Scanning)).await.map(|state| state.clone());
        sense(&known.context("the thread that watches the folder has stopped")?, None)
    }

    /// Waits until the version differs from `since`, at most for `wait`, and returns it.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        let mut state = self.folder().await?.state();
        let is_news = |state: &State| match state {
            State::Scanning => false,
            State::Ready(snapshot) => snapshot.version != since,
            State::Unreadable(_) => true,
        };
        if let Ok(Err(_)) = tokio::time::timeout(wait, state.wait_for(is_news)).await {
            bail!("the thread that watches the folder has stopped");
        }
        let state = state.borrow().clone();
        sense(&state, Some(since))
    }

    /// Lists every file.
    pub(crate) async fn manifest(&self) -> Result<Manifest> {
        Ok((&*ready(&self.folder().await?.state().borrow())?).into())
    }

    /// Returns the file of a manifest entry.
    ///
    /// # Errors
    /// The file has changed since.
    pub(crate) async fn file(&self, listed: &ManifestEntry) -> Result<LocalFile, FetchError> {
        let folder = self.folder().await?;
        let snapshot = ready(&folder.state().borrow())?;
        let entry = snapshot.get(&listed.path).filter(|entry| entry.hash == listed.hash).cloned();
        let entry = entry.ok_or_else(|| FetchError::Changed(changed(&listed.path)))?;
        Ok(LocalFile { folder, entry })
    }

    /// Whether the file at this path is known to have another hash. It is not known between a change and the next scan.
    pub(crate) fn holds_another(&self, path: &str, hash: &str) -> bool {
        let Some(folder) = self.watched().clone() else { return false };
        let State::Ready(snapshot) = folder.state().borrow().clone() else { return false };
        let is_still_there =
            |entry: &Entry| std::fs::metadata(self.root.join(path)).is_ok_and(|metadata| entry.is_still(&metadata));
        snapshot.get(path).is_some_and(|entry| entry.hash != hash && is_still_there(entry))
    }

    /// Returns the folder, which is watched from the first call on.
    async fn folder(&self) -> Result<Arc<Folder>> {
        if let Some(folder) = self.watched().clone() {
            return Ok(folder);
        }
        let root = self.root.clone();
        // A workbook that no format reads any more is a rejected file, which keeps its rows, and not one that is gone.
        let options = Options { settle: SETTLE_TIME, workbooks: Filter::default(), ..Options::default() };
        let folder =
            tokio::task::spawn_blocking(move || watch(&root, options)).await.context("the scan panicked")??;
        // Of two concurrent first calls, the second drops its watcher.
        Ok(Arc::clone(self.watched().get_or_insert(Arc::new(folder))))
    }

    fn watched(&self) -> MutexGuard<'_, Option<Arc<Folder>>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watch(root: &Path, options: Options) -> Result<Folder> {
    Folder::watch(root, options).with_context(|| format!("failed to watch {}", root.display()))
}

fn ready(state: &State) -> Result<Arc<Snapshot>> {
    match state {
        State::Ready(snapshot) => Ok(Arc::clone(snapshot)),
        State::Scanning => Err(anyhow!("the folder is being scanned for the first time")),
        State::Unreadable(why) => Err(anyhow!("{why}")),
    }
}

fn sense(state: &State, since: Option<&str>) -> Result<Sense> {
    let snapshot = ready(state)?;
    Ok(Sense {
        status: u8::from(since != Some(&snapshot.version)),
        version: Some(snapshot.version.clone()),
        name: None,
        files: Some(snapshot.entries.len() as u64),
        bytes: Some(snapshot.entries.bytes()),
        changed_at: None,
    })
}

fn changed(path: &str) -> String {
    format!("`{path}` has changed since it was listed")
}

impl LocalFile {
    /// Opens the file if it is still the one that was hashed.
    ///
    /// # Errors
    /// The file has changed or cannot be opened.
    pub(crate) fn open(&self) -> io::Result<Content> {
        self.folder.open(&self.entry).map_err(io::Error::other)
    }

    /// Checks after reading that the file is still the one that was hashed.
    ///
    /// # Errors
    /// The file has changed or cannot be opened.
    pub(crate) fn verify(&self) -> Result<(), FetchError> {
        match self.folder.open(&self.entry) {
            Ok(_) => Ok(()),
            Err(OpenError::Changed { path }) => Err(FetchError::Changed(changed(&path))),
            Err(error) => Err(FetchError::Failed(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_in_place_and_a_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "sku,name\n").unwrap();
        let source = LocalSource::new(folder.path().to_owned());
        let sense = source.sense().await.unwrap();
        let manifest = source.manifest().await.unwrap();
        assert_eq!((sense.version.as_ref(), manifest.files.len()), (Some(&manifest.version), 1));
        let file = source.file(&manifest.files[0]).await.unwrap();
        assert_eq!(io::read_to_string(file.open().unwrap()).unwrap(), "sku,name\n");
        file.verify().unwrap();
        assert!(!source.holds_another("a.csv", &manifest.files[0].hash));
        assert!(source.holds_another("a.csv", "blake3:00"));

        std::fs::write(folder.path().join("b.csv"), "sku,name\na,A\n").unwrap();
        std::fs::rename(folder.path().join("b.csv"), &path).unwrap();
        assert!(!source.holds_another("a.csv", "blake3:00"), "there was no scan yet");
        assert!(file.open().is_err());
        assert!(matches!(file.verify(), Err(FetchError::Changed(_))));
        let changed = source.sense_change(&manifest.version, Duration::from_secs(60)).await.unwrap();
        assert_eq!(changed.status, 1);
        while source.file(&manifest.files[0]).await.is_ok() {
            let version = source.manifest().await.unwrap().version;
            source.sense_change(&version, Duration::from_secs(60)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_error_for_a_missing_folder_names_it() {
        let source = LocalSource::new("/nowhere/at/all".into());
        assert!(format!("{:#}", source.sense().await.unwrap_err()).contains("/nowhere/at/all"));
    }
}
