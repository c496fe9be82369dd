//! Settings of a watched folder.

use std::{fmt, sync::Arc, time::Duration};

use tributary_protocol::FormatSpec;

/// Intervals of watching, and what is announced about the files.
#[derive(Debug, Clone)]
pub struct Options {
    /// A change, a new file or a removal counts once no further change was seen for this long.
    pub settle: Duration,
    /// A file that never rests for so long is offered up to its last complete record, if it can be cut there. It is at least
    /// [`Self::settle`].
    pub max_settle: Duration,
    /// The time between two scans of the whole folder. Events report most changes long before.
    pub rescan: Duration,
    /// Set to leave out texts for people: `README.txt` and the like, unless a delimiter in their first line says that they are
    /// tables. Default: they are offered.
    pub skip_notes: bool,
    /// Chooses among the files that would be offered. Default: all.
    pub filter: Filter,
    /// Chooses among Excel workbooks: those of which a sheet is read. Default: none is offered.
    pub workbooks: Filter,
    /// Formats of the files. The manifest announces it, and its version depends on it. Default: nothing.
    pub formats: Vec<FormatSpec>,
}

/// Chooses files by their paths, relative to the folder and separated by `/`.
#[derive(Clone)]
pub struct Filter(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Filter {
    /// Chooses the files for whose paths this is true. The same path must always get the same answer.
    pub fn new(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(takes))
    }

    /// Chooses no file.
    pub(crate) fn none() -> Self {
        Self::new(|_| false)
    }

    pub(crate) fn takes(&self, path: &str) -> bool {
        (self.0)(path)
    }
}

impl Default for Filter {
    /// Chooses every file.
    fn default() -> Self {
        Self::new(|_| true)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Default for Options {
    /// 250 ms, 10 s and 30 s, the documented defaults of the command line.
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(250),
            max_settle: Duration::from_secs(10),
            rescan: Duration::from_secs(30),
            skip_notes: false,
            filter: Filter::default(),
            workbooks: Filter::none(),
            formats: Vec::new(),
        }
    }
}
