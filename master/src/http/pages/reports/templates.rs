//! Types of the report pages, with texts for people. The chart is made of SVG attributes, since the
//! content security policy forbids inline styles.

use std::collections::HashMap;

use askama::Template;
use tributary_config::ReportConfig;
use tributary_engine::{FileRow, FileState, GroupRow, ReportDetail, ReportState, ReportSummary, ReportValue, RowRange};

use crate::http::pages::text::{
    numbers::for_people,
    wording::{counted, encoded, people_time, thousands},
};

/// Maximum files listed.
const FILES: usize = 100;

/// The page at `/reports`.
#[derive(Template)]
#[template(path = "reports.html")]
pub(crate) struct ReportsPage {
    reports: Vec<Card>,
}

/// A report and its link.
struct Card {
    link: String,
    facts: Facts,
}

impl ReportsPage {
    pub(crate) fn new(reports: &[(ReportConfig, ReportSummary)]) -> Self {
        let card = |(report, summary): &(ReportConfig, ReportSummary)| Card {
            link: format!("/reports/{}", encoded(&report.name)),
            facts: Facts::new(report, summary),
        };
        Self { reports: reports.iter().map(card).collect() }
    }
}

/// A report in one line.
struct Facts {
    name: String,
    state: &'static str,
    /// The state in words for people.
    state_text: &'static str,
    /// Number of groups, and the columns they are grouped by.
    groups: String,
    files: String,
    rejects: String,
    has_rejects: bool,
    rejects_link: String,
    computed: Option<String>,
    error: Option<String>,
}

impl Facts {
    fn new(report: &ReportConfig, summary: &ReportSummary) -> Self {
        let groups = match report.group_by.as_slice() {
            [] => "one row of totals".to_owned(),
            columns => format!("{} by {}", counted(summary.groups, "group"), columns.join(", ")),
        };
        Self {
            name: report.name.clone(),
            state: summary.state.as_str(),
            state_text: match summary.state {
                ReportState::Rejected => "file rejected",
                ReportState::Computing | ReportState::Failed | ReportState::Current => summary.state.as_str(),
            },
            groups,
            files: counted(summary.files.len() as i64, "file"),
            rejects: counted(summary.rejects, "reject"),
            has_rejects: summary.rejects > 0,
            rejects_link: format!("/rejects?report={}", encoded(&report.name)),
            computed: summary.computed_at.as_deref().map(people_time),
            error: summary.error.clone(),
        }
    }
}

/// The page at `/reports/{name}`.
#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct ReportPage {
    facts: Facts,
    /// Names and values of the only row of a report without groups.
    figures: Vec<(String, String)>,
    chart: Option<Chart>,
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    /// The number of all rows, if some are not shown.
    left_out: Option<String>,
    /// The link to all rows, up to the name of the format.
    downloads: String,
    files: Vec<FileLine>,
    files_left_out: Option<String>,
    files_link: String,
}

impl ReportPage {
    /// A page with its rows in the order of `range`, and the largest groups by `metric`.
    pub(crate) fn new(report: &ReportConfig, range: &RowRange, metric: Option<&str>, detail: &ReportDetail) -> Self {
        let ReportDetail { summary, rows, chart, sources, .. } = detail;
        let largest = chart.as_ref().map(|chart| chart.largest.as_slice()).unwrap_or_default();
        let api = format!("/api/v1/reports/{}", encoded(&report.name));
        let is_one_row = report.group_by.is_empty();
        let values = rows.first().filter(|_| is_one_row).map(|row| row.values.iter().map(for_people));
        let left_out = summary.groups - rows.len() as i64;
        let files_left_out = summary.files.len().saturating_sub(FILES);
        Self {
            facts: Facts::new(report, summary),
            figures: report.metrics.iter().cloned().zip(values.into_iter().flatten()).collect(),
            chart: metric.filter(|_| !largest.is_empty()).map(|metric| Chart::new(report, range, metric, largest)),
            heads: Head::all(report, range, metric),
            rows: if is_one_row { Vec::new() } else { rows.iter().map(cells).collect() },
            left_out: (left_out > 0).then(|| counted(summary.groups, "group")),
            downloads: format!("{api}?format="),
            files: summary.files.iter().take(FILES).map(|file| FileLine::new(&api, file, sources)).collect(),
            files_left_out: (files_left_out > 0).then(|| counted(files_left_out as i64, "more file")),
            files_link: format!("/reports/{}#files", encoded(&report.name)),
        }
    }
}

