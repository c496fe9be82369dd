//! Tests of statements, of the reasons against them, and of rows that come back. That an engine computes the same is compared in `e2e`.

use tributary_csv_gate::{
    Settings,
    plain::{PlainTable, plain_table},
};
use tributary_protocol::{FormatSpec, GroupLine, GroupSpec, MetricSpec, ReportSpec};

use super::*;
use crate::NumberFormat;

const SALES: &str = "Shop,Price,Qty\nnorth,1.50,3\nsouth,20.25,-1\nnorth,,2\n";

fn spec(group_by: &[&str], metrics: &[&str]) -> ReportSpec {
    let metric = |(at, text): (usize, &&str)| MetricSpec { name: format!("m{at}"), expression: (*text).to_owned() };
    ReportSpec {
        group_by: group_by.iter().map(|column| GroupSpec::from(*column)).collect(),
        metrics: metrics.iter().enumerate().map(metric).collect(),
        ..ReportSpec::default()
    }
}

fn plan(spec: &ReportSpec) -> ReportPlan {
    ReportPlan::compile(spec).unwrap()
}

fn plain(text: &str) -> PlainTable {
    plain_table("a.csv", text.len() as u64, || Ok(text.as_bytes()), &Settings::default(), |_| true).unwrap().unwrap()
}

fn file(plan: &ReportPlan, text: &str) -> Result<SqlFile, NotSql> {
    plan.sql_file(&plain(text), &NumberFormat::default())
}

#[track_caller]
fn check_not(spec: &ReportSpec, text: &str, part: &str) {
    let why = file(&plan(spec), text).unwrap_err().to_string();
    assert!(why.contains(part), "{why}");
}

#[test]
fn a_query_is_one_statement_over_all_files() {
    let plan = plan(&spec(&["shop"], &["count()", "sum(price * qty)", "mean(price)", "min(price)"]));
    let mut query = SqlQuery::new(&plan);
    query.push(file(&plan, SALES).unwrap()).unwrap();
    query.push(file(&plan, "qty;price;shop\n7;100;east\n").unwrap()).unwrap();
    let kinds = |file: &SqlFile| (file.delimiter, file.columns.clone());
    let decimal = |precision, scale| SqlColumn::Decimal { precision, scale };
    assert_eq!(kinds(&query.files()[0]), (',', vec![SqlColumn::Text, decimal(4, 2), decimal(1, 0)]));
    assert_eq!(kinds(&query.files()[1]), (';', vec![decimal(1, 0), decimal(3, 0), SqlColumn::Text]));
    assert_eq!(
        query.statement(&["a".to_owned(), "b".to_owned()]),
        "SELECT f, 1 AS w, k0, count(*) AS n, sum(v0) AS p0, count(v0) AS n0, sum(v1) AS p1, count(v1) AS n1, min(v1) AS p2 FROM (\
         SELECT 0 AS f, c0 AS k0, CAST((c1 * c2) AS DECIMAL(6, 2)) AS v0, CAST(c1 AS DECIMAL(5, 2)) AS v1 FROM \"a\" \
         UNION ALL \
         SELECT 1 AS f, c2 AS k0, CAST((c1 * c0) AS DECIMAL(6, 2)) AS v0, CAST(c1 AS DECIMAL(5, 2)) AS v1 FROM \"b\"\
         ) AS u GROUP BY f, k0 ORDER BY f, k0"
    );
}

#[test]
fn rows_that_do_not_count_have_neither_key_nor_value() {
    let spec = ReportSpec {
        filter: Some("price > 0.5 AND shop <> 'it''s' OR qty IS NULL".to_owned()),
        check: Some("qty IN (1, 2)".to_owned()),
        ..spec(&["shop"], &["sum(qty)"])
    };
    let plan = plan(&spec);
    let mut query = SqlQuery::new(&plan);
    query.push(file(&plan, SALES).unwrap()).unwrap();
    assert_eq!(
        query.statement(&["a".to_owned()]),
        "SELECT f, w, k0, count(*) AS n, sum(v0) AS p0, count(v0) AS n0 FROM (\
         SELECT 0 AS f, w, CASE WHEN w = 1 THEN c0 END AS k0, CASE WHEN w = 1 THEN CAST(CAST(c2 AS DECIMAL(1, 0)) AS DECIMAL(1, 0)) END AS v0 \
         FROM (SELECT *, CASE WHEN (((CAST(c1 AS DECIMAL(4, 2)) > CAST(CAST('0.5' AS DECIMAL(1, 1)) AS DECIMAL(4, 2))) AND (c0 <> 'it''s')) \
         OR (c2 IS NULL)) THEN CASE WHEN ((CAST(CAST(c2 AS DECIMAL(1, 0)) AS DECIMAL(1, 0)) = CAST(CAST('1' AS DECIMAL(1, 0)) AS DECIMAL(1, 0))) \
         OR (CAST(CAST(c2 AS DECIMAL(1, 0)) AS DECIMAL(1, 0)) = CAST(CAST('2' AS DECIMAL(1, 0)) AS DECIMAL(1, 0)))) THEN 1 ELSE 2 END ELSE 0 END AS w \
         FROM \"a\") AS t0) AS u GROUP BY f, w, k0 ORDER BY f, w, k0"
    );
}

