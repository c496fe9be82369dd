//! Lines from points: places, labels and words.

use tributary_protocol::{DateGroup, GroupSpec, MetricSpec, ReportSpec};

use super::*;

fn report(expression: &str) -> ReportConfig {
    let metric = MetricSpec { name: "revenue".into(), expression: expression.into() };
    let date = DateGroup { column: "d".into(), by: CalendarPart::Month, name: None, day_first: None };
    let group_by = vec![GroupSpec::Date(date), "shop".into()];
    ReportConfig::with_spec("sales", ReportSpec { group_by, metrics: vec![metric], ..ReportSpec::default() })
}

fn line(shop: &str, points: &[(&str, f64)]) -> ReportLine {
    let points = points.iter().map(|(period, value)| ((*period).to_owned(), *value)).collect();
    ReportLine { group: vec![shop.to_owned()], points }
}

fn lines(expression: &str, periods: &[&str], lines: Vec<ReportLine>) -> Lines {
    let periods = periods.iter().map(|period| (*period).to_owned()).collect();
    let found = PeriodLines { periods, lines, has_earlier: false, has_more: false };
    Lines::new(&report(expression), "revenue", CalendarPart::Month, &found).unwrap()
}

#[test]
fn a_line_has_its_place_in_time_and_is_broken_where_nothing_is() {
    let months = ["2025-11", "2025-12", "2026-01", "2026-03"];
    let points = [("2025-11", 0.0), ("2025-12", 50.0), ("2026-01", 100.0), ("2026-03", 25.0)];
    let plot = lines("sum(a)", &months, vec![line("north", &points), line("south", &[("2026-01", 10.0)])]);
    assert_eq!(plot.lines[0].path, "M0.0 100.0L250.0 50.0L500.0 0.0M1000.0 75.0h0");
    assert_eq!(plot.lines[1].path, "M500.0 90.0h0");
    assert_eq!(plot.periods, ["2025-11", "2026-01", "2026-03"]);
    let labels: Vec<_> = plot.rules.iter().map(|(height, label)| format!("{height} {label}")).collect();
    assert_eq!(labels, ["0.0 100", "20.0 80", "40.0 60", "60.0 40", "80.0 20", "100.0 0"]);
    assert_eq!(plot.summary, "revenue by month from 2025-11 to 2026-03; the highest value is 100 of north in 2026-01");
    assert_eq!(plot.columns[2].2, "2026-01: north 100, south 10");
    assert_eq!(plot.note, None);
}

#[test]
fn a_mean_needs_no_zero_and_one_period_is_a_dot() {
    let plot = lines("mean(a)", &["2026-01"], vec![line("", &[("2026-01", 100.0)])]);
    assert_eq!(plot.lines[0].path, "M500.0 50.0h0");
    assert_eq!(plot.periods, ["2026-01"]);
    assert!(plot.summary.starts_with("revenue by month in 2026-01;"), "{}", plot.summary);
}

#[test]
fn what_is_left_out_is_said() {
    let found = PeriodLines {
        periods: vec!["2026-01".into(), "2026-02".into()],
        has_earlier: true,
        lines: vec![line("a", &[]), line("b", &[])],
        has_more: true,
    };
    let plot = Lines::new(&report("sum(a)"), "revenue", CalendarPart::Month, &found).unwrap();
    let expect = "Drawn are the 2 largest lines and the last 2 months; the table has all.";
    assert_eq!(plot.note.as_deref(), Some(expect));
}
