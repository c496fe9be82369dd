//! Compares a source's manifest with the files that a report has aggregated. Pure.

use std::collections::{BTreeMap, HashSet};

use tributary_config::ReportConfig;
use tributary_protocol::{FormatSpec, ManifestEntry};
use tributary_store::{FileRow, FileState};

use super::SourceContent;

/// A file that a report claims, and how it is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClaimedFile {
    /// The file as the manifest lists it.
    pub(super) entry: ManifestEntry,
    /// Its format.
    pub(super) format: FormatSpec,
    /// The digest of how its partial is computed.
    pub(super) reading: String,
}

/// The difference between the content of a source and what a report has of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ReportChanges {
    /// Files whose partial is missing: new, changed, or to be computed in another way.
    pub(super) missing: Vec<ClaimedFile>,
    /// Files that have their accepted content again after one that was rejected.
    pub(super) settled: Vec<FileRow>,
    /// Files that are gone, or that the report no longer claims.
    pub(super) removed: Vec<FileRow>,
}

impl ReportChanges {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.settled.is_empty() && self.removed.is_empty()
    }
}

/// Compares the files of a source with those that the report has stored of it. Files that the source cannot read stay.
pub(super) fn compare(report: &ReportConfig, content: &SourceContent, stored: &[FileRow]) -> ReportChanges {
    let manifest = &content.manifest;
    let by_path: BTreeMap<&str, &FileRow> = stored.iter().map(|file| (file.path.as_str(), file)).collect();
    let claimed: Vec<_> = manifest.files.iter().filter(|entry| report.claims(&entry.path)).collect();
    let paths: HashSet<&str> = claimed.iter().map(|entry| entry.path.as_str()).collect();
    let mut changes = ReportChanges::default();
    for entry in claimed {
        let format = report.formats.spec(&entry.path).or(content.formats.spec(&entry.path));
        let reading = report.reading(&format);
        let is_same = |hash: &Option<String>, as_read: &Option<String>| {
            hash.as_deref() == Some(&entry.hash) && as_read.as_ref() == Some(&reading)
        };
        match by_path.get(entry.path.as_str()) {
            Some(file) if is_same(&file.hash, &file.reading) => {
                if file.state != FileState::Applied {
                    changes.settled.push((*file).clone());
                }
            }
            // Rejected before, and nothing has changed.
            Some(file) if file.state == FileState::Rejected && is_same(&file.rejected_hash, &file.rejected_reading) => {
            }
            _ => changes.missing.push(ClaimedFile { entry: entry.clone(), format, reading }),
        }
    }
    let is_unreadable = |path: &str| report.claims(path) && manifest.covers_unreadable(path);
    let is_gone = |file: &&FileRow| !paths.contains(file.path.as_str()) && !is_unreadable(&file.path);
    changes.removed = stored.iter().filter(is_gone).cloned().collect();
    changes
}
