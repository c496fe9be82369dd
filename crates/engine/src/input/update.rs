//! Updates of a file after it was read: its row and its rejects. An accepted content replaces everything that was known; a
//! rejected one is stored beside the accepted one, which stays.

use anyhow::Result;
use tributary_csv_gate::{FileReject, WHOLE_FILE};
use tributary_protocol::ManifestEntry;
use tributary_store::{FileRow, FileState, RejectRow, Store};

use super::{FileToRead, Rank, ResultTables};
use crate::{clock::now, count::stored};

/// A content of a file, and how it was read.
#[derive(Clone, Copy)]
pub(crate) struct ContentKey<'a> {
    /// The file as the manifest lists it.
    pub(crate) entry: &'a ManifestEntry,
    /// The digest of how it was read.
    pub(crate) reading: &'a str,
    /// Its rank among the files of the source.
    pub(crate) rank: &'a Rank,
}

impl<'a> From<&'a FileToRead> for ContentKey<'a> {
    fn from(FileToRead { entry, reading, rank, .. }: &'a FileToRead) -> Self {
        Self { entry, reading, rank }
    }
}

/// Numbers and rejects of a usable content.
pub(crate) struct Findings<'a> {
    /// Number of rows, rejects included.
    pub(crate) rows: u64,
    /// Number of skus or groups that it gives.
    pub(crate) results: u64,
    /// Number of good rows that give nothing.
    pub(crate) unused: u64,
    /// Number of rejects.
    pub(crate) rejected: u64,
    /// Number of rows with a stray quote that was read leniently.
    pub(crate) repaired: u64,
    /// Notes for people.
    pub(crate) notes: &'a [String],
    /// The format of the file, in words; `None` if it is not known.
    pub(crate) format: Option<&'a str>,
    /// The rejects that are kept.
    pub(crate) rejects: Vec<RejectRow>,
}

/// A file as it is stored from now on.
pub(crate) struct FileUpdate {
    /// Its row.
    pub(crate) row: FileRow,
    /// The rejects of its accepted content; `None` keeps the stored ones.
    accepted: Option<Vec<RejectRow>>,
    /// The rejects of a content that was rejected as a whole; `None` keeps the stored ones.
    rejected: Option<Vec<RejectRow>>,
}

impl FileUpdate {
    /// The file with a new accepted content.
    pub(crate) fn accepted(row: FileRow, content: ContentKey<'_>, found: Findings<'_>) -> Self {
        let settled = Self::settled(row);
        let row = FileRow {
            hash: Some(content.entry.hash.clone()),
            reading: Some(content.reading.to_owned()),
            rank_key: content.rank.key.clone(),
            size_bytes: stored(content.entry.size),
            row_count: stored(found.rows),
            results: stored(found.results),
            unused: stored(found.unused),
            rejects: stored(found.rejected),
            repaired: stored(found.repaired),
            notes: (!found.notes.is_empty()).then(|| found.notes.join("; ")),
            format: found.format.map(str::to_owned),
            applied_at: Some(now()),
            ..settled.row
        };
        Self { row, accepted: Some(found.rejects), ..settled }
    }

    /// The file with a content that cannot be used as a whole. `rows` are its rejected rows, if they are the reason.
    pub(crate) fn rejected(
        row: FileRow,
        content: ContentKey<'_>,
        reject: &FileReject,
        mut rows: Vec<RejectRow>,
    ) -> Self {
        let mut row = FileRow {
            state: FileState::Rejected,
            rejected_hash: Some(content.entry.hash.clone()),
            rejected_reading: Some(content.reading.to_owned()),
            rejected_reason: Some(reject.to_string()),
            rejected_header: header(reject),
            ..row
        };
        if !content.rank.is_of_content {
            row.rank_key = content.rank.key.clone();
        }
        let reason = format!("{WHOLE_FILE}{}", reject.reason);
        // Rejects are listed newest first, so the one of the whole file comes last.
        rows.push(reject_row(reject.line, 0, reason, reject.raw.clone()));
        Self { row, accepted: None, rejected: Some(rows) }
    }

    /// The file that has its accepted content again, after another one that was rejected or kept changing.
    pub(crate) fn settled(row: FileRow) -> Self {
        let state = FileState::Applied;
        let row = FileRow {
            state,
            rejected_hash: None,
            rejected_reading: None,
            rejected_reason: None,
            rejected_header: None,
            ..row
        };
        Self { row, accepted: None, rejected: Some(Vec::new()) }
    }

    /// The file that kept changing while it was read.
    pub(crate) fn changing(row: FileRow) -> Self {
        Self { row: FileRow { state: FileState::Changing, ..row }, accepted: None, rejected: None }
    }

    /// Writes the row, the rejects, and the results of a new accepted content. Call it in a transaction.
    ///
    /// # Errors
    /// The database fails or is damaged; the results cannot be read.
    pub(crate) fn write<'a, T: ResultTables<'a>>(
        &mut self,
        store: &mut Store,
        results: Option<T::Results>,
    ) -> Result<Option<T::Changes>> {
        let is_new = self.row.id == 0;
        let id = store.put_file(&mut self.row)?;
        for (is_whole_file, rejects) in [(true, &self.rejected), (false, &self.accepted)] {
            // A new file has no rejects to replace, and many thousands may come at once.
            if let Some(rejects) = rejects.as_ref().filter(|rejects| !is_new || !rejects.is_empty()) {
                store.replace_rejects(id, is_whole_file, rejects)?;
            }
        }
        results.map(|results| T::write(store, id, results)).transpose()
    }
}

/// The header of a file that lacks a column, as it is stored.
fn header(reject: &FileReject) -> Option<String> {
    // A list of texts can always be written.
    (!reject.header.is_empty()).then(|| serde_json::to_string(&reject.header).ok()).flatten()
}

/// A rejected row as it is stored.
pub(crate) fn reject_row(line: u64, byte: u64, reason: String, raw: String) -> RejectRow {
    RejectRow { line: stored(line), byte_offset: stored(byte), reason, raw }
}

#[cfg(test)]
mod tests;
