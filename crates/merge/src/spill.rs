//! Spill files: sorted rows that do not fit in memory. Many inputs share few files, because the number of open files per
//! process is limited.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// Size at which the next spill file is started. A single file would be simpler, but on ext4 it slows down the database writes that
/// follow: five million rows took 12.6 s with one file and take 10.9 s with several.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Files to which sorted rows are appended, shared by all clones. Each file is created when it is needed and lives as long as
/// a chunk that is stored in it.
#[derive(Clone)]
pub struct SpillFiles(Arc<Shared>);

struct Shared {
    create: Box<dyn Fn() -> io::Result<File> + Send + Sync>,
    /// Guards the last file and its length. Held during an append.
    last: Mutex<Option<(Arc<File>, u64)>>,
}

impl SpillFiles {
    /// Uses `create` for each new file. It must return an empty file that is open for reading and writing.
    pub fn new(create: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { create: Box::new(create), last: Mutex::default() }))
    }

    /// Calls `write` with a file and the offset to write at, and returns both. `write` returns the number of bytes written.
    /// Appends take turns: the system serialises writes to one file anyway, and the waiting threads would spin.
    pub(crate) fn append(&self, write: impl FnOnce(&File, u64) -> io::Result<u64>) -> io::Result<(Arc<File>, u64)> {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|(_, end)| *end >= MAX_FILE_BYTES) {
            *last = None;
        }
        let (file, end) = match &mut *last {
            Some(last) => last,
            none => none.insert((Arc::new((self.0.create)()?), 0)),
        };
        let start = *end;
        *end += write(file, start)?;
        Ok((Arc::clone(file), start))
    }
}
