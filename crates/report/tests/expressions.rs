//! Expressions that are supported, and the errors for others: which setting is wrong and how to fix it.

use tributary_protocol::{MetricSpec, ReportSpec};
use tributary_report::ReportPlan;

use crate::support::{check, checked, filtered, renamed, report};

/// Checks the value of a metric over one row with `a` = 12, `b` = 5, `c d` = 0.5 and an empty `e`.
#[track_caller]
fn value(metric: &str, expect: &str) {
    check(&report(&[], &[metric]), "a,b,c d,e\n12,5,0.5,\n", &[expect]);
}

#[test]
fn supported_metrics_and_formulas() {
    for count in ["count()", "COUNT(*)", " count ( ) ", "Count()"] {
        value(count, "1");
    }
    value("sum(a)", "12");
    value("SUM(A)", "12");
    value("Sum(\"A\")", "12");
    value("avg(a)", "12");
    value("mean(a)", "12");
    value("sum(\"c d\")", "0.5");
    value("sum(a + b * 2)", "22");
    value("sum((a + b) * 2)", "34");
    value("sum(a - b - 1)", "6");
    value("sum(a - (b - 1))", "8");
    value("sum(a / b / 2)", "1.2");
    value("sum(-a)", "-12");
    value("sum(+a)", "12");
    value("sum(- -a)", "12");
    value("sum(-(a - b))", "-7");
    value("sum(2 * -3)", "-6");
    value("sum(1)", "1");
    value("sum(.5)", "0.5");
    value("sum(1e3)", "1000");
    value("min(a * b)", "60");
    value("max(a / 8)", "1.5");
    value("max(((((a)))))", "12");
    value("sum(e)", "-");
    value("sum(a * e)", "-");
    value("sum(a / 0)", "-");
}

/// Checks that a report is refused with an error that contains all of `words`.
#[track_caller]
fn refused(report: &ReportSpec, words: &[&str]) {
    let error = ReportPlan::compile(report).expect_err("it is refused").to_string();
    for word in words {
        assert!(error.contains(word), "`{error}` lacks `{word}`");
    }
}

#[test]
fn unsupported_metrics() {
    let check = |metric: &str, words: &[&str]| {
        refused(&report(&[], &[metric]), &[&["metrics, `m0`: "], words].concat());
    };
    check("", &["cannot be read"]);
    check("sum(", &["cannot be read", "sum("]);
    check("sum(a) sum(b)", &["cannot be read"]);
    check("sum(Number of Sales)", &["cannot be read", "double quotes"]);
    check("price", &["`price` is not a metric", "count()", "sum(…)"]);
    check("sum(a) + 1", &["is not a metric"]);
    check("median(a)", &["`median(…)` is not supported", "mean(…)"]);
    check("sum()", &["sum takes one expression", "sum(price)"]);
    check("sum(a, b)", &["one expression"]);
    check("sum(*)", &["one expression"]);
    check("count(a)", &["takes no argument"]);
    check("sum(DISTINCT a)", &["not supported", "sum(…)"]);
    check("sum(a) FILTER (WHERE a > 1)", &["not supported"]);
    check("sum(a) OVER ()", &["not supported"]);
    check("sum(a % 2)", &["`a % 2` is not a number", "+ - * /"]);
    check("sum('a')", &["is not a number"]);
    check("sum(a > 1)", &["is not a number"]);
    check("sum(sum(a))", &["is not a number"]);
    check("sum(t.a)", &["is not a number"]);
    check("sum(1e999)", &["1e999", "out of range"]);
    check("sum((SELECT 1))", &["is not a number"]);
    check("sum(CASE WHEN a > 1 THEN 1 END)", &["is not a number"]);
    check("sum(\" \")", &["a column needs a name"]);
}

#[test]
fn unsupported_conditions() {
    let check = |condition: &str, words: &[&str]| {
        refused(&filtered(report(&[], &["count()"]), condition), &[&["where: "], words].concat());
        refused(&checked(report(&[], &["count()"]), condition), &[&["check: "], words].concat());
    };
    check("", &["cannot be read"]);
    check("a >", &["cannot be read"]);
    check("Number of Sales > 1", &["cannot be read", "double quotes"]);
    check("a", &["`a` is not a condition", "comparisons"]);
    check("a + 1", &["is not a condition"]);
    check("a LIKE 'x%'", &["is not a condition", "BETWEEN"]);
    check("'a' = 'b'", &["both texts", "double quotes"]);
    check("a + 1 = 'x'", &["is not a column"]);
    check("a + 1 IS NULL", &["is not a column"]);
    check("a = 1 = 2", &[]);
    check("a IN (SELECT 1)", &["is not a condition"]);
    check("a IN ()", &[]);
    check("a IS TRUE", &["is not a condition"]);
    check("sum(a) > 1", &["is not a number"]);
    check("a = NULL", &["is not a number"]);
    check("a > 1; DROP TABLE products", &["cannot be read"]);
}

