//! The progress display of `master --once`: a line per source on stderr with its files, bytes and rows.

use std::sync::{Arc, Mutex, PoisonError};

use tributary_cli_common::{
    bars::{Bar, Bars, HumanBytes},
    text::{counted, one_line},
};
use tributary_engine::ProgressObserver;

const TEMPLATE: &str = "{spinner} {prefix:20!} {msg}";

/// Adds the line of one source.
#[must_use]
pub fn source_progress(bars: &Bars, name: &str) -> Arc<dyn ProgressObserver> {
    let progress = SourceProgress { bar: bars.add(TEMPLATE, &one_line(name)), counts: Mutex::default() };
    progress.phase("asking");
    Arc::new(progress)
}

/// The line of one source.
struct SourceProgress {
    bar: Bar,
    /// Guards the numbers on this line, for one update at a time.
    counts: Mutex<Counts>,
}

#[derive(Default, Clone)]
struct Counts {
    files: u64,
    files_read: u64,
    bytes: u64,
    rows: u64,
}

impl ProgressObserver for SourceProgress {
    fn files_expected(&self, files: u64) {
        self.update("reading", |counts| counts.files = counts.files_read + files);
    }

    fn file_read(&self) {
        self.update("reading", |counts| counts.files_read += 1);
    }

    fn bytes_read(&self, bytes: u64) {
        self.update("reading", |counts| counts.bytes += bytes);
    }

    fn rows_read(&self, rows: u64) {
        self.update("reading", |counts| counts.rows += rows);
    }

    fn phase(&self, phase: &'static str) {
        self.update(phase, |_| {});
    }

    fn finished(&self, outcome: &str) {
        self.bar.finish(one_line(outcome));
    }
}

impl SourceProgress {
    fn update(&self, phase: &'static str, change: impl FnOnce(&mut Counts)) {
        let Counts { files, files_read, bytes, rows } = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut counts);
            counts.clone()
        };
        if !self.bar.is_hidden() {
            let (bytes, rows) = (HumanBytes(bytes), counted(rows, "row"));
            self.bar.set_message(format!("{phase}: {files_read}/{files} files, {bytes}, {rows}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(tributary_cli_common::bars::is_template(TEMPLATE));
    }
}
