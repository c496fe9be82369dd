//! Words, units and dates of reports.

use tributary_protocol::{ColumnSpec, HeaderSpec};

use super::{load, refused};
use crate::ReportConfig;

const BEGIN: &str = "[[report]]\nname = \"sales\"\nfiles = \"*\"\n";

fn report(lines: &str) -> ReportConfig {
    let config = load(&format!("{BEGIN}{lines}"), &[]).unwrap_or_else(|why| panic!("{why}"));
    config.reports[0].clone()
}

#[test]
fn words_and_units_are_read_and_decide_nothing() {
    let plain = report("metrics = { n = \"count()\", revenue = \"sum(price)\" }\n");
    let worded = report(
        "title = \"Revenue\"\ndescription = \"\"\"\nBy the\n  month.\n\"\"\"\nunits = { revenue = \"€\" }\n\
         metrics = { n = \"count()\", revenue = \"sum(price)\" }\n",
    );
    assert_eq!((plain.title(), plain.unit("revenue")), ("sales", None));
    assert_eq!((worded.title(), worded.unit("revenue"), worded.unit("n")), ("Revenue", Some("€"), None));
    assert_eq!(worded.display.description.as_deref(), Some("By the month."));
    assert_eq!(plain.plan.digest(), worded.plan.digest());
    assert_eq!(plain.plan.results_digest(), worded.plan.results_digest());
    assert_ne!(plain, worded, "a reload adopts the words");
    let shown = load(&format!("{BEGIN}title = \"T\"\nunits = {{ n = \"kg\" }}\nmetrics = {{ n = \"sum(a)\" }}\n"), &[]);
    let shown = shown.unwrap().to_string();
    assert!(shown.contains("title T") && shown.contains("n = sum(a) in kg"), "{shown}");
}

#[test]
fn wrong_words_name_their_line() {
    let wrong = |line: &str, parts: &[&str]| {
        let toml = format!("{BEGIN}{line}\nmetrics = {{ n = \"count()\" }}\n");
        refused(&toml, &[], &[&["FILE, line 4"], parts].concat());
    };
    wrong("title = \" \"", &["a title needs 1 to 120 characters"]);
    wrong(&format!("title = \"{}\"", "x".repeat(121)), &["1 to 120"]);
    wrong("description = \"a\\u0007\"", &["a description", "control character"]);
    wrong("units = { m = \"€\" }", &["units: `m` is not a metric of the report, which has `n`"]);
    wrong("units = { n = \"\" }", &["a unit needs 1 to 20 characters"]);
    wrong("group_by = 1", &["a column, a table such as { column = \"Date\", by = \"month\" }"]);
    wrong("group_by = [{ column = \"d\", by = \"hour\" }]", &["unknown variant `hour`"]);
    wrong("group_by = [{ column = \"d\" }]", &["missing field `by`"]);
    wrong("group_by = [{ column = \"d\", by = \"day\", per = 1 }]", &["unknown field `per`"]);
    wrong("group_by = [{ column = \"d\", by = \"day\" }, \"D\"]", &["case is ignored"]);
}

#[test]
fn dates_stand_among_the_groups() {
    let metrics = "metrics = { n = \"count()\" }\n";
    let groups = |line: &str| {
        let report = report(&format!("{line}\n{metrics}"));
        (report.group_by.clone(), report.date_group().map(|(at, by)| format!("{at} {by:?}")))
    };
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(groups("group_by = \"shop\""), (texts(&["shop"]), None));
    assert_eq!(groups("group_by = { column = \"d\", by = \"week\" }"), (texts(&["d"]), Some("0 Week".into())));
    let two = "group_by = [\"shop\", { column = \"d\", by = \"month\", name = \"Month\", day_first = true }]";
    assert_eq!(groups(two), (texts(&["shop", "Month"]), Some("1 Month".into())));
    let shown = load(&format!("{BEGIN}{two}\n{metrics}"), &[]).unwrap().to_string();
    assert!(shown.contains("grouped by shop, the month of d as Month"), "{shown}");
}

#[test]
fn columns_have_names_or_positions() {
    let lines = "columns = { department = 1, sales = 3, price = \"Price\", n = [\"N\", \"Number\"] }\nmetrics = { s = \"sum(sales)\" }\n\
                 [[report.format]]\nheader = false\n";
    let found = report(lines);
    let headers = |names: &[&str]| ColumnSpec::Headers(names.iter().map(|name| (*name).to_owned()).collect());
    let expect = [
        ("department", ColumnSpec::Position(1)),
        ("n", headers(&["N", "Number"])),
        ("price", headers(&["Price"])),
        ("sales", ColumnSpec::Position(3)),
    ];
    assert_eq!(found.spec.columns, expect.map(|(name, column)| (name.to_owned(), column)).into());
    assert_eq!(found.formats.spec("a.csv").header, Some(HeaderSpec::FirstLine(false)));
    let shown = load(&format!("{BEGIN}{lines}"), &[]).unwrap().to_string();
    assert!(shown.contains("department is column 1, sales is column 3"), "{shown}");
    for wrong in ["0", "-1", "1.5", "true", "[\"a\", 1]", "[]", "{ a = 1 }"] {
        let line = format!("{BEGIN}columns = {{ sales = {wrong} }}\nmetrics = {{ s = \"sum(sales)\" }}\n");
        refused(&line, &[], &["FILE, line 4"]);
    }
    refused(
        &format!("{BEGIN}metrics = {{ n = \"count()\" }}\n[[report.format]]\nheader = 1\n"),
        &[],
        &["FILE, line 6", "false"],
    );
}

#[test]
fn the_main_metric_says_most() {
    let check = |metrics: &str, main: &str| {
        assert_eq!(report(&format!("metrics = {{ {metrics} }}\n")).main_metric(), Some(main), "{metrics}");
    };
    check("n = \"count()\", low = \"min(a)\", revenue = \"sum(a)\", other = \"SUM (b)\"", "revenue");
    check("low = \"min(a)\", n = \"count()\"", "n");
    check("low = \"min(a)\", average = \"mean(a)\"", "low");
}
