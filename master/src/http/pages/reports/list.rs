//! The page at `/reports`.

use askama::Template;
use tributary_config::ReportConfig;
use tributary_engine::ReportSummary;

use super::facts::Facts;
use crate::http::pages::text::wording::encoded;

/// The page at `/reports`.
#[derive(Template)]
#[template(path = "reports.html")]
pub(super) struct ReportsPage {
    reports: Vec<Card>,
}

/// A report and its link.
struct Card {
    link: String,
    facts: Facts,
}

impl ReportsPage {
    pub(super) fn new(reports: &[(ReportConfig, ReportSummary)]) -> Self {
        let card = |(report, summary): &(ReportConfig, ReportSummary)| Card {
            link: format!("/reports/{}", encoded(&report.name)),
            facts: Facts::new(report, summary),
        };
        Self { reports: reports.iter().map(card).collect() }
    }
}
