//! Settings of a server.

use std::{path::PathBuf, time::Duration};

use tributary_admission::{Access, Admission};
use tributary_format_rules::{FormatRules, Selection};
use tributary_tls::PairInForce;

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
