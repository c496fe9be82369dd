//! The progress bar of one file. Where stderr is not a terminal nothing is drawn, and the log shows the progress.

use tributary_cli_common::{
    bars::{Bar, Bars},
    text::{counted, one_line},
};

use crate::{
    LocalFile,
    status::{UploadState, UploadStatus},
};

/// While bytes are sent.
const SENDING: &str =
    "{prefix:24!} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
/// While the master reads the file and reports how far it is.
const READING: &str = "{prefix:24!} [{wide_bar}] {percent} %, {msg}, {eta} left";
/// While the remaining time is unknown.
const WAITING: &str = "{prefix:24!} {spinner} {msg}";
/// Length of the bar while the master reads: a tenth of a percent per step.
const READING_STEPS: u64 = 1_000;

/// The bar of one file. It disappears with this value: the outcome is printed on stdout.
pub(crate) struct FileProgress {
    bar: Bar,
    size: u64,
}

impl FileProgress {
    pub(crate) fn new(bars: &Bars, file: &LocalFile) -> Self {
        Self { bar: bars.add(WAITING, &one_line(&file.name)), size: file.size }
    }

    /// Starts at the bytes that the master has, at each try.
    pub(crate) fn show_start(&self, offset: u64) {
        self.bar.set_template(SENDING);
        self.bar.set_length(self.size);
        self.bar.set_position(offset);
    }

    pub(crate) fn show_sent(&self, bytes: u64) {
        if bytes < self.size {
            self.bar.set_position(bytes);
        } else {
            self.wait("waiting until the master has it on disk");
        }
    }

    pub(crate) fn show_retry(&self, next: u32, max: u32) {
        self.wait(&format!("failed; try {next} of {max} follows"));
    }

    pub(crate) fn show_other_run(&self) {
        self.wait("another run sends it");
    }

    pub(crate) fn show_busy(&self) {
        self.wait("waiting until the master takes more uploads");
    }

    pub(crate) fn show_silence(&self) {
        self.wait("waiting for the master to answer");
    }

    pub(crate) fn show_status(&self, status: &UploadStatus) {
        let rows = counted(status.rows, "row");
        match (status.state, status.percent) {
            (UploadState::Processing, Some(percent)) => {
                // The step back, from bytes to these steps, makes the bar start its estimate afresh.
                self.bar.set_position((percent.clamp(0.0, 100.0) * READING_STEPS as f64 / 100.0) as u64);
                self.bar.set_length(READING_STEPS);
                self.bar.set_template(READING);
                self.bar.set_message(rows);
            }
            (UploadState::Processing, None) => self.wait(&format!("processing, {rows}")),
            (UploadState::Queued, _) => self.wait("queued"),
            _ => {}
        }
    }

    fn wait(&self, message: &str) {
        self.bar.set_template(WAITING);
        self.bar.set_message(message);
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        self.bar.remove();
    }
}

#[cfg(test)]
mod tests {
    use tributary_cli_common::bars::is_template;

    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [SENDING, READING, WAITING] {
            assert!(is_template(template), "{template}");
        }
    }
}
