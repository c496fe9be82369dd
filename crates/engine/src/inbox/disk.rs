//! Writes a new file through the page cache, but takes little of it: a thread of its own sends to the disk what is written and drops
//! it from the cache. An upload of many gigabytes would else evict the pages that others need. Writing past the cache is a quarter
//! faster and was 150 lines more.

use std::{
    fs::File,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use anyhow::anyhow;

use super::error::InboxError;
use crate::documents::DocumentFolder;

/// Bytes written between two syncs. One sync at the end would wait for everything that the system still holds back; this way the
/// end waits for the last few intervals.
const SYNC_INTERVAL_BYTES: u64 = 32 << 20;

/// A file that is being written.
pub(super) struct DiskWriter {
    file: File,
    folder: DocumentFolder,
    keep_free: u64,
    bytes: u64,
    /// The value of `bytes` when a sync was last asked for.
    synced: u64,
    syncs: SyncSender<u64>,
    syncing: JoinHandle<io::Result<()>>,
}

impl DiskWriter {
    /// Creates the hidden file of the upload `id`. Writing fails once fewer than `keep_free` bytes are free.
    ///
    /// # Errors
    /// The file or the thread cannot be created.
    pub(super) fn create(folder: DocumentFolder, id: &str, keep_free: u64) -> Result<Self, InboxError> {
        let failed = |error| InboxError::writing(error, keep_free);
        let file = folder.create().and_then(|()| folder.create_part(id)).map_err(failed)?;
        Self::start(folder, file, keep_free, (0, Arc::default()))
    }

    /// Opens the hidden file of the upload `id` to go on after `bytes` bytes, and cuts off what lies behind them. `on_disk` follows the
    /// bytes that are synced.
    ///
    /// # Errors
    /// The file cannot be opened, or the thread not be created.
    pub(super) fn append(
        folder: DocumentFolder,
        id: &str,
        keep_free: u64,
        (bytes, on_disk): (u64, Arc<AtomicU64>),
    ) -> Result<Self, InboxError> {
        let file = folder.open_part(id, bytes).map_err(|error| InboxError::writing(error, keep_free))?;
        Self::start(folder, file, keep_free, (bytes, on_disk))
    }

    fn start(
        folder: DocumentFolder,
        file: File,
        keep_free: u64,
        (bytes, on_disk): (u64, Arc<AtomicU64>),
    ) -> Result<Self, InboxError> {
        let failed = |error| InboxError::writing(error, keep_free);
        let written = file.try_clone().map_err(failed)?;
        // One interval is synced while the next is written.
        let (syncs, asked) = sync_channel(0);
        let thread = std::thread::Builder::new().name("upload sync".to_owned());
        let syncing = thread.spawn(move || sync_each(&written, &asked, &on_disk)).map_err(failed)?;
        Ok(Self { file, folder, keep_free, bytes, synced: bytes, syncs, syncing })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// A write or an earlier sync failed, or the disk has too little free space. [`Self::finish`] may know the cause.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), InboxError> {
        let failed = |error| InboxError::writing(error, self.keep_free);
        self.folder.faults.point("write a part").and_then(|()| self.file.write_all(bytes)).map_err(failed)?;
        self.bytes += bytes.len() as u64;
        if self.bytes - self.synced >= SYNC_INTERVAL_BYTES {
            self.synced = self.bytes;
            if self.folder.free_bytes().map_err(failed)? < self.keep_free {
                return Err(InboxError::NoRoom { keep_free: self.keep_free });
            }
            self.syncs
                .send(self.bytes)
                .map_err(|_| InboxError::Failed(anyhow!("an uploaded file could not be synced")))?;
        }
        Ok(())
    }

    /// Waits until the file is on disk.
    ///
    /// # Errors
    /// A sync failed.
    pub(super) fn finish(self) -> Result<(), InboxError> {
        let failed = |error| InboxError::writing(error, self.keep_free);
        drop(self.syncs);
        let synced =
            self.syncing.join().map_err(|_| InboxError::Failed(anyhow!("the thread that syncs has panicked")))?;
        let synced = synced.and_then(|()| self.folder.faults.point("sync a part"));
        synced.and_then(|()| self.file.sync_all()).map_err(failed)
    }
}

/// Syncs the file whenever asked to, and drops from the page cache what is on disk.
fn sync_each(file: &File, asked: &Receiver<u64>, on_disk: &AtomicU64) -> io::Result<()> {
    for bytes in asked {
        file.sync_data()?;
        on_disk.store(bytes, Ordering::Relaxed);
        drop_from_cache(file);
    }
    Ok(())
}

/// This is only a hint to the system, so an error is of no interest.
#[cfg(target_os = "linux")]
fn drop_from_cache(file: &File) {
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn drop_from_cache(_: &File) {}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0000000000000000000000000000000a";

    #[test]
    fn every_length_is_written_byte_for_byte() {
        let interval = SYNC_INTERVAL_BYTES as usize;
        for len in [0, 1, interval - 1, interval, 2 * interval + 17] {
            let folder = tempfile::tempdir().unwrap();
            let content: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
            let mut disk = DiskWriter::create(DocumentFolder::new(folder.path().to_owned()), ID, 0).unwrap();
            content.chunks(1 << 20).for_each(|piece| disk.write(piece).unwrap());
            disk.finish().unwrap();
            assert!(std::fs::read(folder.path().join(format!(".{ID}.part"))).unwrap() == content, "{len} bytes");
        }
    }

    #[test]
    fn a_full_disk_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = DiskWriter::create(DocumentFolder::new(folder.path().to_owned()), ID, u64::MAX).unwrap();
        let piece = vec![0; 1 << 20];
        let ended = (0..=SYNC_INTERVAL_BYTES >> 20).find_map(|_| disk.write(&piece).err());
        assert!(matches!(ended, Some(InboxError::NoRoom { .. })));
        disk.finish().unwrap();
    }
}
