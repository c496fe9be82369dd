//! Reads one body, from the spool or in place, through the CSV gate into a sorted run of offers.

use std::{
    io::{self, Read},
    sync::Arc,
};

use anyhow::Result;
use tributary_budget::Budget;
use tributary_csv_gate::{Columns, Error, Feed, FeedItem, FileReject, OfferRow, Rejects, Table};
use tributary_format_rules::{op_words, settings};
use tributary_merge::{RunBuilder, SpillFiles};

use super::{
    FeedRules,
    parts::{FileOffers, Found, Memory, NeedsWhole, Parts},
};
use crate::{
    cache::Remembered, documents::ActiveRead, input::FileToRead, progress::ProgressObserver, source::BodyFollower,
};

/// One file of a version.
pub(crate) struct FileVersion {
    /// The file as it was listed, and how it was read.
    pub(crate) listed: Arc<FileToRead>,
    /// The result of reading it.
    pub(crate) outcome: Outcome,
}

/// The result of reading a file.
pub(crate) enum Outcome {
    /// Its good rows can be applied.
    Accepted(Accepted),
    /// It cannot be used as a whole; its accepted content stays.
    Rejected {
        /// The reason.
        reject: FileReject,
        /// Its rejected rows, if that is the reason.
        rows: Rejects,
    },
    /// It kept changing; its accepted content stays.
    Changing,
}

impl Outcome {
    fn rejects(&mut self) -> Option<&mut Rejects> {
        match self {
            Self::Accepted(accepted) => Some(&mut accepted.rejects),
            Self::Rejected { rows, .. } => Some(rows),
            Self::Changing => None,
        }
    }

    /// The number of rejects that are kept.
    pub(crate) fn kept_rejects(&self) -> usize {
        match self {
            Self::Accepted(accepted) => accepted.rejects.kept.len(),
            Self::Rejected { rows, .. } => rows.kept.len(),
            Self::Changing => 0,
        }
    }

    /// Keeps at most this many rejects; the others are only counted. Returns how many more may be kept.
    pub(crate) fn keep_rejects(&mut self, most: usize) -> usize {
        if let Some(rejects) = self.rejects() {
            rejects.kept.truncate(most);
        }
        most - self.kept_rejects()
    }
}

/// The content of a usable file.
pub(crate) struct Accepted {
    pub(crate) offers: FileOffers,
    /// Its segments, to compare the next content with.
    pub(crate) remembered: Option<Remembered>,
    /// Number of rows, rejects included.
    pub(crate) rows: u64,
    pub(crate) rejects: Rejects,
    /// Number of good rows that a later row of the file replaces.
    pub(crate) replaced: u64,
    /// Notes for people: what was guessed or left out, and what is odd.
    pub(crate) notes: Vec<String>,
    /// The format of the file, in a few words.
    pub(crate) format: String,
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
                Self::Rejected { reject: FileReject::of_file(reason), rows: rejects }
            }
            _ => Self::Accepted(Accepted { rejects, ..accepted }),
        }
    }
}

/// Rows between two reports to the progress observer.
const ROWS_PER_REPORT: usize = 10_000;

/// The result of reading a body while it arrives.
pub(crate) enum ArrivingFile {
    /// All of it was read.
    Read(Box<Outcome>),
    /// It must be surveyed as a whole first.
    NeedsTwoPasses,
    /// It arrived too slowly or broke off, so it must be read once it is complete.
    NotRead,
}

/// Reads one file.
pub(crate) struct FileReader {
    /// The file, and how it is read.
    pub(crate) file: Arc<FileToRead>,
    /// The names of its columns, and the rules for its rows.
    pub(crate) rules: FeedRules,
    /// The memory for sorted rows.
    pub(crate) memory: Arc<Budget>,
    /// Takes sorted rows beyond that; one for all files of a pass.
    pub(crate) spill: SpillFiles,
    /// Its accepted content, to compare it with.
    pub(crate) before: Memory,
    pub(crate) progress: Arc<ActiveRead>,
}

