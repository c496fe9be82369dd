//! The page at `/reports/{name}`.

use askama::Template;
use tributary_config::ReportConfig;
use tributary_engine::{ReportDetail, ReportState};

use super::{bars::Bars, exports::ExportLine, facts::Facts, files::Files, lines::Lines, table::Table, view::View};
use crate::http::pages::text::numbers::for_people;

/// The page at `/reports/{name}`.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage {
    facts: Facts,
    /// The figures of a report without groups.
    figures: Vec<Figure>,
    lines: Option<Lines>,
    bars: Option<Bars>,
    /// `None` for a report without groups.
    table: Option<Table>,
    is_computing: bool,
    /// The link to the only row, up to the name of the format.
    downloads: String,
    files: Files,
    /// Its files in S3 or a folder.
    exports: Vec<ExportLine>,
    has_links: bool,
}

/// A value of a report without groups.
struct Figure {
    name: String,
    value: String,
    unit: Option<String>,
}

impl ReportPage {
    pub(super) fn new(report: &ReportConfig, view: &View, detail: &ReportDetail, exports: Vec<ExportLine>) -> Self {
        let has_groups = !report.group_by.is_empty();
        let chart = detail.chart.as_deref().filter(|chart| !chart.largest.is_empty()).zip(view.metric.as_deref());
        let lines = chart.and_then(|(chart, metric)| {
            let (_, by) = report.date_group()?;
            Lines::new(report, metric, by, chart.lines.as_ref()?)
        });
        Self {
            facts: Facts::new(report, &detail.summary),
            figures: if has_groups { Vec::new() } else { figures(report, detail) },
            lines,
            bars: chart.map(|(chart, metric)| Bars::new(report, view, (metric, detail.summary.groups), chart)),
            table: (has_groups && detail.summary.groups > 0).then(|| Table::new(report, view, detail)),
            is_computing: detail.summary.state == ReportState::Computing,
            downloads: view.download(report, None),
            files: Files::new(report, detail),
            has_links: exports.iter().any(|file| file.link.is_some()),
            exports,
        }
    }
}

fn figures(report: &ReportConfig, detail: &ReportDetail) -> Vec<Figure> {
    let values = detail.rows.first().map(|row| row.values.as_slice()).unwrap_or_default();
    let figure = |(name, value): (&String, &_)| Figure {
        name: name.clone(),
        value: for_people(value),
        unit: report.unit(name).map(str::to_owned),
    };
    report.metrics.iter().zip(values).map(figure).collect()
}
