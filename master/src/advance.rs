//! How far the files are that are being read in place, for those who watch one of them. In memory only: what was read counts
//! when it is committed.

use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

/// How far the reading of one content is. Written by whoever reads it.
#[derive(Debug, Default)]
pub(crate) struct Advance {
    /// The content's hash, as the manifest has it.
    hash: String,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Advance {
    /// The reading begins, or begins anew.
    pub(crate) fn restart(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.rows.store(0, Ordering::Relaxed);
    }

    /// The reading is so far.
    pub(crate) fn set(&self, bytes: u64, rows: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// More rows have been read.
    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Bytes and rows so far.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed))
    }
}

/// All readings that are under way, by path; clones share them. A reading is under way as long as somebody holds it, which
/// whoever reads does until what was read is committed or given up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Advances(Arc<Mutex<HashMap<String, Vec<Weak<Advance>>>>>);

impl Advances {
    /// The content with this hash is going to be read.
    pub(crate) fn begin(&self, path: &str, hash: &str) -> Arc<Advance> {
        let advance = Arc::new(Advance { hash: hash.to_owned(), ..Advance::default() });
        let mut all = self.all();
        all.retain(|_, readings| {
            readings.retain(|reading| reading.strong_count() > 0);
            !readings.is_empty()
        });
        all.entry(path.to_owned()).or_default().push(Arc::downgrade(&advance));
        advance
    }

    /// The last reading of this content that is under way.
    pub(crate) fn of(&self, path: &str, hash: &str) -> Option<Arc<Advance>> {
        let all = self.all();
        let mut readings = all.get(path)?.iter().rev().filter_map(Weak::upgrade);
        readings.find(|advance| advance.hash == hash)
    }

    /// Whether a reading of another content is under way, which may yet be committed.
    pub(crate) fn has_another(&self, path: &str, hash: &str) -> bool {
        let all = self.all();
        all.get(path).is_some_and(|all| all.iter().filter_map(Weak::upgrade).any(|advance| advance.hash != hash))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<Advance>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what is read through it.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) advance: Arc<Advance>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.advance.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_known_by_its_content() {
        let all = Advances::default();
        assert!(all.of("a.csv", "h").is_none());
        let advance = all.begin("a.csv", "h");
        let mut text = String::new();
        let mut body = Counted { inner: &b"12345"[..], advance: Arc::clone(&advance) };
        body.read_to_string(&mut text).unwrap();
        advance.add_rows(2);
        assert_eq!(all.of("a.csv", "h").unwrap().so_far(), (5, 2));
        assert!(all.of("a.csv", "another").is_none());
        advance.restart();
        assert_eq!(advance.so_far(), (0, 0));
        assert!(!all.has_another("a.csv", "h") && all.has_another("a.csv", "another"));
        let later = all.begin("a.csv", "later");
        assert!(all.of("a.csv", "h").is_some() && all.of("a.csv", "later").is_some());
        drop((advance, body));
        assert!(all.of("a.csv", "h").is_none() && !all.has_another("a.csv", "later"));
        drop(later);
        assert!(!all.has_another("a.csv", "h"));
    }
}
