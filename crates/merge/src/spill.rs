//! Where rows lie that memory has no room for: in few files, whatever the number of those they come from, because a process may
//! have only so many open.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes from which on another file is begun. One file for all would be simpler, but on ext4 what is written to the database afterwards
/// then takes longer: five million rows took 12.6 s so, and take 10.9 s.
const FILE_BYTES: u64 = 64 << 20;

/// Files to which sorted rows are appended; clones share them. Each is made when it is needed, and lives as long as anything that
/// lies in it is used.
#[derive(Clone)]
pub struct Spill(Arc<Shared>);

struct Shared {
    make: Box<dyn Fn() -> io::Result<File> + Send + Sync>,
    /// The last file, and its end. Held while something is appended.
    file: Mutex<Option<(Arc<File>, u64)>>,
}

impl Spill {
    /// `make` makes an empty file, to be written and read.
    pub fn new(make: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { make: Box::new(make), file: Mutex::default() }))
    }

    /// Has `write` append to the file, from the place on that it is told; it returns how many bytes it has written. Returns the file and
    /// that place. One writes at a time: the system lets only one write to a file, and lets the others spin.
    pub(crate) fn append(&self, write: impl FnOnce(&File, u64) -> io::Result<u64>) -> io::Result<(Arc<File>, u64)> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_ref().is_some_and(|(_, end)| *end >= FILE_BYTES) {
            *file = None;
        }
        let (file, end) = match &mut *file {
            Some(file) => file,
            empty => empty.insert((Arc::new((self.0.make)()?), 0)),
        };
        let start = *end;
        *end += write(file, start)?;
        Ok((Arc::clone(file), start))
    }
}
