//! How a report is: what its table holds, what its files gave, and whether that is what the configuration asks for now.

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::{FileState, ReportFileRow, Store};

/// How a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// Its table is not written yet, or was written with other columns.
    Computing,
    /// A file of it is rejected; what it gave before is kept.
    Rejected,
    /// Its table holds what its files give.
    Current,
}

impl ReportState {
    /// The word for programs and people.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportState::Computing => "computing",
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
    /// When the table was written; none if it never was.
    pub computed_at: Option<String>,
    /// All rejects of its files.
    pub rejects: i64,
    /// Its files, by source, then path.
    pub files: Vec<ReportFileRow>,
    /// How it is.
    pub state: ReportState,
}

/// Looks at one report.
///
/// # Errors
/// The database fails.
pub(crate) fn summary(store: &mut Store, report: &ReportConfig) -> Result<ReportSummary> {
    let files = store.report_files(&report.name)?;
    let noted = if is_written(store, report)? { store.report(&report.name)? } else { None };
    let state = match &noted {
        None => ReportState::Computing,
        Some(_) if files.iter().any(|file| file.state == FileState::Rejected) => ReportState::Rejected,
        Some(_) => ReportState::Current,
    };
    let rejects = files.iter().map(|file| file.rejects).sum();
    let (groups, computed_at) = noted.map_or((0, None), |noted| (noted.groups, Some(noted.computed_at)));
    Ok(ReportSummary { groups, computed_at, rejects, files, state })
}

/// Whether the report's table is there with the columns that the configuration says.
///
/// # Errors
/// The database fails.
pub(crate) fn is_written(store: &mut Store, report: &ReportConfig) -> Result<bool> {
    Ok(store.stored_report(&report.name)?.is_some_and(|stored| stored == report.table()))
}
