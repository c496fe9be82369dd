//! Watches one folder of CSV files and keeps its manifest: which files it holds, settled and hashed, and the version that
//! digests them. It knows no HTTP and does not look inside the files. It needs a Unix file system (inode and ctime).
//!
//! Events of the file system are hints that say where to look; what a look at the folder finds is the truth, and a
//! rescan every [`Options::rescan`] finds what no event told of.
#![warn(missing_docs)]

mod hash;
mod hints;
mod ledger;
mod look;
mod open;
mod snapshot;
mod watch;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::watch as channel;

pub use snapshot::{Entry, Snapshot, Stat, State};

/// How many hints may wait for the watching thread; when there are more the whole folder is looked at instead.
const HINTS_WAITING: usize = 4096;

/// When a file counts as settled, and how often the folder is looked at without a reason.
#[derive(Debug, Clone)]
pub struct Options {
    /// A change, a new file and a removal count once no further change was seen for this long.
    pub settle: Duration,
    /// The time between two looks at the whole folder. Events make most changes known long before.
    pub rescan: Duration,
}

impl Default for Options {
    /// 250 ms and 30 s, as the command line documents them.
    fn default() -> Self {
        Self { settle: Duration::from_millis(250), rescan: Duration::from_secs(30) }
    }
}

/// Why a folder cannot be watched at all. A folder that becomes unreadable later is a [`State`], not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path cannot be looked at: it is not there, or this user may not see it.
    #[error("cannot look at the folder `{}`", path.display())]
    Unreachable {
        /// The folder as the caller named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something is there, but it is no folder.
    #[error("`{}` is no folder", path.display())]
    NotAFolder {
        /// The path as the caller named it.
        path: PathBuf,
    },
    /// The watching thread could not be started.
    #[error("cannot start the thread that watches the folder")]
    Thread(#[source] io::Error),
}

/// Why an entry's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path holds something else by now, or nothing; a later manifest will say what.
    #[error("`{path}` has changed since the manifest was made")]
    Changed {
        /// The entry's path.
        path: String,
    },
    /// The file is there but cannot be opened.
    #[error("cannot open `{path}`: {source}")]
    Io {
        /// The entry's path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A watched folder. Dropping it ends its thread.
#[derive(Debug)]
pub struct Folder {
    /// As the caller named it, made absolute so that a later change of the working directory does not move it.
    root: PathBuf,
    /// Written by the watching thread alone.
    state: channel::Receiver<State>,
    /// Shared with the watching thread.
    shared: Arc<Shared>,
    /// Wakes the watching thread.
    signals: SyncSender<hints::Signal>,
    /// `None` once it was stopped.
    thread: Option<JoinHandle<()>>,
}

/// What the watching thread, the event handler and the owner of a [`Folder`] have in common.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Set once, by the owner; read between any two pieces of work.
    pub(crate) stopping: AtomicBool,
    /// Set by the event handler when a hint had no room in the channel; cleared by the watching thread.
    pub(crate) hints_lost: AtomicBool,
    /// Looks at the whole folder that were completed.
    pub(crate) scans: AtomicU64,
    /// Bytes that were hashed, those of files hashed again included.
    pub(crate) hashed_bytes: AtomicU64,
}

/// What the watching thread has done since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Looks at the whole folder.
    pub scans: u64,
    /// Bytes hashed; a file that is hashed twice counts twice.
    pub hashed_bytes: u64,
}

impl Folder {
    /// Starts to watch `root`, which may itself be a link. The state is [`State::Scanning`] until the first scan is over.
    ///
    /// # Errors
    /// When `root` is not there or no folder, or the thread cannot be started.
    pub fn watch(root: &Path, options: Options) -> Result<Self, Error> {
        let unreachable = |source| Error::Unreachable { path: root.to_owned(), source };
        if !fs::metadata(root).map_err(unreachable)?.is_dir() {
            return Err(Error::NotAFolder { path: root.to_owned() });
        }
        let root = std::path::absolute(root).map_err(unreachable)?;
        let (publisher, state) = channel::channel(State::Scanning);
        let (signals, received) = sync_channel(HINTS_WAITING);
        let shared = Arc::new(Shared::default());
        let watch = watch::Watch::new(root.clone(), options, publisher, signals.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("folder".to_owned())
            .spawn(move || watch.run(&received))
            .map_err(Error::Thread)?;
        Ok(Self { root, state, shared, signals, thread: Some(thread) })
    }

    /// The current state, and a way to wait for the next one.
    #[must_use]
    pub fn state(&self) -> channel::Receiver<State> {
        self.state.clone()
    }

    /// The folder, absolute; links in it are not resolved.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            scans: self.shared.scans.load(Ordering::Relaxed),
            hashed_bytes: self.shared.hashed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Opens the file of a manifest's entry if it is still the one that was hashed. Links are not followed, neither at the
    /// file's place nor above it, and a FIFO or a device at its place does not block.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when the path holds anything else by now.
    pub fn open(&self, entry: &Entry) -> Result<File, OpenError> {
        match open::open_file(&self.root, Path::new(&entry.path)) {
            Ok(Some((file, stat))) if stat == entry.stat => Ok(file),
            Ok(_) => Err(OpenError::Changed { path: entry.path.clone() }),
            // A file that was replaced by one that cannot be opened has changed, too.
            Err(source) => self.check(entry).and(Err(OpenError::Io { path: entry.path.clone(), source })),
        }
    }

    /// Checks that an entry's file is still the one that was hashed, without opening it.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when the path holds anything else by now.
    pub fn check(&self, entry: &Entry) -> Result<(), OpenError> {
        match open::stat_file(&self.root, Path::new(&entry.path)) {
            Ok(Some(stat)) if stat == entry.stat => Ok(()),
            Ok(_) => Err(OpenError::Changed { path: entry.path.clone() }),
            Err(source) => Err(OpenError::Io { path: entry.path.clone(), source }),
        }
    }

    /// Stops watching and waits for the thread to end; the last state stays readable.
    pub fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        // A full channel wakes the thread just as well.
        let _ = self.signals.try_send(hints::Signal::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watched the folder had panicked");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.stop();
    }
}
