//! Short ways to declare reports, and the check of a report's result for a file.

use tributary_csv_gate::{Error as GateError, Settings, Table};
use tributary_protocol::{ColumnSpec, GroupLine, MetricSpec, ReportSpec};
use tributary_report::{Error, FileFormat, Number, Partial, Progress, ReportPlan, Total};

/// A report of these metrics, which are named `m0`, `m1` and so on.
pub(crate) fn report(group_by: &[&str], metrics: &[&str]) -> ReportSpec {
    let metric =
        |(at, expression): (usize, &&str)| MetricSpec { name: format!("m{at}"), expression: (*expression).to_owned() };
    ReportSpec {
        group_by: group_by.iter().map(|name| (*name).into()).collect(),
        metrics: metrics.iter().enumerate().map(metric).collect(),
        ..ReportSpec::default()
    }
}

/// Adds other names in files for a column.
pub(crate) fn renamed(mut report: ReportSpec, name: &str, headers: &[&str]) -> ReportSpec {
    let headers = headers.iter().map(|header| (*header).to_owned()).collect();
    report.columns.insert(name.to_owned(), ColumnSpec::Headers(headers));
    report
}

/// Gives names to positions.
pub(crate) fn at(mut report: ReportSpec, columns: &[(&str, u32)]) -> ReportSpec {
    let specs = columns.iter().map(|(name, position)| ((*name).to_owned(), ColumnSpec::Position(*position)));
    report.columns.extend(specs);
    report
}

/// Adds a filter.
pub(crate) fn filtered(report: ReportSpec, filter: &str) -> ReportSpec {
    ReportSpec { filter: Some(filter.to_owned()), ..report }
}

/// Adds a check.
pub(crate) fn checked(report: ReportSpec, check: &str) -> ReportSpec {
    ReportSpec { check: Some(check.to_owned()), ..report }
}

pub(crate) fn plan(report: &ReportSpec) -> ReportPlan {
    ReportPlan::compile(report).unwrap_or_else(|error| panic!("{error}"))
}

/// The partial of a file.
pub(crate) fn partial(plan: &ReportPlan, path: &str, bytes: &[u8], threads: usize) -> Result<Partial, Error> {
    plan.aggregate_file((path, bytes.len() as u64), || Ok(bytes), &FileFormat::default(), threads, |_| true)
}

/// The groups of a partial, after a round trip through JSON as between two programs.
pub(crate) fn groups(partial: &Partial) -> Vec<GroupLine> {
    let mut groups = Vec::new();
    let through = |group: GroupLine| {
        let json = serde_json::to_string(&group)?;
        groups.push(serde_json::from_str(&json)?);
        Ok::<(), std::io::Error>(())
    };
    partial.each_group(through).unwrap();
    groups
}

/// The rows of a total, joined by `|`: the texts of the key, then the values, with `-` for none.
pub(crate) fn rows(total: Total<'_>, plan: &ReportPlan) -> Vec<String> {
    let mut rows = Vec::new();
    let text = |value: Option<Number>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let take = |key: Vec<String>, values: Vec<Option<Number>>| {
        rows.push(key.into_iter().chain(values.into_iter().map(text)).collect::<Vec<_>>().join("|"));
        Ok::<(), std::io::Error>(())
    };
    let done = total.finish().unwrap();
    done.each(plan, take).unwrap();
    assert_eq!(rows.len(), done.len());
    rows
}

/// Everything visible of a partial: its total's rows, `~N` if N rows were skipped, and the rejects as `LINE: REASON`.
pub(crate) fn shown(plan: &ReportPlan, partial: &Partial) -> Vec<String> {
    let mut total = Total::new(plan);
    let groups = groups(partial);
    groups.iter().for_each(|group| total.add(group).unwrap());
    let counted: u64 = groups.iter().map(|GroupLine(_, rows, _)| rows).sum();
    let head = partial.head();
    assert_eq!(head.rows, counted + head.passed_over + head.rejected, "every row is counted, skipped or rejected");
    assert_eq!(head.groups, groups.len() as u64);
    let mut shown = rows(total, plan);
    if head.passed_over > 0 {
        shown.push(format!("~{}", head.passed_over));
    }
    shown.extend(head.rejects.iter().map(|reject| format!("{}: {}", reject.line, reject.reason)));
    shown
}

/// Checks a report's result for a file, see [`shown`].
#[track_caller]
pub(crate) fn check(report: &ReportSpec, file: &str, expect: &[&str]) {
    let plan = plan(report);
    let partial = partial(&plan, "a.csv", file.as_bytes(), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&plan, &partial), expect, "{report:?} of\n{file}");
}

/// The line and the reason with which a report rejects a whole file.
#[track_caller]
pub(crate) fn rejected(report: &ReportSpec, file: &str) -> (u64, String) {
    match partial(&plan(report), "a.csv", file.as_bytes(), 1) {
        Err(Error::Gate(GateError::Rejected(reject))) => (reject.line, reject.reason),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{report:?} accepts\n{file}"),
    }
}

/// A table that is read in one pass.
pub(crate) fn open(bytes: &[u8]) -> Table<&[u8]> {
    Table::open_once("a.csv", bytes.len() as u64, bytes, &Settings::default()).unwrap()
}

/// A progress callback that never stops.
pub(crate) fn go_on(_: Progress) -> bool {
    true
}
