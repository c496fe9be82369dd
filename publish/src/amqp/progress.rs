//! The progress bar of a run. Where stderr is not a terminal nothing is drawn, and the log shows what goes wrong.

use std::{cell::Cell, time::Duration};

use tributary_amqp::Error;
use tributary_cli_common::{
    bars::{Bar, Bars},
    text::one_line,
};

use crate::Content;

/// While documents are sent.
const DOCUMENTS: &str =
    "{prefix:24!} [{wide_bar}] {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
/// While operations are sent.
const OPERATIONS: &str = "{prefix:24!} [{wide_bar}] {human_pos}/{human_len} operations, {eta} left";
/// While the remaining time is unknown.
const WAITING: &str = "{prefix:24!} {spinner} {wide_msg}";

/// The bar of a run. It disappears with this value: the outcome is printed on stdout.
pub(super) struct Progress {
    bar: Bar,
    content: Content,
    is_waiting: Cell<bool>,
}

impl Progress {
    pub(super) fn new(bars: &Bars, content: Content, queue: &str) -> Self {
        Self { bar: bars.add(WAITING, &one_line(queue)), content, is_waiting: Cell::new(true) }
    }

    /// Sets the bytes of all documents, or the number of operations.
    pub(super) fn set_length(&self, length: u64) {
        self.bar.set_length(length);
    }

    pub(super) fn show_check(&self) {
        self.wait("checking the files");
    }

    pub(super) fn show_connecting(&self) {
        self.wait("connecting");
    }

    pub(super) fn show_retry(&self, error: &Error, delay: Duration) {
        self.wait(&format!("next try in {} s: {}", delay.as_secs(), one_line(&error.to_string())));
    }

    pub(super) fn show_shortage(&self) {
        self.wait("the broker is short of memory or disk");
    }

    /// Shows what is confirmed.
    pub(super) fn show_confirmed(&self, messages: u64, bytes: u64) {
        let (template, position) = match self.content {
            Content::Documents => (DOCUMENTS, bytes),
            Content::Operations => (OPERATIONS, messages),
        };
        if self.is_waiting.replace(false) {
            self.bar.set_template(template);
        }
        self.bar.set_position(position);
    }

    fn wait(&self, message: &str) {
        self.is_waiting.set(true);
        self.bar.set_template(WAITING);
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
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
        for template in [DOCUMENTS, OPERATIONS, WAITING] {
            assert!(is_template(template), "{template}");
        }
    }
}
