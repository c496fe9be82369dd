//! The progress bar, on stderr. Where stderr is no terminal nothing is drawn.

use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// What is shown while a file is written.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(name: &str, rows: u64) -> Self {
        let bar = ProgressBar::new(rows).with_style(
            ProgressStyle::with_template(
                "{prefix} [{wide_bar}] {percent:>3} % {human_pos}/{human_len} rows, {msg}, {eta} left",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_prefix(name.to_owned());
        Self { bar, started: Instant::now() }
    }

    /// So much is written.
    pub(crate) fn show(&self, rows: u64, bytes: u64) {
        if !self.bar.is_hidden() {
            let speed = bytes as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
            self.bar.set_message(format!("{}, {}/s", HumanBytes(bytes), HumanBytes(speed as u64)));
            self.bar.set_position(rows);
        }
    }

    /// All is written, but the disk does not hold it yet.
    pub(crate) fn show_waiting(&self) {
        self.bar.set_message("waiting for the disk");
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
