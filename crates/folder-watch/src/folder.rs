//! The handle of a watched folder.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use tokio::sync::watch as channel;

use crate::{
    content::Content,
    error::{Error, OpenError},
    events::Hint,
    open::{open_file, stat_file},
    options::Options,
    shared::{Counts, Shared},
    snapshot::{Entry, State},
    watcher::Watcher,
};

/// Hints that may wait for the watching thread. When there are more, it scans the whole folder instead.
const MAX_QUEUED_HINTS: usize = 4096;

/// A watched folder. Dropping it ends its thread.
#[derive(Debug)]
pub struct Folder {
    /// As the caller named it, made absolute so that a later change of the working directory does not move it.
    root: PathBuf,
    /// Written by the watching thread alone.
    state: channel::Receiver<State>,
    shared: Arc<Shared>,
    /// Wakes the watching thread.
    hints: SyncSender<Hint>,
    /// `None` once it was stopped.
    thread: Option<JoinHandle<()>>,
}

impl Folder {
    /// Starts watching `root`, which may itself be a link. The state is [`State::Scanning`] until the first scan is complete.
    ///
    /// # Errors
    /// `root` does not exist or is not a folder, or the thread cannot be started.
    pub fn watch(root: &Path, options: Options) -> Result<Self, Error> {
        let unreachable = |source| Error::Unreachable { path: root.to_owned(), source };
        if !fs::metadata(root).map_err(unreachable)?.is_dir() {
            return Err(Error::NotAFolder { path: root.to_owned() });
        }
        let root = std::path::absolute(root).map_err(unreachable)?;
        let (publisher, state) = channel::channel(State::Scanning);
        let (hints, received) = sync_channel(MAX_QUEUED_HINTS);
        let shared = Arc::new(Shared::default());
        let watcher = Watcher::new(root.clone(), options, publisher, hints.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("folder".to_owned())
            .spawn(move || watcher.run(&received))
            .map_err(Error::Thread)?;
        Ok(Self { root, state, shared, hints, thread: Some(thread) })
    }

    /// Returns the current state, and a way to wait for the next one.
    #[must_use]
    pub fn state(&self) -> channel::Receiver<State> {
        self.state.clone()
    }

    /// Returns the folder's path, absolute; links in it are not resolved.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns counters of the work done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Opens an entry's file if it still holds the bytes that were hashed. Links are not followed, neither in the file's place nor
    /// above it, and a FIFO or a device in its place does not block.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when the path holds anything else by now.
    pub fn open(&self, entry: &Entry) -> Result<Content, OpenError> {
        let opened = open_file(&self.root, Path::new(&entry.path));
        match opened.and_then(|found| found.map_or(Ok(None), |(file, stat)| Content::of(entry, file, stat))) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => Err(OpenError::Changed { path: entry.path.clone() }),
            // A file that was replaced by one that cannot be opened has changed, too.
            Err(source) => self.check_stat(entry).and(Err(OpenError::Io { path: entry.path.clone(), source })),
        }
    }

    /// Checks that an entry's file still holds the bytes that were hashed. It opens only a partial one.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when the path holds anything else by now.
    pub fn check(&self, entry: &Entry) -> Result<(), OpenError> {
        if entry.is_partial { self.open(entry).map(drop) } else { self.check_stat(entry) }
    }

    /// Checks by its stat alone that an entry's file may still hold the bytes that were hashed. Of a partial entry it can say
    /// no more than that the file is not a shorter or another one.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when the path holds anything else by now.
    pub fn check_stat(&self, entry: &Entry) -> Result<(), OpenError> {
        match stat_file(&self.root, Path::new(&entry.path)) {
            Ok(Some(stat)) if entry.may_be(stat) => Ok(()),
            Ok(_) => Err(OpenError::Changed { path: entry.path.clone() }),
            Err(source) => Err(OpenError::Io { path: entry.path.clone(), source }),
        }
    }

    /// Stops watching and waits for the thread to end; the last state stays readable.
    pub fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // A full queue wakes the thread just as well.
        let _ = self.hints.try_send(Hint::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watched the folder panicked");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.stop();
    }
}
