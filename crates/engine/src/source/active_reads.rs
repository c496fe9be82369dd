//! The files that are being read in place, for those who watch one of them. In memory only: what was read counts once it is
//! committed.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::progress::ProgressObserver;

/// One file that is being read. It is active as long as its reader holds it, which lasts until the rows are committed or
/// given up.
#[derive(Default)]
pub(crate) struct ActiveRead {
    /// The content's hash, as in the manifest.
    hash: String,
    bytes: AtomicU64,
    rows: AtomicU64,
    /// Also hears of the rows: the observer of the source.
    source: Option<Arc<dyn ProgressObserver>>,
}

impl ActiveRead {
    /// Starts again from the first byte.
    pub(crate) fn restart(&self) {
        self.set(0, 0);
    }

    /// Sets the progress of a reader that counts by itself.
    pub(crate) fn set(&self, bytes: u64, rows: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// Bytes and rows read so far.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed))
    }

    /// A read that nobody looks up; it only passes the rows on.
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

/// All readings that are under way, by path; clones share them. A reading is under way as long as somebody holds it, which
/// whoever reads does until what was read is committed or given up.
#[derive(Clone, Default)]
pub(crate) struct ActiveReads(Arc<Mutex<HashMap<String, Vec<Weak<ActiveRead>>>>>);

impl ActiveReads {
    /// The content with this hash is going to be read.
    pub(crate) fn begin(&self, path: &str, hash: &str, source: Option<Arc<dyn ProgressObserver>>) -> Arc<ActiveRead> {
        let read = Arc::new(ActiveRead { hash: hash.to_owned(), source, ..ActiveRead::default() });
        let mut all = self.all();
        all.retain(|_, readings| {
            readings.retain(|reading| reading.strong_count() > 0);
            !readings.is_empty()
        });
        all.entry(path.to_owned()).or_default().push(Arc::downgrade(&read));
        read
    }

    /// The last reading of this content that is under way.
    pub(crate) fn of(&self, path: &str, hash: &str) -> Option<Arc<ActiveRead>> {
        let all = self.all();
        let mut readings = all.get(path)?.iter().rev().filter_map(Weak::upgrade);
        readings.find(|read| read.hash == hash)
    }

    /// Whether a reading of another content is under way, which may yet be committed.
    pub(crate) fn has_another(&self, path: &str, hash: &str) -> bool {
        let all = self.all();
        all.get(path).is_some_and(|all| all.iter().filter_map(Weak::upgrade).any(|read| read.hash != hash))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<ActiveRead>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what is read through it.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) read: Arc<ActiveRead>,
}

impl<R: Read> Read for Counted<R> {
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
    fn a_reading_is_known_by_its_content() {
        let all = ActiveReads::default();
        assert!(all.of("a.csv", "h").is_none());
        let read = all.begin("a.csv", "h", None);
        let mut text = String::new();
        let mut body = Counted { inner: &b"12345"[..], read: Arc::clone(&read) };
        body.read_to_string(&mut text).unwrap();
        read.rows_read(2);
        assert_eq!(all.of("a.csv", "h").unwrap().so_far(), (5, 2));
        assert!(all.of("a.csv", "another").is_none());
        read.restart();
        assert_eq!(read.so_far(), (0, 0));
        assert!(!all.has_another("a.csv", "h") && all.has_another("a.csv", "another"));
        let later = all.begin("a.csv", "later", None);
        assert!(all.of("a.csv", "h").is_some() && all.of("a.csv", "later").is_some());
        drop((read, body));
        assert!(all.of("a.csv", "h").is_none() && !all.has_another("a.csv", "later"));
        drop(later);
        assert!(!all.has_another("a.csv", "h"));
    }
}
