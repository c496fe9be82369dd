//! The files of a report.

use std::collections::HashMap;

use tributary_config::ReportConfig;
use tributary_engine::{FileRow, FileState, ReportDetail};

use crate::http::pages::text::wording::{counted, encoded, thousands};

/// Maximum files listed.
const FILES: usize = 100;

/// The files of a report, as many as are listed.
pub(super) struct Files {
    pub(super) lines: Vec<FileLine>,
    pub(super) left_out: Option<String>,
    pub(super) link: String,
}

/// A file of the report.
pub(super) struct FileLine {
    pub(super) source: String,
    pub(super) path: String,
    pub(super) rows: String,
    pub(super) passed_over: Option<String>,
    pub(super) groups: String,
    pub(super) rejects: String,
    /// Why its latest content could not be used.
    pub(super) reason: Option<String>,
    /// Notes on how the accepted content was read.
    pub(super) notes: Option<String>,
    pub(super) link: String,
}

impl Files {
    pub(super) fn new(report: &ReportConfig, detail: &ReportDetail) -> Self {
        let (name, files) = (encoded(&report.name), &detail.summary.files);
        let left_out = files.len().saturating_sub(FILES);
        Self {
            lines: files.iter().take(FILES).map(|file| FileLine::new(&name, file, &detail.sources)).collect(),
            left_out: (left_out > 0).then(|| counted(left_out as i64, "more file")),
            link: format!("/reports/{name}#files"),
        }
    }
}

impl FileLine {
    fn new(report: &str, file: &FileRow, sources: &HashMap<i64, String>) -> Self {
        let source = sources.get(&file.source_id).cloned().unwrap_or_default();
        let reason = (file.state == FileState::Rejected).then(|| file.rejected_reason.clone().unwrap_or_default());
        let query = format!("source={}&file={}&format=csv", encoded(&source), encoded(&file.path));
        Self {
            link: format!("/api/v1/reports/{report}?{query}"),
            source,
            path: file.path.clone(),
            rows: thousands(file.row_count),
            passed_over: (file.unused > 0).then(|| thousands(file.unused)),
            groups: thousands(file.results),
            rejects: thousands(file.rejects),
            reason,
            notes: file.notes.clone(),
        }
    }
}
