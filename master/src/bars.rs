//! The progress display of `master --once`: a line a source on stderr with its files, bytes and rows. Where stderr is no
//! terminal nothing is drawn.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use indicatif::{HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;
use tributary_engine::ProgressObserver;

/// All lines of the display.
#[derive(Clone, Default)]
pub struct Bars(MultiProgress);

impl Bars {
    /// Adds the line of one source.
    #[must_use]
    pub fn source(&self, name: &str) -> Arc<dyn ProgressObserver> {
        let bar = self.0.add(ProgressBar::new_spinner());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {prefix:20!} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_prefix(name.to_owned());
        if !self.0.is_hidden() {
            // A thread a bar.
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        let line = SourceBar { bar, counts: Mutex::default() };
        line.phase("asking");
        Arc::new(line)
    }

    /// Runs `write` while the display is out of the way.
    fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Takes the display away.
    pub fn clear(&self) {
        // A terminal that cannot be cleared loses nothing but looks.
        let _ = self.0.clear();
    }
}

/// Logs are written past the bars, so that neither tears the other.
impl<'a> MakeWriter<'a> for Bars {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Writes to stderr while the display is out of the way.
pub struct Line<'a>(&'a Bars);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.beside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The line of one source.
struct SourceBar {
    bar: ProgressBar,
    /// Guards the numbers shown on this line; held only to add to them.
    counts: Mutex<Counts>,
}

#[derive(Default, Clone)]
struct Counts {
    files: u64,
    files_done: u64,
    bytes: u64,
    rows: u64,
}

impl ProgressObserver for SourceBar {
    fn files_expected(&self, files: u64) {
        self.count("reading", |counts| counts.files = counts.files_done + files);
    }

    fn file_read(&self) {
        self.count("reading", |counts| counts.files_done += 1);
    }

    fn bytes_read(&self, bytes: u64) {
        self.count("reading", |counts| counts.bytes += bytes);
    }

    fn rows_read(&self, rows: u64) {
        self.count("reading", |counts| counts.rows += rows);
    }

    fn phase(&self, phase: &'static str) {
        self.count(phase, |_| {});
    }

    fn finished(&self, outcome: &str) {
        self.bar.finish_with_message(outcome.to_owned());
    }
}

impl SourceBar {
    fn count(&self, doing: &'static str, change: impl FnOnce(&mut Counts)) {
        let counts = {
            let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            change(&mut counts);
            counts.clone()
        };
        if !self.bar.is_hidden() {
            let Counts { files, files_done, bytes, rows } = counts;
            self.bar.set_message(format!(
                "{doing}: {files_done}/{files} files, {}, {} rows",
                HumanBytes(bytes),
                HumanCount(rows)
            ));
        }
    }
}
