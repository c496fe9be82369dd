//! The state of a report: what its table holds, what its files gave, and whether that is what the configuration asks for.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::{FailedReportRow, FileRow, FileState, ReportRow, SourceRow, SourceState, Store};

use crate::{
    ingest::{RowCounts, counts},
    reports::{EngineCounts, SourceVersions, engine_counts, is_stale, joined},
};

/// The state of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// Its totals over all sources are not written yet as it is configured.
    Computing,
    /// The last attempt to bring it up to date failed; it is retried.
    Failed,
    /// A file of it is rejected, and what that file gave before still counts; or more rows of its files are rejected than not.
    Rejected,
    /// Its table holds what its files give.
    Current,
}

impl ReportState {
    /// The word in the API and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportState::Computing => "computing",
            ReportState::Failed => "failed",
            ReportState::Rejected => "rejected",
            ReportState::Current => "current",
        }
    }
}

/// A report without its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSummary {
    /// Rows of its table.
    pub groups: i64,
    /// When the table was written; `None` before any source has contributed to it as it is configured.
    pub computed_at: Option<String>,
    /// All rejects of its files.
    pub rejects: i64,
    /// Its files, by source, then path.
    pub files: Vec<FileRow>,
    /// Its state.
    pub state: ReportState,
    /// Why it failed, which files are rejected and why, or that more rows are rejected than not; `None` in the other states.
    pub error: Option<String>,
    /// Since when it fails with an error that is still there, RFC 3339; `None` if none is stored.
    pub failing_since: Option<String>,
    /// Its files by the engine that has computed them; `None` for a report that no cluster computes.
    pub engines: Option<EngineCounts>,
}

/// Reads the state of a report.
///
/// # Errors
/// The database fails.
pub(crate) fn summary(store: &mut Store, report: &ReportConfig) -> Result<ReportSummary> {
    let files = store.files_of_reader(&report.reader())?;
    let sources = store.sources()?;
    let stored = if is_written(store, report)? { store.report(&report.name)? } else { None };
    let versions = stored.as_ref().map(SourceVersions::of).unwrap_or_default();
    let has_digest = |row: &ReportRow| row.digest == report.plan.results_digest();
    let is_computed =
        stored.as_ref().is_some_and(has_digest) && sources.iter().all(|source| versions.has(&source.name));
    let failed = store.report_failures(&report.name)?;
    let mut failures = described(&failed, &sources);
    if !is_computed {
        failures.extend(unreachable(report, &files, &sources, &versions));
    }
    let mut rejected = rejected(&files, &sources);
    rejected.extend(files.iter().map(counts).sum::<RowCounts>().mostly_rejects());
    let (state, errors) = match (failures.is_empty(), is_computed, rejected.is_empty()) {
        (false, ..) => (ReportState::Failed, failures),
        (true, false, _) => (ReportState::Computing, Vec::new()),
        (true, true, false) => (ReportState::Rejected, rejected),
        (true, true, true) => (ReportState::Current, Vec::new()),
    };
    let has_begun = is_computed || !versions.is_empty();
    Ok(ReportSummary {
        groups: stored.as_ref().map_or(0, |row| row.groups),
        computed_at: stored.filter(|_| has_begun).map(|row| row.computed_at),
        rejects: files.iter().map(|file| file.rejects).sum(),
        engines: report.cluster.is_some().then(|| engine_counts(&files)),
        files,
        state,
        error: (!errors.is_empty()).then(|| joined(errors)),
        failing_since: failed.into_iter().map(|failure| failure.failed_at).min(),
    })
}

/// Whether the report's table exists with the configured columns.
///
/// # Errors
/// The database fails.
pub(crate) fn is_written(store: &mut Store, report: &ReportConfig) -> Result<bool> {
    Ok(store.stored_report(&report.name)?.is_some_and(|stored| stored == report.table()))
}

/// The stored failures, each with the name of its source.
fn described(failures: &[FailedReportRow], sources: &[SourceRow]) -> Vec<String> {
    let of = |source: &SourceRow| {
        let failure = failures.iter().find(|failure| failure.source_id == source.id)?;
        Some(format!("source `{}`: {}", source.name, failure.error))
    };
    sources.iter().filter_map(of).collect()
}

/// The sources that are down while the report waits for their files: no attempt can even begin.
fn unreachable(
    report: &ReportConfig,
    files: &[FileRow],
    sources: &[SourceRow],
    versions: &SourceVersions,
) -> Vec<String> {
    let stale: HashSet<i64> = files.iter().filter(|file| is_stale(report, file)).map(|file| file.source_id).collect();
    let is_awaited = |source: &&SourceRow| !versions.has(&source.name) || stale.contains(&source.id);
    let down = sources.iter().filter(|source| source.state == SourceState::Down).filter(is_awaited);
    down.map(|source| {
        let error = source.error.as_deref().unwrap_or("the log says why");
        format!("source `{}` is down: {error}", source.name)
    })
    .collect()
}

/// The rejected files with the reason of each.
fn rejected(files: &[FileRow], sources: &[SourceRow]) -> Vec<String> {
    let names: HashMap<i64, &str> = sources.iter().map(|source| (source.id, source.name.as_str())).collect();
    let rejected = files.iter().filter(|file| file.state == FileState::Rejected);
    rejected
        .map(|file| {
            let source = names.get(&file.source_id).copied().unwrap_or_default();
            format!("{source}/{}: {}", file.path, file.rejected_reason.as_deref().unwrap_or("rejected"))
        })
        .collect()
}

#[cfg(test)]
mod tests;
