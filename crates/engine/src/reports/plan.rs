//! What has to be done so that a report knows of a source's files what they hold. Pure.

use std::collections::{BTreeMap, HashSet};

use tributary_config::ReportConfig;
use tributary_protocol::ManifestEntry;
use tributary_store::{FileState, ReportFileRow};

/// The difference between what a source holds and what a report has of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Files of which a partial is to be computed: new, changed, or to be computed in another way.
    pub(super) compute: Vec<ManifestEntry>,
    /// Files that hold their accepted content again after one that was rejected.
    pub(super) settled: Vec<ReportFileRow>,
    /// Files that are gone, or no longer the report's.
    pub(super) removed: Vec<ReportFileRow>,
}

impl Plan {
    pub(super) fn is_nothing(&self) -> bool {
        self.compute.is_empty() && self.settled.is_empty() && self.removed.is_empty()
    }
}

/// Compares a source's files with those that a report has of it.
pub(super) fn plan(report: &ReportConfig, files: &[ManifestEntry], stored: &[ReportFileRow]) -> Plan {
    let by_path: BTreeMap<&str, &ReportFileRow> = stored.iter().map(|file| (file.path.as_str(), file)).collect();
    let claimed: Vec<_> = files.iter().filter(|entry| report.claims(&entry.path)).collect();
    let paths: HashSet<&str> = claimed.iter().map(|entry| entry.path.as_str()).collect();
    let mut plan = Plan::default();
    for entry in claimed {
        let is = |hash: &Option<String>, reading: &Option<String>| {
            hash.as_deref() == Some(&entry.hash) && reading.as_deref() == Some(report.plan.digest())
        };
        match by_path.get(entry.path.as_str()) {
            Some(file) if is(&file.hash, &file.reading) => {
                if file.state != FileState::Applied {
                    plan.settled.push((*file).clone());
                }
            }
            Some(file) if file.state == FileState::Rejected && is(&file.rejected_hash, &file.rejected_reading) => {}
            _ => plan.compute.push(entry.clone()),
        }
    }
    plan.removed = stored.iter().filter(|file| !paths.contains(file.path.as_str())).cloned().collect();
    plan
}
