//! The progress of files that are being read in place, for those who follow one of them. It is kept in memory only: what was
//! read counts once it is committed.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::progress::ProgressObserver;

/// The progress of one file. Its reader holds this until the rows are committed or dropped, and as long it is active.
#[derive(Default)]
pub(crate) struct ActiveRead {
    /// The content's hash, as in the manifest.
    hash: String,
    bytes: AtomicU64,
    rows: AtomicU64,
    /// The observer of the source, which gets the rows too.
    source: Option<Arc<dyn ProgressObserver>>,
}

impl ActiveRead {
    /// Starts over at the first byte.
    pub(crate) fn restart(&self) {
        self.set(0, 0);
    }

    /// Sets the progress, for a reader that counts itself.
    pub(crate) fn set(&self, bytes: u64, rows: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// Returns the bytes and rows read so far.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed))
    }

    /// A read that cannot be looked up and only reports rows to `source`.
    pub(crate) fn unlisted(source: Arc<dyn ProgressObserver>) -> Arc<Self> {
        Arc::new(Self { source: Some(source), ..Self::default() })
    }
}

impl ProgressObserver for ActiveRead {
    fn bytes_read(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn rows_read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        if let Some(source) = &self.source {
            source.rows_read(rows);
        }
    }
}

/// All active reads by path; clones share them.
#[derive(Clone, Default)]
pub(crate) struct ActiveReads(Arc<Mutex<HashMap<String, Vec<Weak<ActiveRead>>>>>);

impl ActiveReads {
    /// Registers a read of the content with this hash.
    pub(crate) fn begin(&self, path: &str, hash: &str, source: Option<Arc<dyn ProgressObserver>>) -> Arc<ActiveRead> {
        let read = Arc::new(ActiveRead { hash: hash.to_owned(), source, ..ActiveRead::default() });
        let mut all = self.all();
        all.retain(|_, reads| {
            reads.retain(|read| read.strong_count() > 0);
            !reads.is_empty()
        });
        all.entry(path.to_owned()).or_default().push(Arc::downgrade(&read));
        read
    }

    /// Returns the latest active read of this content.
    pub(crate) fn find(&self, path: &str, hash: &str) -> Option<Arc<ActiveRead>> {
        let all = self.all();
        let mut reads = all.get(path)?.iter().rev().filter_map(Weak::upgrade);
        reads.find(|read| read.hash == hash)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<ActiveRead>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that reports its bytes to an [`ActiveRead`].
pub(crate) struct CountingReader<R> {
    pub(crate) inner: R,
    pub(crate) read: Arc<ActiveRead>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.bytes_read(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_found_by_its_content() {
        let all = ActiveReads::default();
        assert!(all.find("a.csv", "h").is_none());
        let read = all.begin("a.csv", "h", None);
        let mut text = String::new();
        let mut body = CountingReader { inner: &b"12345"[..], read: Arc::clone(&read) };
        body.read_to_string(&mut text).unwrap();
        read.rows_read(2);
        assert_eq!(all.find("a.csv", "h").unwrap().progress(), (5, 2));
        assert!(all.find("a.csv", "another").is_none());
        read.restart();
        assert_eq!(read.progress(), (0, 0));
        let later = all.begin("a.csv", "later", None);
        assert!(all.find("a.csv", "h").is_some() && all.find("a.csv", "later").is_some());
        drop((read, body));
        assert!(all.find("a.csv", "h").is_none());
        drop(later);
        assert!(all.find("a.csv", "later").is_none());
    }
}
