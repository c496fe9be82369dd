//! The pass over a source that is under way: since when, and how far it is. A source that sends for an hour must not look like one that is
//! asked at the moment.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{clock, progress::ProgressObserver};

/// A pass that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningPass {
    /// When it began, RFC 3339.
    pub since: String,
    /// When it began, as this process measures time.
    started: Instant,
    /// `listing`, `reading`, `applying` or `reporting`.
    pub phase: &'static str,
    /// Files to read, as far as they are known.
    pub files: u64,
    /// Files that were read, or could not be.
    pub files_read: u64,
    /// Bytes that have arrived or were read.
    pub bytes: u64,
}

impl RunningPass {
    fn new() -> Self {
        let (since, started) = (clock::now(), Instant::now());
        Self { since, started, phase: "listing", files: 0, files_read: 0, bytes: 0 }
    }

    /// For how long it has been under way.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The pass over one source, if one is under way; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Option<RunningPass>>>);

impl Running {
    /// The pass as it is now.
    pub(super) fn copy(&self) -> Option<RunningPass> {
        self.pass().clone()
    }

    /// Notes that a pass begins.
    pub(super) fn begins(&self) {
        *self.pass() = Some(RunningPass::new());
    }

    /// Notes that it has ended.
    pub(super) fn ends(&self) {
        *self.pass() = None;
    }

    /// A pass that began so long ago.
    #[cfg(test)]
    pub(super) fn since(since: &str, ago: Duration) -> Self {
        let started = Instant::now().checked_sub(ago).expect("the machine runs for longer");
        Self(Arc::new(Mutex::new(Some(RunningPass { since: since.to_owned(), started, ..RunningPass::new() }))))
    }

    fn update(&self, change: impl FnOnce(&mut RunningPass)) {
        change(self.pass().get_or_insert_with(RunningPass::new));
    }

    /// Held for one change or one copy only.
    fn pass(&self) -> MutexGuard<'_, Option<RunningPass>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the progress of a source's passes, and passes it on.
pub(super) struct Noting {
    pub(super) running: Running,
    pub(super) inner: Arc<dyn ProgressObserver>,
}

impl ProgressObserver for Noting {
    fn files_expected(&self, files: u64) {
        self.running.update(|pass| (pass.phase, pass.files) = ("reading", pass.files + files));
        self.inner.files_expected(files);
    }

    fn file_read(&self) {
        self.running.update(|pass| pass.files_read += 1);
        self.inner.file_read();
    }

    fn bytes_read(&self, bytes: u64) {
        self.running.update(|pass| pass.bytes += bytes);
        self.inner.bytes_read(bytes);
    }

    fn rows_read(&self, rows: u64) {
        self.inner.rows_read(rows);
    }

    fn phase(&self, phase: &'static str) {
        self.running.update(|pass| pass.phase = phase);
        self.inner.phase(phase);
    }

    fn finished(&self, outcome: &str) {
        self.running.ends();
        self.inner.finished(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Unobserved;

    #[test]
    fn a_pass_is_known_from_its_begin_to_its_end() {
        let running = Running::default();
        let noting = Noting { running: running.clone(), inner: Arc::new(Unobserved) };
        assert_eq!(running.copy(), None);
        noting.phase("listing");
        noting.files_expected(3);
        noting.bytes_read(5);
        noting.bytes_read(6);
        noting.file_read();
        let pass = running.copy().unwrap();
        assert_eq!((pass.phase, pass.files, pass.files_read, pass.bytes), ("reading", 3, 1, 11));
        noting.finished("failed");
        assert_eq!(running.copy(), None);
    }
}