impl FileReader {
    /// Reads the body that `open` opens. This is long and busy, so never call it on an async worker. `needs_two_passes` skips
    /// the try in a single pass.
    ///
    /// # Errors
    /// The body cannot be read or the spool cannot be written. A fault of the file itself is an outcome.
    pub(crate) fn read<R: Read>(&self, open: impl Fn() -> io::Result<R>, needs_two_passes: bool) -> Result<Outcome> {
        let path = &self.file.entry.path;
        let settings = match settings(&self.file.format) {
            Ok(settings) => settings,
            Err(why) => return Ok(FileReject::from(why).into()),
        };
        let open = || {
            self.progress.restart();
            open()
        };
        let mut is_once = !needs_two_passes;
        while is_once {
            let once = open().map_err(Error::Io);
            let once = once.and_then(|body| Table::open_once(path, self.file.entry.size, body, &settings));
            match self.read_table(once) {
                Ok(accepted) => return Ok(accepted.into()),
                Err(ReadError::NeedsWhole) => {}
                Err(ReadError::Gate(Error::Rejected(_) | Error::NeedsTwoPasses)) => is_once = false,
                Err(error) => return Err(self.context(error)),
            }
        }
        loop {
            match self.read_table(Table::open(path, self.file.entry.size, open, &settings)) {
                Ok(accepted) => return Ok(accepted.into()),
                Err(ReadError::Gate(Error::Rejected(reject))) => return Ok(reject.into()),
                Err(ReadError::NeedsWhole) => {}
                Err(error) => return Err(self.context(error)),
            }
        }
    }

    /// Reads a body that is still arriving. As long and busy as [`Self::read`].
    pub(crate) fn read_arriving(&self, body: BodyFollower) -> ArrivingFile {
        // Settings that cannot work are an outcome of reading the whole file.
        let Ok(settings) = settings(&self.file.format) else { return ArrivingFile::NeedsTwoPasses };
        let table = Table::open_once(&self.file.entry.path, self.file.entry.size, body, &settings);
        match self.read_table(table) {
            Ok(accepted) => ArrivingFile::Read(Box::new(accepted.into())),
            Err(ReadError::Gate(Error::Rejected(_) | Error::NeedsTwoPasses)) => ArrivingFile::NeedsTwoPasses,
            Err(ReadError::NeedsWhole) => ArrivingFile::NotRead,
            Err(error) => {
                let path = &self.file.entry.path;
                let error = self.context(error);
                tracing::debug!(file.path = %path, "`{path}` will be read once it is complete: {error:#}");
                ArrivingFile::NotRead
            }
        }
    }

    fn read_table<R: Read>(&self, table: Result<Table<R>, Error>) -> Result<Accepted, ReadError> {
        let feed = table
            .and_then(|table| Feed::new(table, &self.rules.columns, op_words(&self.file.format)))
            .map_err(ReadError::Gate)?;
        let mut feed = feed.fill_down(self.file.format.fill_down.as_deref().unwrap_or_default());
        let checks = self.rules.row_checks(&self.file.format);
        for check in checks.map_err(|reject| ReadError::Gate(Error::Rejected(reject)))? {
            feed = feed.check(check).map_err(ReadError::Gate)?;
        }
        let builder = RunBuilder::new(self.memory.clone(), self.spill.clone(), self.rules.seed());
        let filled = self.file.format.fill_down.as_deref().unwrap_or_default();
        let parts = if filled.is_empty() { self.before.parts() } else { None };
        let mut accepted = read_rows(feed, builder, parts, |rows| self.progress.rows_read(rows))?;
        accepted.notes.extend(ignored_fill_down(filled, &self.rules.columns));
        Ok(accepted)
    }

    fn context(&self, error: ReadError) -> anyhow::Error {
        let path = &self.file.entry.path;
        match error {
            ReadError::Gate(error) => anyhow::Error::new(error).context(format!("failed to read {path}")),
            ReadError::Merge(error) => anyhow::Error::new(error).context(format!("failed to sort {path}")),
            ReadError::NeedsWhole => anyhow::anyhow!("{path} must be read as a whole"),
        }
    }
}

enum ReadError {
    Gate(Error),
    Merge(tributary_merge::Error),
    /// Changes that only reading the whole file can tell.
    NeedsWhole,
}

impl From<NeedsWhole> for ReadError {
    fn from(_: NeedsWhole) -> Self {
        Self::NeedsWhole
    }
}

