//! Offers the files that never rest, up to their last complete record.

use std::{sync::atomic::Ordering, time::Instant};

use tracing::warn;

use super::Watcher;
use crate::{
    cut::{CutOutcome, cut_file},
    index::{Overdue, OverduePath},
    open::is_shortage,
    scan::ScanError,
};

/// A file that is being rewritten keeps its known content for this many times the longest wait. A program that writes slowly
/// would otherwise show a part of its file, without the rows that it has yet to write.
const REWRITE_WAITS: u32 = 10;
/// A file is cut again after at least this many times the time that it took: a large one must not keep the disk busy.
const CUT_PAUSES: u32 = 4;

impl Watcher {
    /// Cuts every file that is overdue.
    pub(super) fn take_overdue(&mut self) -> Result<(), ScanError> {
        for overdue in self.index.overdue(Instant::now()) {
            self.cut(&overdue)?;
        }
        self.shared.waiting_files.store(self.index.waiting(), Ordering::Relaxed);
        Ok(())
    }

    /// Accepts a file up to its last complete record. Returns whether that was possible.
    pub(super) fn cut(&mut self, overdue: &OverduePath) -> Result<bool, ScanError> {
        let OverduePath { path, known, finally } = overdue;
        let (began, wait) = (Instant::now(), self.index.max_settle());
        let outcome = cut_file(&self.root, path, known.as_ref(), &self.shared);
        let now = Instant::now();
        let next = Overdue { at: now + wait.max((now - began) * CUT_PAUSES), finally: false, waits: false };
        match outcome {
            Ok(CutOutcome::Cut { hashed, extends_known }) if extends_known || *finally => {
                self.say_once(path, "so it is offered up to its last complete record until it is quiet");
                self.index.accept(path, hashed, now);
                self.index.postpone(path, next);
                return Ok(true);
            }
            Ok(CutOutcome::Cut { .. }) => {
                self.say_once(path, "and does not extend what it held, which stays until it is quiet");
                let at = now + wait * (REWRITE_WAITS - 1);
                self.index.postpone(path, Overdue { at, finally: true, waits: true });
            }
            Ok(CutOutcome::Whole(reason)) => {
                self.say_once(path, &format!("and counts only once it is quiet, since {reason}"));
                self.index.postpone(path, Overdue { waits: true, finally: *finally, ..next });
            }
            Ok(CutOutcome::Vanished) => {
                let seen = self.stat_path(path)?;
                self.observe(path, seen, now);
                self.index.postpone(path, next);
            }
            Err(error) if is_shortage(&error) => return Err(ScanError::reading(path, error)),
            Err(error) => self.index.set_unreadable(path, error.to_string(), None),
        }
        Ok(false)
    }

    fn say_once(&mut self, path: &str, what: &str) {
        if self.said.insert(path.to_owned()) {
            warn!(file.path = path, "`{path}` does not stop changing, {what}");
        }
    }
}
