//! A temporary folder that is watched. Everything that waits has a time limit.

use std::{fs, path::Path, sync::Arc, time::Duration};

use tokio::sync::watch::Receiver;
use tributary_folder_watch::{Entry, Folder, Options, Snapshot, State};

pub(crate) const SETTLE: Duration = Duration::from_millis(60);
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary folder, watched.
pub(crate) struct Watched {
    pub(crate) folder: Folder,
    pub(crate) states: Receiver<State>,
    pub(crate) dir: tempfile::TempDir,
}

impl Watched {
    /// Watches a folder of these files, given as path and content, once it is ready.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(dir.path(), path, content);
        }
        let mut watched = Self::start(dir, Duration::from_secs(3600));
        watched.ready();
        watched
    }

    pub(crate) fn start(dir: tempfile::TempDir, rescan: Duration) -> Self {
        Self::with(dir, Options { settle: SETTLE, rescan, ..Options::default() })
    }

    pub(crate) fn with(dir: tempfile::TempDir, options: Options) -> Self {
        let folder = Folder::watch(dir.path(), options).unwrap();
        Self { states: folder.state(), folder, dir }
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    /// Waits for a state, at most [`PATIENCE`].
    pub(crate) fn state(&mut self, what: &str, is_it: impl FnMut(&State) -> bool) -> State {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let waited = runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.states.wait_for(is_it)).await.map(|s| s.unwrap().clone())
        });
        waited.unwrap_or_else(|_| panic!("{what} did not come; it is {:?}", self.states.borrow()))
    }

    pub(crate) fn ready(&mut self) -> Arc<Snapshot> {
        self.snapshot("a snapshot", |_| true)
    }

    pub(crate) fn snapshot(&mut self, what: &str, mut is_it: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
        let state = self.state(what, |state| matches!(state, State::Ready(snapshot) if is_it(snapshot)));
        let State::Ready(snapshot) = state else { unreachable!("just matched") };
        snapshot
    }

    /// Waits until the manifest is exactly what these contents make.
    pub(crate) fn holds(&mut self, files: &[(&str, &str)]) -> Arc<Snapshot> {
        let expect: Vec<(String, String)> =
            files.iter().map(|(path, content)| ((*path).to_owned(), hash(content))).collect();
        self.snapshot(&format!("a manifest of {files:?}"), |snapshot| listed(snapshot) == expect)
    }
}

pub(crate) fn listed(snapshot: &Snapshot) -> Vec<(String, String)> {
    snapshot.entries.iter().map(|entry| (entry.path.clone(), entry.hash.clone())).collect()
}

/// The entry at this place.
pub(crate) fn nth(snapshot: &Snapshot, at: usize) -> &Entry {
    snapshot.entries.iter().nth(at).unwrap()
}

pub(crate) fn hash(content: &str) -> String {
    format!("blake3:{}", blake3::hash(content.as_bytes()).to_hex())
}

pub(crate) fn write(dir: &Path, path: &str, content: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
