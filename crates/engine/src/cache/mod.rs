//! The cache: what is remembered of files beside the database, so that the cost of reading one again follows the size of its change.
//! Nothing depends on it: whatever is missing or damaged is read again as a whole.
//!
//! Remembering a file belongs here; using what is remembered does not.

mod segments;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use tributary_config::CacheConfig;
use tributary_store::DatabaseUrl;

use crate::disk::FreeSpace;
use segments::ID_BYTES;
pub(crate) use segments::{KnownFile, NewSegments, Remembered, Skus};

/// The end of the names of files with segments.
const ENDING: &str = ".segments";

/// The folder of the cache; clones share it.
#[derive(Clone)]
pub(crate) struct Cache(Option<Arc<Folder>>);

struct Folder {
    path: PathBuf,
    /// The most bytes of all files.
    size: u64,
    space: FreeSpace,
    /// Held while files are deleted to make room.
    room: Mutex<()>,
}

/// A content of a file, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentId {
    /// The path of the file, for messages.
    path: String,
    /// The name of the file in the cache: there is one for each file that is remembered.
    name: String,
    /// Tells this content, and how it was read, from others of the file.
    id: [u8; ID_BYTES],
}

impl ContentId {
    /// The content of a file with this hash, which was read as `read` says.
    pub(crate) fn new(source: &str, path: &str, hash: &str, read: &str) -> Self {
        let name = digest(&[source, path]).to_hex();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest(&[source, path, hash, read]).as_bytes()[..ID_BYTES]);
        Self { path: path.to_owned(), name: format!("{}{ENDING}", &name[..32]), id }
    }
}

fn digest(words: &[&str]) -> blake3::Hash {
    let mut digest = blake3::Hasher::new();
    for word in words {
        digest.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
    }
    digest.finalize()
}

impl Cache {
    /// A cache that keeps nothing.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Opens the cache of a database, which leaves `keep_free` bytes on its disk. One that cannot be used is off, and a warning says why.
    pub(crate) fn open(config: &CacheConfig, keep_free: u64, database: &DatabaseUrl) -> Self {
        let path = config.folder(database);
        if config.size == 0 {
            return Self::off();
        }
        match fs::create_dir_all(&path).and_then(|()| sweep(&path)) {
            Ok(()) => {
                let space = FreeSpace::new(&path, keep_free);
                Self(Some(Arc::new(Folder { path, size: config.size, space, room: Mutex::default() })))
            }
            Err(error) => {
                let path = path.display();
                tracing::warn!(%error, "changed files are read as a whole, because the cache {path} cannot be used: {error}");
                Self::off()
            }
        }
    }

    /// Takes what is remembered of a content. It can be taken once.
    pub(crate) fn take(&self, content: &ContentId) -> Option<KnownFile> {
        let path = self.0.as_ref()?.path.join(&content.name);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "{} is read as a whole: {error}", content.path);
                }
                return None;
            }
        };
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(%error, "failed to delete {}: {error}", path.display());
        }
        match KnownFile::read(file) {
            // Another one is remembered if this one was never applied.
            Ok(known) => (known.id == content.id).then_some(known),
            Err(error) => {
                tracing::warn!(%error, "{} is read as a whole, because the cache is damaged: {error}", content.path);
                None
            }
        }
    }

    /// Begins to remember a content, with this seed of the digests; `None` if nothing is kept, or nothing can be.
    pub(crate) fn begin(&self, content: &ContentId, seed: u64) -> Option<NewSegments> {
        let Folder { path: folder, space, .. } = &**self.0.as_ref()?;
        if let Err(error) = space.check(0) {
            tracing::debug!(%error, "{} is not remembered: {error}", content.path);
            return None;
        }
        let file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder);
        file.map_err(|error| tracing::warn!(%error, "failed to write to the cache {}: {error}", folder.display()))
            .ok()
            .map(|file| NewSegments::new(file, content, seed))
    }

    /// Keeps what was remembered of a content, in place of an earlier one of the file.
    pub(crate) fn keep(&self, remembered: Remembered) {
        let Some(folder) = &self.0 else { return };
        let kept = remembered.path.persist(folder.path.join(remembered.name)).map_err(|error| error.error);
        if let Err(error) = kept.and_then(|_| folder.make_room()) {
            tracing::warn!(%error, "failed to write to the cache {}: {error}", folder.path.display());
        }
    }
}

impl Folder {
    /// Deletes the oldest files beyond the size.
    fn make_room(&self) -> io::Result<()> {
        let _room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if let (true, Ok(stat)) = (is_kept(&entry.path()), entry.metadata()) {
                files.push((stat.modified()?, entry.path(), stat.len()));
            }
        }
        let mut total: u64 = files.iter().map(|(.., len)| len).sum();
        files.sort_unstable();
        for (_, path, len) in files {
            if total <= self.size {
                break;
            }
            fs::remove_file(path)?;
            total -= len;
        }
        Ok(())
    }
}

fn is_kept(path: &Path) -> bool {
    path.to_string_lossy().ends_with(ENDING)
}

/// Deletes what an earlier process did not finish. The caller holds the lock of the database.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".new-")) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
