//! Figures of reports for charts: matches, totals, periods and lines.

use tributary_store::{GroupRow, LineQuery, MetricFigures, ReportOrder, ReportRange, ReportTable, ReportValue, Store};

use ReportValue::{Integer, Null, Real, Text};

use super::table::table;
use crate::{Database, strings};

fn written(store: &mut Store, table: &ReportTable, rows: &[(&[&str], &[ReportValue])]) {
    let row = |(group, values): &(&[&str], &[ReportValue])| GroupRow { group: strings(group), values: values.to_vec() };
    store.transaction(|store| store.write_report(table, rows.iter().map(row))).unwrap();
}

#[test]
fn rows_are_found_by_a_part_of_any_group() {
    let mut database = Database::new();
    let (store, table) = (&mut database.store, table("odd \"n", &["k", "a\"b"], &["v"]));
    let decimal = ReportValue::Decimal("12345678901234567.89".into());
    let rows: [(&[&str], &[ReportValue]); 4] = [
        (&["100%", "x"], &[Integer(1)]),
        (&["a_b", "Pen"], std::slice::from_ref(&decimal)),
        (&["pen", "y"], &[Integer(3)]),
        (&["zz", "pencil"], &[Null]),
    ];
    written(store, &table, &rows);
    let mut check = |part: &str, expect: &str| {
        let range = ReportRange { order: ReportOrder::Descending("v"), part: Some(part), limit: 10, offset: 0 };
        let found = store.report_rows(&table, range).unwrap();
        assert_eq!(found.iter().map(|row| row.group[0].as_str()).collect::<Vec<_>>().join(" "), expect, "{part}");
        assert_eq!(store.count_report_rows(&table, part).unwrap(), found.len() as i64, "{part}");
        let all = store.report_rows(&table, ReportRange { limit: -1, ..range }).unwrap();
        assert_eq!(all, found, "a stream reads the same rows");
    };
    check("pen", "pen zz");
    check("Pen", "a_b");
    check("%", "100%");
    check("_", "a_b");
    check("", "a_b pen 100% zz");
    check("none", "");
    let range = ReportRange { limit: 2, offset: 1, order: ReportOrder::Descending("v"), ..ReportRange::ALL };
    let values: Vec<_> = store.report_rows(&table, range).unwrap().into_iter().map(|row| row.values).collect();
    assert_eq!(values, [[Integer(3)], [Integer(1)]]);
    let exact = store.report_rows(&table, ReportRange { limit: 1, offset: 0, ..range }).unwrap();
    assert_eq!(exact[0].values, [decimal], "a part of the rows has all digits");
}

#[test]
fn a_report_without_groups_contains_no_text() {
    let mut database = Database::new();
    let (store, table) = (&mut database.store, table("total", &[], &["v"]));
    written(store, &table, &[(&[], &[Integer(1)])]);
    assert_eq!(store.count_report_rows(&table, "").unwrap(), 0);
}

#[test]
fn a_metric_is_summed_over_all_groups() {
    let mut database = Database::new();
    let (store, table) = (&mut database.store, table("sums", &["k"], &["v", "w", "x", "none"]));
    let large = Text("9".repeat(30));
    let rows: [(&[&str], &[ReportValue]); 3] = [
        (&["a"], &[Integer(i64::MAX), Real(0.1), large, Null]),
        (&["b"], &[Integer(i64::MAX), Real(0.2), Integer(-1), Null]),
        (&["c"], &[Null, Real(0.3), Null, Null]),
    ];
    written(store, &table, &rows);
    let mut check = |metric: &str, total: f64, has_negative| {
        let found = store.metric_figures(&table, metric).unwrap();
        assert_eq!(found, MetricFigures { total, has_negative }, "{metric}");
    };
    check("v", 2.0 * i64::MAX as f64, false);
    check("w", 0.6, false);
    check("x", 1e30, true);
    check("none", 0.0, false);
}

#[test]
fn lines_follow_the_periods_of_the_largest_groups() {
    let mut database = Database::new();
    let (store, table) = (&mut database.store, table("lines", &["shop", "month", "kind"], &["v"]));
    let rows: [(&[&str], &[ReportValue]); 6] = [
        (&["a", "2026-01", "x"], &[Integer(9)]),
        (&["a", "2026-02", "x"], &[Integer(5)]),
        (&["a", "2026-03", "x"], &[Integer(5)]),
        (&["b", "2026-02", "x"], &[Integer(7)]),
        (&["b", "2026-03", "y"], &[Null]),
        (&["c", "2026-03", "y"], &[Real(0.5)]),
    ];
    written(store, &table, &rows);
    assert_eq!(store.last_periods(&table, "month", 2).unwrap(), strings(&["2026-02", "2026-03"]));
    let mut check = |adds_up, limit, expect: &[&str]| {
        let query = LineQuery { period: "month", from: "2026-02", metric: "v", adds_up, limit };
        let lines = store.report_lines(&table, query).unwrap();
        let points =
            |points: &[(String, f64)]| points.iter().map(|(at, value)| format!(" {at}={value}")).collect::<String>();
        let found: Vec<_> = lines.iter().map(|line| line.group.join("|") + &points(&line.points)).collect();
        assert_eq!(found, expect, "{adds_up} {limit}");
    };
    check(true, 2, &["a|x 2026-02=5 2026-03=5", "b|x 2026-02=7"]);
    check(false, 2, &["b|x 2026-02=7", "a|x 2026-02=5 2026-03=5"]);
    check(true, 9, &["a|x 2026-02=5 2026-03=5", "b|x 2026-02=7", "c|y 2026-03=0.5", "b|y"]);
    let single = super::table::table("single", &["month"], &["v"]);
    written(store, &single, &[(&["2026-01"], &[Integer(1)]), (&["2026-02"], &[Integer(2)])]);
    let query = LineQuery { period: "month", from: "2026-01", metric: "v", adds_up: true, limit: 5 };
    let lines = store.report_lines(&single, query).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].points, [("2026-01".to_owned(), 1.0), ("2026-02".to_owned(), 2.0)]);
}