/// A cell of the table.
struct Cell {
    text: String,
    is_number: bool,
}

fn cells(row: &GroupRow) -> Vec<Cell> {
    let keys = row.group.iter().map(|text| Cell { text: text.clone(), is_number: false });
    keys.chain(row.values.iter().map(|value| Cell { text: for_people(value), is_number: true })).collect()
}

/// The header of a column, which is a link that sorts by it.
struct Head {
    name: String,
    link: String,
    is_number: bool,
    /// `ascending` or `descending`, if the rows are in its order.
    sorted: Option<&'static str>,
}

impl Head {
    fn all(report: &ReportConfig, range: &RowRange, metric: Option<&str>) -> Vec<Self> {
        let first_key = report.group_by.first().map(|key| (key.as_str(), false));
        let order = range.order.as_ref().map(|order| (order.column.as_str(), order.descending)).or(first_key);
        let head = |(name, is_number): (&String, bool)| {
            let now = order.filter(|(column, _)| column == name).map(|(_, descends)| descends);
            // The first click on a number sorts the greatest first; a second click reverses the order.
            let descends = now.map_or(is_number, |descends| !descends);
            Self {
                link: page_link(report, Some((name, descends)), metric),
                name: name.clone(),
                is_number,
                sorted: now.map(|descends| if descends { "descending" } else { "ascending" }),
            }
        };
        let keys = report.group_by.iter().map(|key| (key, false));
        keys.chain(report.metrics.iter().map(|metric| (metric, true))).map(head).collect()
    }
}

/// Returns the link to the page in an order, with a chart of a metric.
fn page_link(report: &ReportConfig, order: Option<(&str, bool)>, metric: Option<&str>) -> String {
    let order = order.map(|(column, descends)| format!("order={}{}", if descends { "-" } else { "" }, encoded(column)));
    let metric = metric.map(|metric| format!("metric={}", encoded(metric)));
    let query: Vec<String> = order.into_iter().chain(metric).collect();
    format!("/reports/{}?{}", encoded(&report.name), query.join("&"))
}

/// The largest groups as bars.
struct Chart {
    metric: String,
    bars: Vec<Bar>,
    /// Name and link of each metric that can be shown; no link for the one that is.
    others: Vec<(String, Option<String>)>,
}

struct Bar {
    label: String,
    value: String,
    /// Of the whole width, in percent.
    width: String,
    is_negative: bool,
}

impl Chart {
    fn new(report: &ReportConfig, range: &RowRange, metric: &str, largest: &[GroupRow]) -> Self {
        let place = report.metrics.iter().position(|name| name == metric).unwrap_or_default();
        let value = |row: &GroupRow| row.values.get(place).cloned().unwrap_or(ReportValue::Null);
        let size = |row: &GroupRow| value(row).approximate().unwrap_or_default();
        let most = largest.iter().map(|row| size(row).abs()).fold(f64::MIN_POSITIVE, f64::max);
        let bar = |row: &GroupRow| Bar {
            label: row.group.join(" · "),
            value: for_people(&value(row)),
            width: format!("{:.2}", size(row).abs() / most * 100.0),
            is_negative: size(row) < 0.0,
        };
        let order = range.order.as_ref().map(|order| (order.column.as_str(), order.descending));
        let other = |name: &String| (name.clone(), (name != metric).then(|| page_link(report, order, Some(name))));
        Self {
            metric: metric.to_owned(),
            bars: largest.iter().map(bar).collect(),
            others: report.metrics.iter().map(other).collect(),
        }
    }
}

/// A file of the report.
struct FileLine {
    source: String,
    path: String,
    rows: String,
    passed_over: Option<String>,
    groups: String,
    rejects: String,
    /// Why its latest content could not be used.
    reason: Option<String>,
    /// Notes on how the accepted content was read.
    notes: Option<String>,
    link: String,
}

impl FileLine {
    fn new(api: &str, file: &FileRow, sources: &HashMap<i64, String>) -> Self {
        let source = sources.get(&file.source_id).cloned().unwrap_or_default();
        let reason = (file.state == FileState::Rejected).then(|| file.rejected_reason.clone().unwrap_or_default());
        Self {
            link: format!("{api}?source={}&file={}&format=csv", encoded(&source), encoded(&file.path)),
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
