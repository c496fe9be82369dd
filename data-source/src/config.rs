//! Settings of a server.

use std::{path::PathBuf, time::Duration};

use tributary_admission::{Access, Admission};
use tributary_format_rules::{FormatRules, Selection};
use tributary_tls::PairInForce;

/// Memory of the groups of reports, unless it is set: a report of a million groups and three metrics takes about as much.
pub const DEFAULT_REPORT_MEMORY: usize = 128 << 20;

/// Checked settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder to serve.
    pub dir: PathBuf,
    /// The source's own name, as `/sense` gives it.
    pub name: String,
    /// See [`tributary_folder_watch::Options::settle`].
    pub settle: Duration,
    /// See [`tributary_folder_watch::Options::max_settle`].
    pub max_settle: Duration,
    /// See [`tributary_folder_watch::Options::rescan`].
    pub rescan: Duration,
    /// The files to serve.
    pub selection: Selection,
    /// The rules by which files are read.
    pub formats: FormatRules,
    /// Bytes of memory that the groups of the reports which are being computed may take together.
    pub report_memory: usize,
    /// The rules that every request must pass; `/healthz` needs no token.
    pub admission: Admission,
    /// The time over which a client must take [the least speed](tributary_pace::LEAST_SPEED) of an answer on average.
    pub patience: Duration,
    /// The files of secrets, which are read again when they change.
    pub access: Access,
    /// The own certificate; `None`: the server speaks no TLS.
    pub pair: Option<PairInForce>,
    /// Set to print `listening on http://ADDR:PORT` on stdout once the first scan is complete. A program that embeds the
    /// server prints its own lines.
    pub announce: bool,
}
