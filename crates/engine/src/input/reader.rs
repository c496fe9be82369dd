//! The trait of a reader: all that distinguishes product feeds from a report, as long as their rows do not matter.

use anyhow::Result;
use tributary_format_rules::SourceFormats;
use tributary_protocol::{FormatSpec, ManifestEntry};
use tributary_store::{FileRow, FileState, Store};

use super::{Rank, Verdict};

/// Reads files of sources and keeps the results of those that it accepted.
pub(crate) trait Reader {
    /// Its name in the database.
    fn name(&self) -> String;

    /// Whether it reads the file at this path.
    fn claims(&self, path: &str) -> bool;

    /// The format in which it reads a file of a source with these formats.
    fn format(&self, path: &str, formats: &SourceFormats) -> FormatSpec {
        formats.spec(path)
    }

    /// The *reading* of a file in this format: the digest of everything beside the bytes that decides what the file gives.
    fn reading(&self, format: &FormatSpec) -> String;

    /// Whether a content with the reading `stored` need not be read again for the reading `wanted`.
    fn is_read_so(&self, stored: &str, wanted: &str) -> bool {
        stored == wanted
    }

    /// The rank of a file in this format among those of its source.
    fn rank(&self, _format: &FormatSpec, _entry: &ManifestEntry) -> Rank {
        Rank::default()
    }

    /// Whether what a content gave with this reading counts now. If not, nobody is told that it is committed until it was read again.
    fn is_current(&self, _reading: Option<&str>) -> bool {
        true
    }

    /// The reason of a rejection, for someone who does not know which reader says it.
    fn rejection(&self, reason: String) -> String {
        reason
    }

    /// Links to the results of a file.
    fn links(&self, source: &str, path: &str) -> Vec<ResultLink>;

    /// Whether it is done with this content of a file, of which `file` is stored.
    fn verdict(&self, file: FileRow, hash: &str) -> Verdict {
        let is_this = |found: &Option<String>, reading: &Option<String>| {
            found.as_deref() == Some(hash) && self.is_current(reading.as_deref())
        };
        match file.state {
            FileState::Applied if is_this(&file.hash, &file.reading) => {
                Verdict::Committed { rows: file.row_count.unsigned_abs(), rejects: file.rejects.unsigned_abs() }
            }
            FileState::Rejected if is_this(&file.rejected_hash, &file.rejected_reading) => {
                Verdict::Rejected(self.rejection(file.rejected_reason.unwrap_or_default()))
            }
            _ => Verdict::Pending,
        }
    }
}

/// The tables with the results of a reader's accepted files.
pub(crate) trait ResultTables<'a> {
    /// Results of a content, on their way to the tables.
    type Results;
    /// Consequences of writing or removing them.
    type Changes;

    /// Writes the results of a file, in place of earlier ones.
    ///
    /// # Errors
    /// The database fails or is damaged; the results cannot be read.
    fn write(store: &mut Store, file: i64, results: Self::Results) -> Result<Self::Changes>;

    /// Removes the results of a file, which is going to be deleted.
    ///
    /// # Errors
    /// The database fails or is damaged.
    fn remove(store: &mut Store, file: i64) -> Result<Self::Changes>;
}

/// A link to a result of a file, at the HTTP entrance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLink {
    /// Its title, for people.
    pub title: String,
    /// The path of the page or of the resource.
    pub path: String,
    /// Its query, not encoded.
    pub query: Vec<(&'static str, String)>,
}
