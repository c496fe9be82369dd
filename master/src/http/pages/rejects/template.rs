//! The types that the template of the page shows.

use std::collections::HashMap;

use askama::Template;
use tributary_config::report_of;
use tributary_csv_gate::{explain, fault_kind};
use tributary_engine::{RejectPage, RejectView, RejectedFile};

use super::FILES;
use crate::http::pages::text::wording::{encoded, thousands};

/// Reasons of a file that the page names, the most frequent.
const MAX_REASONS: usize = 3;

/// The page at `/rejects`.
#[derive(Template)]
#[template(path = "rejects.html")]
pub(super) struct Rejects {
    filter: Filter,
    is_filtered: bool,
    /// The names to choose from.
    sources: Vec<String>,
    reports: Vec<String>,
    files: Vec<FileLine>,
    rows: Vec<RowLine>,
    /// Links to the files before and behind these, to the first rows and to those behind these.
    earlier: Option<String>,
    more: Option<String>,
    newest: Option<String>,
    next: Option<String>,
    /// The link to all rows, up to the name of the format.
    downloads: String,
}

/// The part of the rejects that is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) source: Option<String>,
    pub(super) file: Option<String>,
    pub(super) report: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) offset: i64,
    pub(super) after: Option<i64>,
}

/// A file with rejects.
struct FileLine {
    source: String,
    path: String,
    report: Option<String>,
    rejects: String,
    /// Reason why its latest content is rejected as a whole.
    reason: Option<String>,
    /// Number and reason, the most frequent first.
    reasons: Vec<(String, String)>,
    /// Whether only some of its rows were counted, and how many.
    is_sample: bool,
    counted: String,
    /// Its rows on this page.
    link: String,
    /// Its rows as CSV.
    csv: String,
}

/// A row that was set aside.
struct RowLine {
    source: String,
    file: String,
    report: Option<String>,
    /// None if no single line is at fault.
    line: Option<String>,
    is_whole_file: bool,
    what: String,
    cure: Option<String>,
    raw: String,
}

impl Filter {
    /// The parameters that choose rows, each with `&` behind it.
    fn query(&self) -> String {
        let Self { source, file, report, reason, .. } = self;
        let all = [("source", source), ("file", file), ("report", report), ("reason", reason)];
        let given = all.into_iter().filter_map(|(key, text)| Some(format!("{key}={}&", encoded(text.as_deref()?))));
        given.collect()
    }
}

impl Rejects {
    pub(super) fn new(
        filter: Filter,
        mut files: Vec<RejectedFile>,
        RejectPage { rows, next }: RejectPage,
        (mut sources, reports): (Vec<String>, Vec<String>),
    ) -> Self {
        let query = filter.query();
        let link = |place: String| format!("/rejects?{query}{place}");
        let has_more = files.len() as i64 > FILES;
        files.truncate(FILES as usize);
        // One that is no longer configured may be asked for too.
        sources.extend(filter.source.iter().filter(|name| !sources.contains(name)).cloned().collect::<Vec<_>>());
        let at = filter.offset;
        Self {
            is_filtered: !query.is_empty(),
            earlier: (at > 0).then(|| link(format!("offset={}#by-file", (at - FILES).max(0)))),
            more: has_more.then(|| link(format!("offset={}#by-file", at + FILES))),
            newest: filter.after.is_some().then(|| link(format!("offset={at}#rows"))),
            next: next.map(|next| link(format!("offset={at}&after={next}#rows"))),
            downloads: format!("/api/v1/rejects?{query}format="),
            files: files.into_iter().map(FileLine::from).collect(),
            rows: rows.into_iter().map(RowLine::from).collect(),
            sources,
            reports,
            filter,
        }
    }
}

impl From<RejectedFile> for FileLine {
    fn from(RejectedFile { file, reasons }: RejectedFile) -> Self {
        let report = report_of(&file.reader).map(str::to_owned);
        let of_report = report.as_deref().map(|report| format!("&report={}", encoded(report))).unwrap_or_default();
        let query = format!("source={}&file={}{of_report}", encoded(&file.source), encoded(&file.path));
        Self {
            is_sample: (reasons.len() as i64) < file.rejects,
            counted: thousands(reasons.len() as i64),
            reasons: most_frequent(&reasons),
            rejects: thousands(file.rejects),
            reason: file.reason,
            link: format!("/rejects?{query}#rows"),
            csv: format!("/api/v1/rejects?{query}&order=line&format=csv"),
            source: file.source,
            path: file.path,
            report,
        }
    }
}

/// Counts the faults, without the texts of cells. The reason of a whole file is not among them.
fn most_frequent(reasons: &[String]) -> Vec<(String, String)> {
    let mut counts = HashMap::<&str, i64>::new();
    for reason in reasons.iter().map(|reason| explain(reason)).filter(|reason| !reason.is_whole_file) {
        *counts.entry(fault_kind(reason.what)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().take(MAX_REASONS).map(|(kind, count)| (thousands(count), kind.to_owned())).collect()
}

impl From<RejectView> for RowLine {
    fn from(row: RejectView) -> Self {
        let reason = explain(&row.reason);
        Self {
            report: report_of(&row.reader).map(str::to_owned),
            line: (row.line > 0).then(|| thousands(row.line)),
            is_whole_file: reason.is_whole_file,
            what: reason.what.to_owned(),
            cure: reason.cure.map(str::to_owned),
            source: row.source,
            file: row.file,
            raw: row.raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use tributary_engine::{FileState, RejectedFileView};

    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_feeds_write_is_text_on_the_page() {
        let evil = || Some(EVIL.to_owned());
        let filter =
            Filter { source: evil(), file: evil(), report: evil(), reason: evil(), offset: 25, after: Some(1) };
        let row = RejectView {
            id: 1,
            reader: format!("report:{EVIL}"),
            source: EVIL.into(),
            file: EVIL.into(),
            line: 1,
            byte_offset: 0,
            reason: EVIL.into(),
            raw: EVIL.into(),
        };
        let file = RejectedFileView {
            id: 1,
            reader: format!("report:{EVIL}"),
            source: EVIL.into(),
            path: EVIL.into(),
            state: FileState::Rejected,
            rows: 1,
            rejects: 1,
            reason: evil(),
        };
        let file = RejectedFile { file, reasons: vec![EVIL.into()] };
        let page = RejectPage { rows: vec![row], next: Some(1) };
        check(&Rejects::new(filter, vec![file], page, (Vec::new(), vec![EVIL.into()])));
    }

    #[test]
    fn equal_faults_of_other_cells_are_counted_together() {
        let number = |cell: &str| format!("`price` is not a number: `{cell}`");
        let whole = "the file is rejected: no header".to_owned();
        let reasons = [number("a"), "no sku".to_owned(), number("b"), whole];
        let found = most_frequent(&reasons);
        let expect = [("2", "`price` is not a number"), ("1", "no sku")];
        assert_eq!(found, expect.map(|(count, kind)| (count.to_owned(), kind.to_owned())));
    }
}
