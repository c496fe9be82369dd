//! A new file that is written past the page cache where its file system lets one: an upload of many gigabytes would drive out of
//! the cache what others need, and the copy into it costs more time than the disk. A thread of its own writes, so that the
//! next block is filled meanwhile.

use std::{
    fs::File,
    io::{self, Write},
    ops::{Deref, DerefMut},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use anyhow::anyhow;

use super::{Shelf, UploadError};

/// Bytes that are written at a time.
pub(super) const BLOCK: usize = 1 << 20;
/// Blocks of a file: one is filled while others are written.
const BLOCKS: usize = 3;
/// What addresses, lengths and places of writes past the cache are multiples of: no disk has larger sectors.
const SECTOR: usize = 4096;
/// Bytes after which free room is looked at, and what went into the cache after all is sent to the disk.
const STRIDE: usize = 32 << 20;

/// A piece of memory that begins where a sector can.
pub(super) struct Block {
    memory: Vec<u8>,
    begin: usize,
}

impl Block {
    fn new() -> Self {
        let memory = vec![0; BLOCK + SECTOR];
        let begin = memory.as_ptr().align_offset(SECTOR).min(SECTOR);
        Self { memory, begin }
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.begin..][..BLOCK]
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.begin..][..BLOCK]
    }
}

/// The thread that writes one file.
pub(super) struct Disk {
    filled: SyncSender<(Block, usize)>,
    empty: Receiver<Block>,
    thread: JoinHandle<Result<(), UploadError>>,
}

impl Disk {
    /// Writes into the new file of the upload `id` as long as `keep_free` bytes stay free.
    ///
    /// # Errors
    /// The file or the thread cannot be made.
    pub(super) fn begin(shelf: Shelf, id: &str, keep_free: u64) -> Result<Self, UploadError> {
        let failed = |error| UploadError::writing(error, keep_free);
        let file = shelf.make().and_then(|()| shelf.begin(id)).map_err(failed)?;
        let past_cache = bypass_cache(&file, true).is_ok();
        let (filled, received) = sync_channel(BLOCKS);
        let (back, empty) = sync_channel(BLOCKS);
        (0..BLOCKS).try_for_each(|_| back.send(Block::new())).map_err(|_| panicked())?;
        let writing = Writing { file, past_cache, shelf, keep_free };
        let thread = std::thread::Builder::new().name("disk".to_owned());
        let thread = thread.spawn(move || writing.run(&received, &back)).map_err(failed)?;
        Ok(Self { filled, empty, thread })
    }

    /// A block to fill; none if the writing has failed, which [`Self::finish`] tells.
    pub(super) fn block(&self) -> Option<Block> {
        self.empty.recv().ok()
    }

    /// Writes the first `len` bytes of a block; only the last block of a file may be filled in part.
    pub(super) fn write(&self, block: Block, len: usize) {
        // Where the thread has ended `finish` tells why.
        let _ = self.filled.send((block, len));
    }

    /// Waits until everything is on disk.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) fn finish(self) -> Result<(), UploadError> {
        drop(self.filled);
        self.thread.join().unwrap_or_else(|_| Err(panicked()))
    }
}

fn panicked() -> UploadError {
    UploadError::Failed(anyhow!("the thread that writes an upload has panicked"))
}

/// What the thread owns.
struct Writing {
    file: File,
    past_cache: bool,
    shelf: Shelf,
    keep_free: u64,
}

impl Writing {
    fn run(mut self, filled: &Receiver<(Block, usize)>, back: &SyncSender<Block>) -> Result<(), UploadError> {
        let keep_free = self.keep_free;
        let failed = |error| UploadError::writing(error, keep_free);
        let mut since = 0;
        for (block, len) in filled {
            self.write(&block[..len]).map_err(failed)?;
            // Nobody takes it back once the last one was filled.
            let _ = back.send(block);
            since += len;
            if since >= STRIDE {
                since = 0;
                if !self.past_cache {
                    self.file.sync_data().map_err(failed)?;
                }
                if self.shelf.free().map_err(failed)? < keep_free {
                    return Err(UploadError::NoRoom { keep_free });
                }
            }
        }
        self.file.sync_all().map_err(failed)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.past_cache && !bytes.len().is_multiple_of(SECTOR) {
                self.use_cache()?;
            }
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Some file systems say only now that they cannot.
                Err(error) if self.past_cache && error.kind() == io::ErrorKind::InvalidInput => self.use_cache()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn use_cache(&mut self) -> io::Result<()> {
        self.past_cache = false;
        bypass_cache(&self.file, false)
    }
}

/// Whether what is written to the file goes by the page cache.
#[cfg(target_os = "linux")]
fn bypass_cache(file: &File, whether: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, whether);
    Ok(fcntl_setfl(file, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn bypass_cache(_: &File, whether: bool) -> io::Result<()> {
    if whether { Err(io::ErrorKind::Unsupported.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0000000000000000000000000000000a";

    #[test]
    fn every_length_is_written_byte_for_byte() {
        for len in [0, 1, SECTOR, SECTOR + 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + SECTOR, 40 * BLOCK + 17] {
            let folder = tempfile::tempdir().unwrap();
            let content: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
            let disk = Disk::begin(Shelf::new(folder.path().to_owned()), ID, 0).unwrap();
            for piece in content.chunks(BLOCK) {
                let mut block = disk.block().unwrap();
                assert_eq!(block.as_ptr().align_offset(SECTOR), 0);
                block[..piece.len()].copy_from_slice(piece);
                disk.write(block, piece.len());
            }
            disk.finish().unwrap();
            assert!(std::fs::read(folder.path().join(format!(".{ID}.part"))).unwrap() == content, "{len} bytes");
        }
    }

    #[test]
    fn a_file_system_that_cannot_go_by_its_cache_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_owned());
        // As if it could, which a file that lies out of step shows it cannot.
        let mut file = shelf.begin(ID).unwrap();
        file.write_all(b"x").unwrap();
        let past_cache = bypass_cache(&file, true).is_ok();
        let mut writing = Writing { file, past_cache, shelf, keep_free: 0 };
        writing.write(&Block::new()[..SECTOR]).unwrap();
        assert_eq!(writing.file.metadata().unwrap().len(), 1 + SECTOR as u64);
    }

    #[test]
    fn what_fails_is_told_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::begin(Shelf::new(folder.path().to_owned()), ID, u64::MAX).unwrap();
        while let Some(block) = disk.block() {
            disk.write(block, BLOCK);
        }
        assert!(matches!(disk.finish(), Err(UploadError::NoRoom { .. })));
    }
}
