//! The table of a report's groups: its heads, a page of its rows, the links to other pages and to files.

use tributary_config::ReportConfig;
use tributary_engine::{ReportDetail, ReportValue};

use super::view::{MAX_SORTED_OFFSET, ROWS, View};
use crate::http::pages::text::{
    numbers::{Aligned, column},
    wording::{counted, thousands},
};

/// The table.
pub(super) struct Table {
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Which rows are shown of how many.
    pub(super) range: String,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    /// Whether the view begins behind the last row.
    pub(super) is_beyond: bool,
    /// Whether rows are left that only another order, a search or a file shows.
    pub(super) is_cut: bool,
    pub(super) search: Option<Search>,
    /// A name for each list of rows that can be downloaded, with the link up to the name of the format.
    pub(super) downloads: Vec<(String, String)>,
}

/// The form that searches the groups.
pub(super) struct Search {
    pub(super) action: String,
    pub(super) part: String,
    /// Name and value of what stays as it is.
    pub(super) kept: Vec<(&'static str, String)>,
}

/// A cell of the table.
pub(super) struct Cell {
    pub(super) text: String,
    /// Blanks behind a number.
    pub(super) padding: String,
    pub(super) is_number: bool,
}

/// The header of a column, which is a link that sorts by it.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    pub(super) link: String,
    pub(super) is_number: bool,
    /// `ascending` or `descending`, if the rows are in its order.
    pub(super) sorted: Option<&'static str>,
}

impl Table {
    pub(super) fn new(report: &ReportConfig, view: &View, detail: &ReportDetail) -> Self {
        let shown = detail.rows.len() as i64;
        let (end, all) = (view.offset + shown, detail.matches);
        let can_go_on = end < all && (view.order.is_none() || end <= MAX_SORTED_OFFSET);
        let is_whole = shown == detail.summary.groups;
        Self {
            heads: Head::all(report, view),
            rows: rows(report, detail),
            range: match (shown, &view.part) {
                (0, _) => counted(all, "group"),
                _ if shown == all => counted(all, "group"),
                _ => format!("{}–{} of {}", thousands(view.offset + 1), thousands(end), counted(all, "group")),
            },
            previous: (view.offset > 0).then(|| {
                // A link of another day may lead beyond the last row.
                let last = (all - 1).max(0) / ROWS * ROWS;
                view.at((view.offset - ROWS).clamp(0, last)).link(report)
            }),
            is_beyond: shown == 0 && all > 0,
            next: can_go_on.then(|| view.at(end).link(report)),
            is_cut: end < all && !can_go_on,
            search: (!is_whole || view.part.is_some()).then(|| Search::new(report, view)),
            downloads: downloads(report, view, (shown, detail)),
        }
    }
}

impl Search {
    fn new(report: &ReportConfig, view: &View) -> Self {
        let kept = [("order", view.order_text()), ("metric", view.metric.clone())];
        let link = view.link(report);
        Self {
            action: link.split_once('?').map_or_else(|| link.clone(), |(path, _)| path.to_owned()),
            part: view.part.clone().unwrap_or_default(),
            kept: kept.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        }
    }
}

/// The rows, column by column, since the numbers of a column have their points below each other.
fn rows(report: &ReportConfig, detail: &ReportDetail) -> Vec<Vec<Cell>> {
    let key = |text: &String| Cell { text: text.clone(), padding: String::new(), is_number: false };
    let mut rows: Vec<Vec<Cell>> = detail.rows.iter().map(|row| row.group.iter().map(key).collect()).collect();
    for place in 0..report.metrics.len() {
        let values = detail.rows.iter().map(|row| row.values.get(place).unwrap_or(&ReportValue::Null));
        for (row, Aligned { text, padding }) in rows.iter_mut().zip(column(values)) {
            row.push(Cell { text, padding, is_number: true });
        }
    }
    rows
}

fn downloads(report: &ReportConfig, view: &View, (shown, detail): (i64, &ReportDetail)) -> Vec<(String, String)> {
    let everything = View { order: None, part: None, offset: 0, ..view.clone() };
    let mut downloads = vec![("Everything".to_owned(), everything.download(report, None))];
    if view.part.is_some() && detail.matches > shown {
        let found = format!("The {} found", counted(detail.matches, "group"));
        downloads.insert(0, (found, view.download(report, None)));
    }
    if shown > 0 && shown < detail.summary.groups {
        downloads.insert(0, ("What is shown".to_owned(), view.download(report, Some(shown))));
    }
    downloads
}

impl Head {
    fn all(report: &ReportConfig, view: &View) -> Vec<Self> {
        let first_key = report.group_by.first().map(|key| (key.as_str(), false));
        let order = view.order.as_ref().map(|order| (order.column.as_str(), order.descending)).or(first_key);
        let head = |(name, is_number): (&String, bool)| {
            let now = order.filter(|(column, _)| column == name).map(|(_, descends)| descends);
            // The first click on a number sorts the greatest first; a second click reverses the order.
            let descends = now.map_or(is_number, |descends| !descends);
            Self {
                link: view.sorted(name, descends).link(report),
                unit: report.unit(name).filter(|_| is_number).map(str::to_owned),
                name: name.clone(),
                is_number,
                sorted: now.map(|descends| if descends { "descending" } else { "ascending" }),
            }
        };
        let keys = report.group_by.iter().map(|key| (key, false));
        keys.chain(report.metrics.iter().map(|metric| (metric, true))).map(head).collect()
    }
}
