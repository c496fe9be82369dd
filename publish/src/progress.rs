//! The progress bars on stderr, one a file. Where stderr is no terminal nothing is drawn, and the log says what goes on.

use std::{
    io::{self, Write},
    time::Duration,
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::{
    job::{Job, JobState},
    outcome::plain,
};

/// While bytes are sent.
const SENDING: &str =
    "{prefix:24!} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
/// While the master reads, and says how far it is.
const READING: &str = "{prefix:24!} [{wide_bar}] {percent} %, {msg}, {eta} left";
/// While nobody knows how long it takes.
const WAITING: &str = "{prefix:24!} {spinner} {msg}";
/// A bar of the reading is so long: a tenth of a percent a step.
const STEPS: u64 = 1_000;

/// All bars.
#[derive(Clone, Default)]
pub struct Board(MultiProgress);

impl Board {
    /// Whether nothing is drawn.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// Where the log is written: past the bars, so that neither tears the other.
    pub fn log(&self) -> impl Fn() -> LogLine + Send + Sync + 'static {
        let board = self.clone();
        move || LogLine(board.clone())
    }

    /// A line on stdout, past the bars.
    pub(crate) fn say(&self, line: &str) -> io::Result<()> {
        self.0.suspend(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush())
        })
    }

    /// Adds the bar of a file.
    pub(crate) fn line(&self, name: &str, size: u64) -> Line {
        let bar = self.0.add(ProgressBar::new(size));
        bar.set_prefix(plain(name));
        if !self.0.is_hidden() {
            // A thread a bar.
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Line { bar, size }
    }
}

/// Writes to stderr while the bars are out of the way.
pub struct LogLine(Board);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The bar of one file.
pub(crate) struct Line {
    bar: ProgressBar,
    size: u64,
}

impl Line {
    /// A try begins.
    pub(crate) fn begin_sending(&self) {
        self.draw(SENDING);
        self.bar.set_length(self.size);
        self.bar.set_position(0);
    }

    /// So many bytes have gone.
    pub(crate) fn show_sent(&self, bytes: u64) {
        if bytes < self.size {
            self.bar.set_position(bytes);
        } else {
            self.wait("waiting until the master has it on its disk");
        }
    }

    /// A try has failed and another follows.
    pub(crate) fn show_pause(&self, next: u32, tries: u32) {
        self.wait(&format!("the connection broke; try {next} of {tries} follows"));
    }

    /// The master does not answer.
    pub(crate) fn show_silence(&self) {
        self.wait("waiting for the master to answer");
    }

    /// What the master says.
    pub(crate) fn show_job(&self, job: &Job) {
        match (job.state, job.percent) {
            (JobState::Processing, Some(percent)) => {
                // A step back, from bytes to these steps, makes the bar estimate anew.
                self.bar.set_position((percent.clamp(0.0, 100.0) * STEPS as f64 / 100.0) as u64);
                self.bar.set_length(STEPS);
                self.draw(READING);
                self.bar.set_message(format!("{} rows", HumanCount(job.rows)));
            }
            (JobState::Processing, None) => self.wait(&format!("processing, {} rows", HumanCount(job.rows))),
            (JobState::Queued, _) => self.wait("waiting for its turn"),
            _ => {}
        }
    }

    fn wait(&self, message: &str) {
        self.draw(WAITING);
        self.bar.set_message(message.to_owned());
    }

    fn draw(&self, template: &str) {
        if !self.bar.is_hidden() {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar.set_style(style);
        }
    }
}

/// The bar goes; what became of the file is said on stdout.
impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for template in [SENDING, READING, WAITING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
