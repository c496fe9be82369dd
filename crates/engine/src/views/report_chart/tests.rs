//! Charts, from what is stored of a report.

use tributary_protocol::{CalendarPart, DateGroup, GroupSpec, MetricSpec, ReportSpec};
use tributary_store::ReportValue::Integer;

use super::*;

/// A report by shop and month.
fn report() -> ReportConfig {
    let metric = |name: &str, expression: &str| MetricSpec { name: name.into(), expression: expression.into() };
    let date = DateGroup { column: "d".into(), by: CalendarPart::Month, name: Some("month".into()), day_first: None };
    ReportConfig::with_spec(
        "sales",
        ReportSpec {
            group_by: vec!["shop".into(), GroupSpec::Date(date)],
            metrics: vec![metric("n", "count()"), metric("most", "max(a)")],
            ..ReportSpec::default()
        },
    )
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
    (folder, store)
}

/// Writes a row per shop and month, the largest shop first, and returns what the table was computed from.
fn write(store: &mut Store, report: &ReportConfig, (shops, months): (i64, i64), computed_at: &str) -> ReportRow {
    let row = |shop: i64, month: i64| GroupRow {
        group: vec![format!("shop {shop}"), format!("{:04}-{:02}", 2000 + month / 12, month % 12 + 1)],
        values: vec![Integer(100 - shop), Integer(shop)],
    };
    let rows = (0..shops).flat_map(|shop| (0..months).map(move |month| row(shop, month)));
    let groups = store.transaction(|store| store.write_report(&report.table(), rows)).unwrap();
    let [digest, computed_at, standing] = ["d", computed_at, "{}"].map(str::to_owned);
    ReportRow { name: report.name.clone(), digest, groups, computed_at, standing }
}

#[test]
fn bars_and_lines_are_bounded_and_say_so() {
    let ((_folder, mut store), report, charts) = (store(), report(), Charts::default());
    let stored = write(&mut store, &report, (7, 301), "1");
    let chart = charts.get(&mut store, &report, stored.clone(), "n").unwrap();
    assert_eq!(chart.largest.len(), 20);
    assert_eq!(chart.figures.map(|figures| figures.total), Some((94..=100).sum::<i64>() as f64 * 301.0));
    let lines = chart.lines.as_ref().unwrap();
    assert!(lines.has_earlier && lines.has_more);
    assert_eq!((lines.periods.len(), lines.periods[0].as_str()), (300, "2000-02"));
    let shops: Vec<_> = lines.lines.iter().map(|line| (line.group[0].as_str(), line.points.len())).collect();
    let expect = ["shop 0", "shop 1", "shop 2", "shop 3", "shop 4"].map(|shop| (shop, 300));
    assert_eq!(shops, expect);
    // Greatest values are compared, and do not add up to a total.
    let most = charts.get(&mut store, &report, stored, "most").unwrap();
    assert_eq!(most.figures, None);
    assert_eq!(most.lines.as_ref().unwrap().lines[0].group, ["shop 6"]);
}

/// Guards against a page that shows the chart of an earlier table beside the rows of this one.
#[test]
fn a_chart_is_read_again_only_when_its_table_was_written() {
    let ((_folder, mut store), report, charts) = (store(), report(), Charts::default());
    let first = write(&mut store, &report, (1, 2), "1");
    let chart = charts.get(&mut store, &report, first.clone(), "n").unwrap();
    assert!(!chart.lines.as_ref().unwrap().has_earlier && !chart.lines.as_ref().unwrap().has_more);
    assert!(Arc::ptr_eq(&chart, &charts.get(&mut store, &report, first, "n").unwrap()));
    let second = write(&mut store, &report, (2, 2), "2");
    let newer = charts.get(&mut store, &report, second.clone(), "n").unwrap();
    assert_eq!((chart.largest.len(), newer.largest.len()), (2, 4));
    for number in 0..2 * MAX_KEPT {
        let stored = ReportRow { name: format!("r{number}"), ..second.clone() };
        charts.get(&mut store, &report, stored, "n").unwrap();
    }
    assert_eq!(charts.0.lock().unwrap().len(), MAX_KEPT);
}

/// Sixty-four charts with long groups would have stayed in memory, 20 bars of 4 MiB each.
#[test]
fn a_chart_of_long_groups_is_not_kept() {
    let ((_folder, mut store), charts) = (store(), Charts::default());
    let report = ReportConfig::with_columns("sales", vec!["g".into()], vec!["n".into()]);
    let mut is_kept = |length: usize| {
        let row = GroupRow { group: vec!["x".repeat(length)], values: vec![Integer(1)] };
        let groups = store.transaction(|store| store.write_report(&report.table(), [row])).unwrap();
        let [digest, computed_at, standing] = ["d", &length.to_string(), "{}"].map(str::to_owned);
        let stored = ReportRow { name: report.name.clone(), digest, groups, computed_at, standing };
        let chart = charts.get(&mut store, &report, stored.clone(), "n").unwrap();
        Arc::ptr_eq(&chart, &charts.get(&mut store, &report, stored, "n").unwrap())
    };
    assert!(is_kept(MAX_KEPT_BYTES) && !is_kept(MAX_KEPT_BYTES + 1));
}
