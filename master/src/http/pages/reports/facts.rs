//! A report in one line: its state in words, and what it is made of.

use tributary_config::ReportConfig;
use tributary_engine::{EngineCounts, FileState, ReportState, ReportSummary};

use crate::http::pages::text::{
    moment::Moment,
    wording::{counted, encoded, set_aside},
};

/// A report in one line.
pub(super) struct Facts {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: &'static str,
    /// The state in words for people.
    pub(super) state_text: String,
    /// Number of groups, and the columns they are grouped by.
    pub(super) groups: String,
    pub(super) files: String,
    /// Numbers of files by the engine that has computed them; `None` for a report that no cluster computes.
    pub(super) engines: Option<String>,
    /// Rows that were set aside and files that were rejected; `None` if there are none.
    pub(super) set_aside: Option<String>,
    pub(super) rejects_link: String,
    pub(super) computed: Option<Moment>,
    pub(super) error: Option<String>,
    /// The time since when it fails, if that is known.
    pub(super) failing: Option<Moment>,
}

impl Facts {
    pub(super) fn new(report: &ReportConfig, summary: &ReportSummary) -> Self {
        let groups = match report.group_by.as_slice() {
            [] => "one row of totals".to_owned(),
            columns => format!("{} by {}", counted(summary.groups, "group"), columns.join(", ")),
        };
        let rejected = summary.files.iter().filter(|file| file.state == FileState::Rejected).count();
        Self {
            title: report.title().to_owned(),
            description: report.display.description.clone(),
            state: summary.state.as_str(),
            state_text: state_text(summary),
            groups,
            files: counted(summary.files.len() as i64, "file"),
            engines: summary.engines.map(engines_text),
            set_aside: set_aside(summary.rejects, rejected as i64),
            rejects_link: format!("/rejects?report={}", encoded(&report.name)),
            computed: summary.computed_at.as_deref().and_then(Moment::new),
            error: summary.error.clone(),
            failing: summary.failing_since.as_deref().and_then(Moment::new),
        }
    }
}

fn engines_text(EngineCounts { cluster, push_down }: EngineCounts) -> String {
    let files = |files: u64| counted(i64::try_from(files).unwrap_or(i64::MAX), "file");
    match (cluster, push_down) {
        (_, 0) => format!("{} computed by the cluster", files(cluster)),
        (cluster, _) => format!("{} computed by the cluster, {} elsewhere", files(cluster), files(push_down)),
    }
}

fn state_text(summary: &ReportSummary) -> String {
    match summary.state {
        ReportState::Current => "up to date".to_owned(),
        ReportState::Computing => "being computed".to_owned(),
        ReportState::Failed => "could not be computed, will be tried again".to_owned(),
        ReportState::Rejected => {
            let rejected = summary.files.iter().filter(|file| file.state == FileState::Rejected).count();
            match rejected {
                0 => "most rows could not be used".to_owned(),
                1 => "one file could not be used".to_owned(),
                files => format!("{} could not be used", counted(files as i64, "file")),
            }
        }
    }
}
