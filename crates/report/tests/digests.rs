//! Digests of reports. Sources and masters of different versions compare them, and masters store them beside partials.

use tributary_report::ReportPlan;

use crate::support::{checked, filtered, renamed, report};

/// Guards against a change of the code that silently makes every stored partial stale. If a digest has to change, raise
/// the format of partials.
#[test]
fn a_report_keeps_its_digests() {
    let check = |report, digest: &str, results: &str| {
        let plan = ReportPlan::compile(&report).unwrap();
        assert_eq!((plan.digest(), plan.results_digest()), (digest, results), "{report:?}");
    };
    check(report(&[], &["count()"]), "db5e9f39abc5707e2672f61de6ca1d41", "5e4d7059f0ebbce295583fddc328833e");
    let metrics = ["count()", "sum(a + b * 2)", "min(-a - 1.5)", "max(a / b)", "mean(a + b * 2)"];
    let all = renamed(report(&["Shop", "c d"], &metrics), "a", &["A", "Other a"]);
    let all = filtered(all, "a > 1 AND NOT (b <= 2 OR c = 'x' OR a IS NULL) AND b IN (1, 2e-300)");
    let all = checked(all, "a <> 1 AND b < 3 AND a >= 1 AND 'y' > c AND b NOT BETWEEN 1 AND 2 AND c IS NOT NULL");
    check(all, "ef7b07f6810c9bd9ef525d0def58400c", "189d635ae04447f0a3dd4700da3144b9");
}
