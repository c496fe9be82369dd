//! Expressions that are understood, and what is said of those that are not: where the fault is and what would mend it.

use tributary_protocol::{MetricSpec, ReportSpec};
use tributary_report::Plan;

use crate::support::{check, checked, filtered, renamed, report};

/// The value of a metric over one row, `a` = 12, `b` = 5, `c d` = 0.5.
#[track_caller]
fn value(metric: &str, expect: &str) {
    check(&report(&[], &[metric]), "a,b,c d,e\n12,5,0.5,\n", &[expect]);
}

#[test]
fn metrics_and_formulas_that_are_understood() {
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

/// Checks that a report is refused, and that the message says all of `words`.
#[track_caller]
fn refused(report: &ReportSpec, words: &[&str]) {
    let said = Plan::compile(report).expect_err("it is refused").to_string();
    for word in words {
        assert!(said.contains(word), "`{said}` does not say `{word}`");
    }
}

#[test]
fn metrics_that_are_not_understood() {
    let check = |metric: &str, words: &[&str]| {
        refused(&report(&[], &[metric]), &[&["metrics, `m0`: "], words].concat());
    };
    check("", &["cannot be read"]);
    check("sum(", &["cannot be read", "sum("]);
    check("sum(a) sum(b)", &["cannot be read"]);
    check("sum(Number of Sales)", &["cannot be read", "double quotes"]);
    check("price", &["`price` is no metric", "count()", "sum(…)"]);
    check("sum(a) + 1", &["is no metric"]);
    check("median(a)", &["there is no `median(…)`", "mean(…)"]);
    check("sum()", &["sum takes one expression", "sum(price)"]);
    check("sum(a, b)", &["one expression"]);
    check("sum(*)", &["one expression"]);
    check("count(a)", &["takes nothing"]);
    check("sum(DISTINCT a)", &["more than is understood", "sum(…)"]);
    check("sum(a) FILTER (WHERE a > 1)", &["more than is understood"]);
    check("sum(a) OVER ()", &["more than is understood"]);
    check("sum(a % 2)", &["`a % 2` is no number", "+ - * /"]);
    check("sum('a')", &["is no number"]);
    check("sum(a > 1)", &["is no number"]);
    check("sum(sum(a))", &["is no number"]);
    check("sum(t.a)", &["is no number"]);
    check("sum(1e999)", &["1e999", "no number"]);
    check("sum((SELECT 1))", &["is no number"]);
    check("sum(CASE WHEN a > 1 THEN 1 END)", &["is no number"]);
    check("sum(\" \")", &["a column needs a name"]);
}

#[test]
fn conditions_that_are_not_understood() {
    let check = |condition: &str, words: &[&str]| {
        refused(&filtered(report(&[], &["count()"]), condition), &[&["where: "], words].concat());
        refused(&checked(report(&[], &["count()"]), condition), &[&["check: "], words].concat());
    };
    check("", &["cannot be read"]);
    check("a >", &["cannot be read"]);
    check("Number of Sales > 1", &["cannot be read", "double quotes"]);
    check("a", &["`a` is no condition", "comparisons"]);
    check("a + 1", &["is no condition"]);
    check("a LIKE 'x%'", &["is no condition", "BETWEEN"]);
    check("'a' = 'b'", &["both texts", "double quotes"]);
    check("a + 1 = 'x'", &["stands where only a column can"]);
    check("a + 1 IS NULL", &["stands where only a column can"]);
    check("a = 1 = 2", &[]);
    check("a IN (SELECT 1)", &["is no condition"]);
    check("a IN ()", &[]);
    check("a IS TRUE", &["is no condition"]);
    check("sum(a) > 1", &["is no number"]);
    check("a = NULL", &["is no number"]);
    check("a > 1; DROP TABLE products", &["cannot be read"]);
}

#[test]
fn names_that_stand_in_each_others_way() {
    let metric = |name: &str| MetricSpec { name: name.to_owned(), expression: "count()".to_owned() };
    let named = |names: &[&str]| ReportSpec {
        metrics: names.iter().map(|name| metric(name)).collect(),
        ..report(&["Shop"], &[])
    };
    assert!(Plan::compile(&named(&["rows", "sales"])).is_ok());
    refused(&named(&["rows", "Rows"]), &["metrics, `Rows`: ", "case makes no difference"]);
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

/// Whatever its length and depth, an expression is refused or computed, and never more than a thread's stack can bear.
#[test]
fn expressions_of_any_length_and_depth_do_no_harm() {
    let of_terms = |count: usize, between: &str, term: &str| vec![term; count].join(between);
    let nested = |count: usize, open: &str, close: &str| format!("{}a{}", open.repeat(count), close.repeat(count));
    let in_sum = |formula: &str| report(&[], &[&format!("sum({formula})")]);
    let compile = |report: &ReportSpec| {
        let plan = Plan::compile(report);
        if let Ok(plan) = &plan {
            let found = crate::support::partial(plan, "a.csv", b"a\n1\n", 1).unwrap();
            assert_eq!((found.rows, plan.digest().len()), (1, 32));
        }
        plan.is_ok()
    };
    assert!(compile(&in_sum(&of_terms(90, "+", "a"))), "what is short is computed");
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
