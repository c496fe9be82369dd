//! The progress bar on stderr. Nothing is drawn where stderr is not a terminal.

use std::time::Instant;

use tributary_cli_common::{
    bars::{Bar, Bars},
    text::thousands,
};

const TEMPLATE: &str = "{prefix} [{wide_bar}] {percent:>3} % {msg}, {eta} left";

/// The bar of the file that is being written.
pub(crate) struct Progress {
    bar: Bar,
    rows: u64,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(name: &str, rows: u64) -> Self {
        let bar = Bars::default().add(TEMPLATE, name);
        bar.set_length(rows);
        Self { bar, rows, started: Instant::now() }
    }

    pub(crate) fn show_written(&self, rows: u64, bytes: u64) {
        if !self.bar.is_hidden() {
            let megabytes = bytes as f64 / 1e6;
            let speed = megabytes / self.started.elapsed().as_secs_f64().max(1e-3);
            let (written, all) = (thousands(rows), thousands(self.rows));
            self.bar.set_message(format!("{written}/{all} rows, {megabytes:.0} MB, {speed:.0} MB/s"));
            self.bar.set_position(rows);
        }
    }

    /// Everything is written, but not on disk yet.
    pub(crate) fn show_syncing(&self) {
        self.bar.set_message("waiting for the disk");
    }

    pub(crate) fn remove(&self) {
        self.bar.remove();
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