fn read_rows<R: Read>(
    mut feed: Feed<R>,
    mut builder: RunBuilder,
    mut parts: Option<Parts>,
    report: impl Fn(u64),
) -> Result<Accepted, ReadError> {
    let (mut reported, mut rounded) = (0, None);
    if let Some(parts) = &parts {
        feed = feed.in_segments(parts.segments(), parts.seed);
    }
    loop {
        let item = match &parts {
            Some(_) => feed.next_item(),
            None => feed.next_offer().map(|offer| offer.map_or(FeedItem::End, FeedItem::Offer)),
        };
        match item.map_err(ReadError::Gate)? {
            FeedItem::Offer(OfferRow { sku, texts, deletes, line }) => {
                if rounded.is_none() && is_rounded(sku) {
                    rounded = Some(sku.to_owned());
                }
                parts.iter_mut().for_each(|parts| parts.push(sku));
                builder.push(sku, texts.iter(), deletes, line).map_err(ReadError::Merge)?;
                if builder.rows().is_multiple_of(ROWS_PER_REPORT) {
                    let rows = feed.rows();
                    report(rows - reported);
                    reported = rows;
                }
            }
            FeedItem::Segment(found) => {
                parts.as_mut().map_or(Ok(()), |parts| parts.found(found, &mut rounded))?;
            }
            FeedItem::End => break,
        }
    }
    report(feed.rows() - reported);
    let read = builder.rows() as u64;
    let run = builder.finish().map_err(ReadError::Merge)?;
    let Found { offers, remembered, stayed } = match parts {
        Some(parts) => parts.finish(run)?,
        None => Found { offers: FileOffers::Whole(run), remembered: None, stayed: 0 },
    };
    let good = read + stayed;
    let (replaced, rejects) = (good.saturating_sub(offers.offers() as u64), feed.rejects().clone());
    let mut notes = feed.dialect().notes(&rejects);
    notes.extend(few_skus(good, offers.offers() as u64));
    notes.extend(rounded.map(|sku| {
        format!("skus such as {sku} are numbers that a spreadsheet has rounded: export that column as text")
    }));
    let format = feed.dialect().in_words();
    Ok(Accepted { offers, remembered, rows: feed.rows(), rejects, replaced, notes, format })
}

/// A note on good rows of which most share few skus.
fn few_skus(good: u64, skus: u64) -> Option<String> {
    (good > 2 * skus && good >= MIN_ROWS_OF_FEW_SKUS)
        .then(|| format!("{good} rows share {skus} skus, of each the last row counts: is this the right column?"))
}

/// A note on columns to fill that cannot be. The master refuses them in its own settings, but the owner of a folder does not know its
/// catalog.
fn ignored_fill_down(filled: &[String], columns: &Columns) -> Option<String> {
    let own = columns.own.iter().map(|column| column.name.as_str());
    let known: Vec<&str> = ["name", "description"].into_iter().chain(own).collect();
    let ignored: Vec<_> =
        filled.iter().filter(|name| !known.contains(&name.as_str())).map(|name| format!("`{name}`")).collect();
    let (ignored, known) = (ignored.join(", "), known.join("`, `"));
    (!ignored.is_empty()).then(|| format!("fill_down ignores {ignored}: only these columns inherit: `{known}`"))
}

/// Rows from which on it is worth a note that most of them share few skus.
const MIN_ROWS_OF_FEW_SKUS: u64 = 10;

/// Whether a sku looks like `8.85010E+12`: a long number as a spreadsheet shows it.
pub(super) fn is_rounded(sku: &str) -> bool {
    let [first, .., b'+', tens, ones] = sku.as_bytes() else { return false };
    let Some((digits, _)) = sku.split_once("E+") else { return false };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    first.is_ascii_digit() && tens.is_ascii_digit() && ones.is_ascii_digit() && digits.len() > 2 && is_number(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mistyped name in the formats of a folder was ignored without a word.
    #[test]
    fn columns_that_cannot_be_filled_are_noted() {
        let note = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            ignored_fill_down(&names, &Columns::default())
        };
        assert_eq!(note(&["name", "description"]), None);
        let expect = "fill_down ignores `nmae`, `sku`: only these columns inherit: `name`, `description`";
        assert_eq!(note(&["nmae", "name", "sku"]).unwrap(), expect);
    }

    #[test]
    fn a_rounded_number_is_no_sku() {
        for rounded in ["8.85010E+12", "8,85E+12", "1.2E+10"] {
            assert!(is_rounded(rounded), "{rounded}");
        }
        for sku in ["", "1E5", "1E+05", "ABC-1.2E+10", "8.85010E-12", "8850101234567", "E+12", "1.2.3+12", "AE+12"] {
            assert!(!is_rounded(sku), "{sku}");
        }
    }
}