#[test]
fn what_sql_would_compute_otherwise_is_not_sql() {
    check_not(&spec(&["shop"], &["sum(price / qty)"]), SALES, "divides");
    check_not(&spec(&["shop"], &["sum(missing)"]), SALES, "no column `missing`");
    check_not(&spec(&["shop"], &["sum(shop)"]), SALES, "3 cells that are no plain numbers");
    check_not(&spec(&["price"], &["count()"]), SALES, "`price` is empty in 1 rows");
    check_not(&spec(&["a"], &["count()"]), "a,b\n x,1\n", "white space");
    check_not(&spec(&["a"], &["sum(b)"]), "a,b\nx,1.500\n", "set decimal");
    check_not(&spec(&["a"], &["sum(b * b)"]), &format!("a,b\nx,{}\n", "9".repeat(20)), "40 digits");
    check_not(&spec(&["a"], &["sum(b)"]), &format!("a,b\nx,{}\n", "9".repeat(38)), "too many digits");
    check_not(&spec(&["a"], &["sum(b)"]), &format!("a,b\nx,0.{}\n", "1".repeat(21)), "21 of them behind the point");
    check_not(&spec(&["a"], &["sum(b + 1e300)"]), "a,b\nx,1\n", "too many digits");
    let date = serde_json::from_str::<GroupSpec>(r#"{"column": "a", "by": "day"}"#).unwrap();
    check_not(&ReportSpec { group_by: vec![date], ..spec(&[], &["count()"]) }, SALES, "dates");
}

#[test]
fn the_sign_of_a_format_decides_about_numbers() {
    let plan = plan(&spec(&["a"], &["sum(b)"]));
    let with = |decimal: &str| {
        let format = FormatSpec { decimal: Some(decimal.to_owned()), ..FormatSpec::default() };
        plan.sql_file(&plain("a,b\nx,1.500\n"), &NumberFormat::new(&format).unwrap())
    };
    assert!(with(".").is_ok());
    assert!(with(",").unwrap_err().to_string().contains("decimal sign `,`"));
}

#[test]
fn a_file_for_whose_digits_there_is_no_room_waits_for_the_next_query() {
    let plan = plan(&spec(&["a"], &["sum(b)"]));
    let mut query = SqlQuery::new(&plan);
    query.push(file(&plan, &format!("a,b\nx,{}\n", "9".repeat(30))).unwrap()).unwrap();
    let other = query.push(file(&plan, "a,b\nx,0.1234567890\n").unwrap()).unwrap_err();
    assert!(SqlQuery::new(&plan).push(*other).is_ok());
    for _ in 1..64 {
        query.push(file(&plan, "a,b\nx,1\n").unwrap()).unwrap();
    }
    assert!(query.push(file(&plan, "a,b\nx,1\n").unwrap()).is_err(), "a query has 64 files at most");
}

/// A row of a result for a report with one key and `sum`, `min`.
fn row(state: SqlState, key: &str, rows: u64, sum: Option<(i128, u32)>, least: Option<(i128, u32)>) -> SqlRow {
    let count = if sum.is_some() { rows } else { 0 };
    SqlRow { state, key: vec![key.to_owned()], rows, parts: vec![SqlPart::Sum(sum, count), SqlPart::Extreme(least)] }
}

#[test]
fn groups_are_those_of_the_kernel() {
    let plan = plan(&spec(&["shop"], &["sum(price)", "min(price)"]));
    let mut groups = SqlGroups::new(&plan, &file(&plan, SALES).unwrap());
    let skipped = groups.take(row(SqlState::Skipped, "", 1, None, None)).unwrap();
    let north = groups.take(row(SqlState::Used, "north", 1, Some((150, 2)), Some((150, 2)))).unwrap();
    let south = groups.take(row(SqlState::Used, "south", 1, Some((-2025, 2)), None)).unwrap();
    let line =
        |key: &str, parts: [&str; 2]| Some(GroupLine(vec![key.to_owned()], 1, parts.map(str::to_owned).to_vec()));
    assert_eq!([skipped, north, south], [None, line("north", ["1 15 1", "1.5"]), line("south", ["1 -2025 2", ""])]);
    let head = groups.end().unwrap();
    assert_eq!((head.rows, head.passed_over, head.groups, head.rejected), (3, 1, 2, 0));
}

#[test]
fn a_file_without_rows_has_no_group() {
    let plan = plan(&spec(&[], &["count()"]));
    let mut groups = SqlGroups::new(&plan, &file(&plan, "a,b\n").unwrap());
    let none = SqlRow { state: SqlState::Used, key: vec![], rows: 0, parts: vec![] };
    assert_eq!(groups.take(none).unwrap(), None);
    assert_eq!(groups.end().unwrap().groups, 0);
}

#[test]
fn a_result_that_cannot_be_is_refused() {
    let plan = plan(&spec(&["shop"], &["sum(price)", "min(price)"]));
    let sql_file = file(&plan, SALES).unwrap();
    let check = |rows: Vec<SqlRow>, part: &str| {
        let mut groups = SqlGroups::new(&plan, &sql_file);
        let taken = rows.into_iter().try_for_each(|row| groups.take(row).map(drop));
        let why = taken.and_then(|()| groups.end().map(drop)).unwrap_err().to_string();
        assert!(why.contains(part), "{why}");
    };
    let good = |key, rows| row(SqlState::Used, key, rows, Some((1, 0)), Some((1, 0)));
    check(vec![good("a", 2)], "2 rows were read of 3");
    check(vec![good("a", 4)], "groups of 4 rows");
    check(vec![good("b", 1), good("a", 2)], "out of order");
    check(vec![good("a", 1), good("a", 2)], "duplicate");
    check(vec![good("", 3)], "cannot be read");
    check(vec![row(SqlState::Rejected, "", 1, None, None), good("a", 2)], "`check` rejects 1 rows");
    check(vec![row(SqlState::Used, "a", 3, Some((1, 21)), None)], "another kind");
    check(vec![SqlRow { parts: vec![SqlPart::Sum(None, 3), SqlPart::Extreme(None)], ..good("a", 3) }], "another kind");
    check(vec![SqlRow { parts: vec![], ..good("a", 3) }], "cannot be read");
}
