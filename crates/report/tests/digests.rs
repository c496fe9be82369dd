//! Digests of reports. Sources and masters of different versions compare them, and masters store them beside partials.

use tributary_protocol::{CalendarPart, DateGroup, GroupSpec, ReportSpec};
use tributary_report::ReportPlan;

use crate::support::{at, checked, filtered, renamed, report};

/// Guards against a change of the code that silently makes every stored partial stale. If a digest has to change, raise
/// the format of partials.
#[test]
fn a_report_keeps_its_digests() {
    let check = |report, digest: &str, results: &str| {
        let plan = ReportPlan::compile(&report).unwrap();
        assert_eq!((plan.digest(), plan.results_digest()), (digest, results), "{report:?}");
    };
    check(report(&[], &["count()"]), "1dd851cb7de40e56dc3968d6a9c751be", "6da3d3fbb0ed4f962fe10518743119f6");
    let metrics = ["count()", "sum(a + b * 2)", "min(-a - 1.5)", "max(a / b)", "mean(a + b * 2)"];
    let all = renamed(report(&["Shop", "c d"], &metrics), "a", &["A", "Other a"]);
    let all = filtered(all, "a > 1 AND NOT (b <= 2 OR c = 'x' OR a IS NULL) AND b IN (1, 2e-300)");
    let all = checked(all, "a <> 1 AND b < 3 AND a >= 1 AND 'y' > c AND b NOT BETWEEN 1 AND 2 AND c IS NOT NULL");
    check(all, "2b0cd51686b731be1364cf79ec7d20bd", "05337fd5404213aacfd9482909ecdcd3");
    let dated = |name: Option<&str>, day_first| {
        let date =
            DateGroup { column: "Date".into(), by: CalendarPart::Month, name: name.map(str::to_owned), day_first };
        ReportSpec { group_by: vec![GroupSpec::Date(date), "Shop".into()], ..report(&[], &["count()"]) }
    };
    check(dated(None, None), "ec1fc898a80fce198b596ab4d551174b", "424d5f23d370c3bbabcee14a6c1ca6bc");
    check(dated(None, Some(true)), "0ee4ee234cbce55d10a5fee5cb769363", "61086bec0d0a98fbe2ca38183d68d4ea");
    // The name in the results is no part of what a source computes.
    check(dated(Some("Month"), None), "ec1fc898a80fce198b596ab4d551174b", "bc98a13f19ddbd00d46c6ceddd8fb577");
    // Two positions must not be taken for each other, nor for names.
    let sales = |position| at(report(&["shop"], &["sum(sales)"]), &[("shop", 1), ("sales", position)]);
    check(sales(3), "e7ee1fc0c52d3b2587da5666aba5fac2", "e1d503d29d4ef81ec00b6613c8357956");
    check(sales(4), "4f38dd1899c147515991bd7da23069c8", "52c33a36ee55dbd594a75d32e29e2f42");
}
