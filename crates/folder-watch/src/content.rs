//! The bytes of an entry, open for reading.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Take},
    os::unix::fs::FileExt,
};

use crate::{snapshot::Entry, stat::Stat};

const BUFFER_BYTES: usize = 256 * 1024;

/// An open entry. It gives exactly the bytes that were hashed, however long the file has become.
#[derive(Debug)]
pub struct Content {
    file: Take<File>,
    /// The stat with which the file is known to hold the entry's bytes.
    known: Stat,
    entry: Entry,
}

impl Content {
    /// Returns the content of an open file. `None` if the file no longer holds the entry's bytes.
    pub(crate) fn of(entry: &Entry, file: File, stat: Stat) -> io::Result<Option<Self>> {
        let content = Self { file: file.take(entry.size), known: entry.stat, entry: entry.clone() };
        Ok(content.holds(stat)?.then_some(Self { known: stat, ..content }))
    }

    /// Makes the next read begin at this byte.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn skip_to(&mut self, first: u64) -> io::Result<()> {
        self.file.get_mut().seek(SeekFrom::Start(first))?;
        self.file.set_limit(self.entry.size.saturating_sub(first));
        Ok(())
    }

    /// Checks that the file still holds the bytes that were hashed. Call it after the last read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_unchanged(&self) -> io::Result<bool> {
        self.holds(Stat::of(&self.file.get_ref().metadata()?))
    }

    fn holds(&self, stat: Stat) -> io::Result<bool> {
        if stat == self.known {
            return Ok(true);
        }
        // A file that is being written changes all the time, so its stat proves nothing.
        Ok(self.entry.is_partial && self.entry.may_be(stat) && self.hash()? == self.entry.hash)
    }

    fn hash(&self) -> io::Result<String> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut at = 0;
        while at < self.entry.size {
            let most = usize::try_from(self.entry.size - at).unwrap_or(BUFFER_BYTES).min(BUFFER_BYTES);
            match self.file.get_ref().read_at(&mut buffer[..most], at) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    at += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(crate::hash::text(&hasher))
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}
