//! Progress bars on stderr. Nothing is drawn where only [plain text](is_plain) may be written.

use std::{
    io::{self, Write},
    time::Duration,
};

pub use indicatif::HumanBytes;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

use crate::terminal::is_plain;

/// Interval in which bars are redrawn while nothing changes, so that spinners turn and times count down.
const TICK: Duration = Duration::from_millis(120);

/// All bars of a program; clones draw to the same place.
#[derive(Debug, Clone)]
pub struct Bars(MultiProgress);

impl Default for Bars {
    fn default() -> Self {
        let is_hidden = is_plain(&io::stderr());
        let target = if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self(MultiProgress::with_draw_target(target))
    }
}

impl Bars {
    /// Whether nothing is drawn.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// Adds a bar below the others. `prefix` is usually a name.
    #[must_use]
    pub fn add(&self, template: &str, prefix: &str) -> Bar {
        let bar = Bar(self.0.add(ProgressBar::no_length()));
        bar.0.set_prefix(prefix.to_owned());
        bar.set_template(template);
        if !self.is_hidden() {
            // Starts a thread.
            bar.0.enable_steady_tick(TICK);
        }
        bar
    }

    /// Writes a line to stdout while the bars are out of the way.
    ///
    /// # Errors
    /// Those of stdout.
    pub fn print_line(&self, line: &str) -> io::Result<()> {
        self.0.suspend(|| {
            let mut stdout = io::stdout().lock();
            writeln!(stdout, "{line}").and_then(|()| stdout.flush())
        })
    }

    /// Removes all bars.
    pub fn clear(&self) {
        // A terminal that cannot be cleared keeps some stale lines, no more.
        let _ = self.0.clear();
    }
}

/// Lets logs be written while the bars are out of the way, so that neither tears the other.
impl<'a> MakeWriter<'a> for Bars {
    type Writer = LogWriter<'a>;

    fn make_writer(&'a self) -> LogWriter<'a> {
        LogWriter(self)
    }
}

/// Writes to stderr while the bars are out of the way.
#[derive(Debug)]
pub struct LogWriter<'a>(&'a Bars);

impl Write for LogWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// One bar; clones show on the same line.
#[derive(Debug, Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Whether nothing is drawn, so that a caller need not compose a message.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// Changes the layout, in the template language of indicatif.
    pub fn set_template(&self, template: &str) {
        if !self.is_hidden() {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            self.0.set_style(style);
        }
    }

    /// Sets the length that stands for 100 %.
    pub fn set_length(&self, length: u64) {
        self.0.set_length(length);
    }

    /// Sets how far it is. A step back makes the bar start its estimate afresh.
    pub fn set_position(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Sets the text that the template shows as `{msg}`.
    pub fn set_message(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
    }

    /// Leaves the bar standing with a last message.
    pub fn finish(&self, message: impl Into<String>) {
        self.0.finish_with_message(message.into());
    }

    /// Removes the bar.
    pub fn remove(&self) {
        self.0.finish_and_clear();
    }
}

/// Whether indicatif understands a template, for a test of each: at run time a wrong one only loses its looks.
#[must_use]
pub fn is_template(template: &str) -> bool {
    ProgressStyle::with_template(template).is_ok()
}
