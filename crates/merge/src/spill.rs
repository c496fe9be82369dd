//! The file for what memory has no room for: one for all files of a version, because a process may have only so many open.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// A file to which sorted rows are appended; clones share it. It is made when it is needed, and lives as long as anything that
/// lies in it is used.
#[derive(Clone)]
pub struct Spill(Arc<Shared>);

struct Shared {
    make: Box<dyn Fn() -> io::Result<File> + Send + Sync>,
    /// The file, and its end. Held only to hand out a place.
    file: Mutex<Option<(Arc<File>, u64)>>,
}

impl Spill {
    /// `make` makes an empty file, to be written and read.
    pub fn new(make: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { make: Box::new(make), file: Mutex::default() }))
    }

    /// A place for so many bytes, which nobody else gets: the file and where in it the place begins.
    pub(crate) fn place(&self, bytes: u64) -> io::Result<(Arc<File>, u64)> {
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = match &mut *file {
            Some(file) => file,
            empty => empty.insert((Arc::new((self.0.make)()?), 0)),
        };
        let start = *end;
        *end += bytes;
        Ok((Arc::clone(file), start))
    }
}
