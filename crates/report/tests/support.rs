//! Reports in few words, and the check of what one makes of a file.

use tributary_csv_gate::{Error as GateError, Settings, Table};
use tributary_protocol::{GroupLine, MetricSpec, ReportSpec};
use tributary_report::{Error, Number, Partial, Plan, Progress, Total};

/// A report of these metrics, which are called `m0`, `m1` and so on.
pub(crate) fn report(group_by: &[&str], metrics: &[&str]) -> ReportSpec {
    let metric =
        |(at, expression): (usize, &&str)| MetricSpec { name: format!("m{at}"), expression: (*expression).to_owned() };
    ReportSpec {
        group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
        metrics: metrics.iter().enumerate().map(metric).collect(),
        ..ReportSpec::default()
    }
}

/// The same with a column that has other names in files.
pub(crate) fn renamed(mut report: ReportSpec, name: &str, headers: &[&str]) -> ReportSpec {
    report.columns.insert(name.to_owned(), headers.iter().map(|header| (*header).to_owned()).collect());
    report
}

/// The same with a filter.
pub(crate) fn filtered(report: ReportSpec, filter: &str) -> ReportSpec {
    ReportSpec { filter: Some(filter.to_owned()), ..report }
}

/// The same with a check.
pub(crate) fn checked(report: ReportSpec, check: &str) -> ReportSpec {
    ReportSpec { check: Some(check.to_owned()), ..report }
}

pub(crate) fn plan(report: &ReportSpec) -> Plan {
    Plan::compile(report).unwrap_or_else(|error| panic!("{error}"))
}

/// The partial of a file.
pub(crate) fn partial(plan: &Plan, path: &str, bytes: &[u8], threads: usize) -> Result<Partial, Error> {
    plan.aggregate_file((path, bytes.len() as u64), || Ok(bytes), threads, |_| true)
}

/// A partial's groups as they are sent: through JSON.
pub(crate) fn groups(partial: &Partial) -> Vec<GroupLine> {
    let mut groups = Vec::new();
    let through = |group: GroupLine| {
        let json = serde_json::to_string(&group)?;
        groups.push(serde_json::from_str(&json)?);
        Ok::<(), serde_json::Error>(())
    };
    partial.each_group(through).unwrap();
    groups
}

/// A total's rows, the texts of the key first; no value is `-`.
pub(crate) fn rows(total: &Total<'_>) -> Vec<String> {
    let mut rows = Vec::new();
    let written = |value: Option<Number>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let take = |key: Vec<String>, values: Vec<Option<Number>>| {
        rows.push(key.into_iter().chain(values.into_iter().map(written)).collect::<Vec<_>>().join("|"));
        Ok::<(), ()>(())
    };
    total.each_row(take).unwrap();
    assert_eq!(rows.len(), total.len());
    rows
}

/// What a partial says: its total's rows, `~N` if N rows were passed over, and the rejects, as `LINE: REASON`.
pub(crate) fn told(plan: &Plan, partial: &Partial) -> Vec<String> {
    let mut total = Total::new(plan);
    let groups = groups(partial);
    groups.iter().for_each(|group| total.add(group).unwrap());
    let counted: u64 = groups.iter().map(|GroupLine(_, rows, _)| rows).sum();
    let head = partial.head();
    assert_eq!(head.rows, counted + head.passed_over + head.rejected, "every row is somewhere");
    assert_eq!(head.groups, groups.len() as u64);
    let mut told = rows(&total);
    if head.passed_over > 0 {
        told.push(format!("~{}", head.passed_over));
    }
    told.extend(head.rejects.iter().map(|reject| format!("{}: {}", reject.line, reject.reason)));
    told
}

/// Checks what a report makes of a file, see [`told`].
#[track_caller]
pub(crate) fn check(report: &ReportSpec, file: &str, expect: &[&str]) {
    let plan = plan(report);
    let partial = partial(&plan, "a.csv", file.as_bytes(), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(told(&plan, &partial), expect, "{report:?} of\n{file}");
}

/// Why a report makes nothing of a file at all: the line and the reason.
#[track_caller]
pub(crate) fn rejected(report: &ReportSpec, file: &str) -> (u64, String) {
    match partial(&plan(report), "a.csv", file.as_bytes(), 1) {
        Err(Error::Gate(GateError::Rejected(reject))) => (reject.line, reject.reason),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{report:?} takes\n{file}"),
    }
}

/// A table that is open in one pass.
pub(crate) fn open(bytes: &[u8]) -> Table<&[u8]> {
    Table::open_once("a.csv", bytes.len() as u64, bytes, &Settings::default()).unwrap()
}

/// Goes on, whatever was read.
pub(crate) fn go_on(_: Progress) -> bool {
    true
}
