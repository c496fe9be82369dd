//! Writes a new file from a thread of its own, so that the next block is filled meanwhile. Where the file system allows it, writes
//! bypass the page cache: an upload of many gigabytes would evict the pages that others need.

use std::{
    fs::File,
    io::{self, Write},
    ops::{Deref, DerefMut},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use anyhow::anyhow;

use super::{error::UploadError, folder::UploadFolder};

/// Bytes per write.
pub(super) const BLOCK_BYTES: usize = 1 << 20;
/// Blocks per file: one is filled while the others are written.
const MAX_BLOCKS: usize = 3;
/// Alignment of addresses, lengths and offsets of writes that bypass the cache. No disk has larger sectors.
const SECTOR_BYTES: usize = 4096;
/// Bytes written between two checks of the free space. Writes that went through the page cache are synced then: a single sync at
/// the end would wait for all that the system still holds back, and so it waits for no more than this.
const CHECK_INTERVAL_BYTES: usize = 32 << 20;

/// A block of memory that is aligned to sectors.
pub(super) struct Block {
    memory: Vec<u8>,
    begin: usize,
}

impl Block {
    fn new() -> Self {
        let memory = vec![0; BLOCK_BYTES + SECTOR_BYTES];
        let begin = memory.as_ptr().align_offset(SECTOR_BYTES).min(SECTOR_BYTES);
        Self { memory, begin }
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.begin..][..BLOCK_BYTES]
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.begin..][..BLOCK_BYTES]
    }
}

/// The handle of the thread that writes one file.
pub(super) struct DiskWriter {
    filled: SyncSender<FilledBlock>,
    empty: Receiver<Block>,
    thread: JoinHandle<Result<(), UploadError>>,
}

/// A block whose first `len` bytes are to be written.
struct FilledBlock {
    block: Block,
    len: usize,
}

impl DiskWriter {
    /// Creates the hidden file of the upload `id` and starts to write it. Writing fails once fewer than `keep_free` bytes are free.
    ///
    /// # Errors
    /// The file or the thread cannot be created.
    pub(super) fn start(folder: UploadFolder, id: &str, keep_free: u64) -> Result<Self, UploadError> {
        let failed = |error| UploadError::writing(error, keep_free);
        let file = folder.create().and_then(|()| folder.create_incoming(id)).map_err(failed)?;
        let bypasses_cache = bypass_cache(&file, true).is_ok();
        let (filled, received) = sync_channel(MAX_BLOCKS);
        let (back, empty) = sync_channel(MAX_BLOCKS);
        (0..MAX_BLOCKS).try_for_each(|_| back.send(Block::new())).map_err(|_| panicked())?;
        let writer = FileWriter { file, bypasses_cache, folder, keep_free };
        let thread = std::thread::Builder::new().name("disk".to_owned());
        let thread = thread.spawn(move || writer.run(&received, &back)).map_err(failed)?;
        Ok(Self { filled, empty, thread })
    }

    /// Waits for a block to fill. Returns none if writing has failed; [`Self::finish`] then returns the error.
    pub(super) fn empty_block(&self) -> Option<Block> {
        self.empty.recv().ok()
    }

    /// Writes the first `len` bytes of a block. Only the last block of a file may be filled in part.
    pub(super) fn write(&self, block: Block, len: usize) {
        // This fails only if the thread has ended, and `finish` returns its error.
        let _ = self.filled.send(FilledBlock { block, len });
    }

    /// Waits until the file is written and synced.
    ///
    /// # Errors
    /// A write or a sync failed, or the disk has too little free space.
    pub(super) fn finish(self) -> Result<(), UploadError> {
        drop(self.filled);
        self.thread.join().unwrap_or_else(|_| Err(panicked()))
    }
}

fn panicked() -> UploadError {
    UploadError::Failed(anyhow!("the thread that writes an upload has panicked"))
}

/// The state of the writing thread.
struct FileWriter {
    file: File,
    bypasses_cache: bool,
    folder: UploadFolder,
    keep_free: u64,
}

impl FileWriter {
    fn run(mut self, filled: &Receiver<FilledBlock>, back: &SyncSender<Block>) -> Result<(), UploadError> {
        let keep_free = self.keep_free;
        let failed = |error| UploadError::writing(error, keep_free);
        let mut unchecked = 0;
        for FilledBlock { block, len } in filled {
            self.write(&block[..len]).map_err(failed)?;
            // This fails only after the last block was filled, when nobody needs another.
            let _ = back.send(block);
            unchecked += len;
            if unchecked >= CHECK_INTERVAL_BYTES {
                unchecked = 0;
                if !self.bypasses_cache {
                    self.file.sync_data().map_err(failed)?;
                }
                if self.folder.free_bytes().map_err(failed)? < keep_free {
                    return Err(UploadError::NoRoom { keep_free });
                }
            }
        }
        self.file.sync_all().map_err(failed)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.bypasses_cache && !bytes.len().is_multiple_of(SECTOR_BYTES) {
                self.use_cache()?;
            }
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Some file systems accept the flag and refuse the write.
                Err(error) if self.bypasses_cache && error.kind() == io::ErrorKind::InvalidInput => self.use_cache()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn use_cache(&mut self) -> io::Result<()> {
        self.bypasses_cache = false;
        bypass_cache(&self.file, false)
    }
}

/// Sets whether writes to the file bypass the page cache.
#[cfg(target_os = "linux")]
fn bypass_cache(file: &File, enabled: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, enabled);
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn bypass_cache(_: &File, enabled: bool) -> io::Result<()> {
    if enabled { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0000000000000000000000000000000a";

    #[test]
    fn every_length_is_written_byte_for_byte() {
        for len in [
            0,
            1,
            SECTOR_BYTES,
            SECTOR_BYTES + 1,
            BLOCK_BYTES - 1,
            BLOCK_BYTES,
            BLOCK_BYTES + 1,
            5 * BLOCK_BYTES + SECTOR_BYTES,
            40 * BLOCK_BYTES + 17,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let content: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
            let disk = DiskWriter::start(UploadFolder::new(folder.path().to_owned()), ID, 0).unwrap();
            for piece in content.chunks(BLOCK_BYTES) {
                let mut block = disk.empty_block().unwrap();
                assert_eq!(block.as_ptr().align_offset(SECTOR_BYTES), 0);
                block[..piece.len()].copy_from_slice(piece);
                disk.write(block, piece.len());
            }
            disk.finish().unwrap();
            assert!(std::fs::read(folder.path().join(format!(".{ID}.part"))).unwrap() == content, "{len} bytes");
        }
    }

    #[test]
    fn a_refused_write_past_the_cache_goes_through_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = UploadFolder::new(parent.path().to_owned());
        // The file accepts the flag, but the write at an unaligned offset is refused.
        let mut file = folder.create_incoming(ID).unwrap();
        file.write_all(b"x").unwrap();
        let bypasses_cache = bypass_cache(&file, true).is_ok();
        let mut writer = FileWriter { file, bypasses_cache, folder, keep_free: 0 };
        writer.write(&Block::new()[..SECTOR_BYTES]).unwrap();
        assert_eq!(writer.file.metadata().unwrap().len(), 1 + SECTOR_BYTES as u64);
    }

    #[test]
    fn a_failure_is_returned_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskWriter::start(UploadFolder::new(folder.path().to_owned()), ID, u64::MAX).unwrap();
        while let Some(block) = disk.empty_block() {
            disk.write(block, BLOCK_BYTES);
        }
        assert!(matches!(disk.finish(), Err(UploadError::NoRoom { .. })));
    }
}
