//! Read: one spooled body through the gate into a run of offers.

use anyhow::{Context, Result};
use tributary_gate::{Columns, Error, Feed, FileReject, Reject, Settings, Table};
use tributary_merge::{Run, RunBuilder};
use tributary_wire::ManifestEntry;

use super::Spooled;

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
    Rejected(FileReject),
    /// It could not be read; its accepted content stays.
    Changing,
}

/// What a usable file gives.
pub(crate) struct Accepted {
    /// Its offers.
    pub(crate) run: Run,
    /// Its rows, rejects included.
    pub(crate) rows: u64,
    /// The first of its rejects, in order of line.
    pub(crate) rejects: Vec<Reject>,
    /// How many rejects there are.
    pub(crate) rejected: u64,
}

/// How often the progress display hears of rows.
const ROWS_AT_A_TIME: usize = 10_000;

/// Reads a body. Long and busy: never on an async worker. `rows` is told how many more rows have passed.
///
/// # Errors
/// The spool cannot be read, or memory ends. A file that is at fault itself is an outcome.
pub(crate) fn read(entry: &ManifestEntry, body: &Spooled, columns: &Columns, rows: impl Fn(u64)) -> Result<Outcome> {
    let outcome = match read_rows(entry, body, columns, rows) {
        Ok(outcome) => outcome,
        Err(Error::Rejected(reject)) => return Ok(Outcome::Rejected(reject)),
        Err(error) => return Err(error).with_context(|| format!("failed to read {} from the spool", entry.path)),
    };
    let (builder, rows, rejects) = outcome;
    let run = builder.finish().with_context(|| format!("failed to sort {}", entry.path))?;
    Ok(Outcome::Accepted(Accepted { run, rows, rejected: rejects.total, rejects: rejects.kept }))
}

fn read_rows(
    entry: &ManifestEntry,
    body: &Spooled,
    columns: &Columns,
    rows: impl Fn(u64),
) -> Result<(RunBuilder, u64, tributary_gate::Rejects), Error> {
    let table = Table::open(&entry.path, entry.size, || body.open(), &Settings::default())?;
    let mut feed = Feed::new(table, columns)?;
    let mut builder = RunBuilder::default();
    let mut told = 0;
    while let Some(offer) = feed.next_offer()? {
        builder.push(&offer.sku, &offer.name, &offer.description, offer.deletes, offer.line);
        if builder.rows().is_multiple_of(ROWS_AT_A_TIME) {
            let seen = feed.rows();
            rows(seen - told);
            told = seen;
        }
    }
    rows(feed.rows() - told);
    Ok((builder, feed.rows(), feed.rejects().clone()))
}