#[test]
fn names_that_are_invalid_or_used_twice() {
    let metric = |name: &str| MetricSpec { name: name.to_owned(), expression: "count()".to_owned() };
    let named = |names: &[&str]| ReportSpec {
        metrics: names.iter().map(|name| metric(name)).collect(),
        ..report(&["Shop"], &[])
    };
    assert!(ReportPlan::compile(&named(&["rows", "sales"])).is_ok());
    refused(&named(&["rows", "Rows"]), &["metrics, `Rows`: ", "case is ignored"]);
    refused(&named(&["shop"]), &["metrics, `shop`: ", "two columns"]);
    refused(&named(&["  "]), &["needs a name"]);
    refused(&named(&["a\nb"]), &["a\\nb", "control characters"]);
    refused(&named(&[&"x".repeat(64)]), &["at most 63 bytes"]);
    refused(&named(&[]), &["metrics: ", "count()"]);
    refused(&report(&["a", "A"], &["count()"]), &["group_by: ", "two columns"]);
    refused(&report(&[""], &["count()"]), &["group_by: ", "needs a name"]);
    let price = renamed(report(&[], &["sum(price)"]), "price", &["Price"]);
    refused(&renamed(price.clone(), "Price", &["Cost"]), &["columns, `", "differs only in case"]);
    refused(&renamed(price.clone(), "quantity", &[]), &["columns, `quantity`: ", "Price"]);
    refused(&renamed(price.clone(), "quantity", &[" "]), &["columns, `quantity`: "]);
    refused(&renamed(price, " ", &["x"]), &["needs a name"]);
}

/// An expression of any length and depth is either refused or computed, and never overflows a thread's stack.
#[test]
fn no_expression_overflows_the_stack() {
    let of_terms = |count: usize, between: &str, term: &str| vec![term; count].join(between);
    let nested = |count: usize, open: &str, close: &str| format!("{}a{}", open.repeat(count), close.repeat(count));
    let in_sum = |formula: &str| report(&[], &[&format!("sum({formula})")]);
    let compile = |report: &ReportSpec| {
        let plan = ReportPlan::compile(report);
        if let Ok(plan) = &plan {
            let found = crate::support::partial(plan, "a.csv", b"a\n1\n", 1).unwrap();
            assert_eq!((found.rows, plan.digest().len()), (1, 32));
        }
        plan.is_ok()
    };
    assert!(compile(&in_sum(&of_terms(90, "+", "a"))), "a short sum is computed");
    assert!(compile(&in_sum(&nested(20, "(", ")"))));
    for count in [100, 900, 10_000, 100_000] {
        for formula in [
            of_terms(count, "+", "a"),
            of_terms(count, "*", "1"),
            of_terms(count, "/", "a"),
            nested(count, "(", ")"),
            nested(count, "-(", ")"),
            nested(count, "- ", ""),
            nested(count, "+", ""),
            nested(count, "sum(", ")"),
            nested(count, "", " COLLATE x"),
            nested(count, "", "::int"),
            nested(count, "CASE WHEN ", " END"),
            nested(count, "[", "]"),
            nested(count, "(", ""),
            nested(count, "f((", ""),
        ] {
            let is_computed = compile(&in_sum(&formula));
            assert!(count < 10_000 || !is_computed);
        }
        for condition in [
            of_terms(count, " AND ", "a=1"),
            of_terms(count, " OR ", "a=1"),
            of_terms(count, "=", "a"),
            nested(count, "NOT ", "=1"),
            nested(count, "NOT(", "=1)"),
            nested(count, "(", ")"),
            nested(count, "", " IS NULL"),
            nested(count, "a IN (", ")"),
            format!("a IN ({})", of_terms(count, ",", "1")),
            nested(count, "a BETWEEN ", " AND 1"),
        ] {
            let is_computed = compile(&filtered(report(&[], &["count()"]), &condition));
            assert!(count < 10_000 || !is_computed);
        }
    }
    let list = format!("a IN ({})", of_terms(900, ",", "1"));
    assert!(compile(&filtered(report(&[], &["count()"]), &list)), "a list is flat");
    refused(&in_sum(&of_terms(10_000, "+", "a")), &["2000 are the limit"]);
    refused(&in_sum(&of_terms(200, "+", "a")), &["402 names, operators and parentheses", "200 are the limit"]);
    refused(&in_sum(&nested(100, "(", ")")), &["cannot be read"]);
}
