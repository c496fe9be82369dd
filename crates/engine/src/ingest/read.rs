//! Read: one body, from the spool or where it lies, through the gate into a run of offers.

use std::{
    io::{self, Read},
    sync::Arc,
};

use anyhow::Result;
use tributary_csv_gate::{Columns, Error, Feed, FileReject, Rejects, Settings, Table};
use tributary_merge::{MemoryBudget, Run, RunBuilder, SpillFiles};
use tributary_protocol::ManifestEntry;

use crate::{
    progress::ProgressObserver,
    source::{ActiveRead, Follower},
};

/// One file of a version, and what became of it.
pub(crate) struct FileVersion {
    /// The file as the manifest lists it.
    pub(crate) entry: ManifestEntry,
    /// What came of reading it.
    pub(crate) outcome: Outcome,
}

/// What came of reading a file.
pub(crate) enum Outcome {
    /// Its good rows are to be loaded.
    Accepted(Accepted),
    /// It cannot be used as a whole; its accepted content stays.
    Rejected {
        /// The reason.
        reject: FileReject,
        /// Its rejected rows, if that is the reason.
        rows: Rejects,
    },
    /// It could not be read; its accepted content stays.
    Changing,
}

/// What a usable file gives.
pub(crate) struct Accepted {
    /// Its offers.
    pub(crate) run: Run,
    /// Its rows, rejects included.
    pub(crate) rows: u64,
    /// Those of them that cannot be used.
    pub(crate) rejects: Rejects,
}

impl From<FileReject> for Outcome {
    fn from(reject: FileReject) -> Self {
        Self::Rejected { reject, rows: Rejects::default() }
    }
}

impl From<Accepted> for Outcome {
    /// Rejects a file of which every row is a reject: accepting it would delete all that the file gave before.
    fn from(accepted: Accepted) -> Self {
        let Accepted { rows, rejects, .. } = accepted;
        match rejects.kept.first() {
            Some(first) if rejects.total == rows => {
                let (line, why) = (first.line, &first.reason);
                let reason = format!("every row is a reject ({rows} of {rows}), the first in line {line}: {why}");
                Self::Rejected { reject: FileReject { line: 0, reason, raw: String::new() }, rows: rejects }
            }
            _ => Self::Accepted(Accepted { rejects, ..accepted }),
        }
    }
}

/// How often the progress display hears of rows.
const ROWS_AT_A_TIME: usize = 10_000;

/// What came of reading a body while it arrived.
pub(crate) enum Arriving {
    /// All of it.
    Read(Outcome),
    /// It has to be looked at as a whole before.
    Unclear,
    /// It has to be read when it is here: it came too slowly, or broke off.
    TooEarly,
}

/// How a body is to be read.
pub(crate) struct Reader {
    /// The file as the manifest lists it.
    pub(crate) entry: ManifestEntry,
    /// What its columns are called.
    pub(crate) columns: Columns,
    /// Where its rows are sorted.
    pub(crate) memory: MemoryBudget,
    /// Where those lie that memory has no room for; one for all files of a version.
    pub(crate) spill: SpillFiles,
    /// Hears of the rows of this file.
    pub(crate) progress: Arc<ActiveRead>,
}

impl Reader {
    /// Reads a body, which `open` opens. Long and busy: never on an async worker. `carefully`: it is known that one pass will
    /// not do.
    ///
    /// # Errors
    /// The body cannot be read, or the spool not be written. A file that is at fault itself is an outcome.
    pub(crate) fn read<R: Read>(&self, open: impl Fn() -> io::Result<R>, carefully: bool) -> Result<Outcome> {
        let path = &self.entry.path;
        let open = || {
            self.progress.restart();
            open()
        };
        if !carefully {
            let once = open().map_err(Error::Io);
            let once = once.and_then(|body| Table::open_once(path, self.entry.size, body, &Settings::default()));
            match self.read_table(once) {
                Ok(accepted) => return Ok(accepted.into()),
                Err(Failed::Gate(Error::Rejected(_) | Error::NeedsTwoPasses)) => {}
                Err(failed) => return Err(self.context(failed)),
            }
        }
        match self.read_table(Table::open(path, self.entry.size, open, &Settings::default())) {
            Ok(accepted) => Ok(accepted.into()),
            Err(Failed::Gate(Error::Rejected(reject))) => Ok(reject.into()),
            Err(failed) => Err(self.context(failed)),
        }
    }

    /// Reads a body that is still arriving. Long, too.
    pub(crate) fn read_arriving(&self, body: Follower) -> Arriving {
        let table = Table::open_once(&self.entry.path, self.entry.size, body, &Settings::default());
        match self.read_table(table) {
            Ok(accepted) => Arriving::Read(accepted.into()),
            Err(Failed::Gate(Error::Rejected(_) | Error::NeedsTwoPasses)) => Arriving::Unclear,
            Err(failed) => {
                let (path, why) = (&self.entry.path, self.context(failed));
                tracing::debug!(file.path = %path, "`{path}` is read when it is here: {why:#}");
                Arriving::TooEarly
            }
        }
    }

    fn read_table<R: Read>(&self, table: Result<Table<R>, Error>) -> Result<Accepted, Failed> {
        let feed = table.and_then(|table| Feed::new(table, &self.columns)).map_err(Failed::Gate)?;
        let builder = RunBuilder::new(self.memory.clone(), self.spill.clone());
        read_rows(feed, builder, |rows| self.progress.rows_read(rows))
    }

    fn context(&self, failed: Failed) -> anyhow::Error {
        let path = &self.entry.path;
        match failed {
            Failed::Gate(error) => anyhow::Error::new(error).context(format!("failed to read {path}")),
            Failed::Merge(error) => anyhow::Error::new(error).context(format!("failed to sort {path}")),
        }
    }
}

/// What stopped the reading.
enum Failed {
    Gate(Error),
    Merge(tributary_merge::Error),
}

fn read_rows<R: Read>(mut feed: Feed<R>, mut builder: RunBuilder, rows: impl Fn(u64)) -> Result<Accepted, Failed> {
    let mut told = 0;
    while let Some(offer) = feed.next_offer().map_err(Failed::Gate)? {
        builder.push(offer.sku, offer.name, offer.description, offer.deletes, offer.line).map_err(Failed::Merge)?;
        if builder.rows().is_multiple_of(ROWS_AT_A_TIME) {
            let seen = feed.rows();
            rows(seen - told);
            told = seen;
        }
    }
    rows(feed.rows() - told);
    let run = builder.finish().map_err(Failed::Merge)?;
    Ok(Accepted { run, rows: feed.rows(), rejects: feed.rejects().clone() })
}
