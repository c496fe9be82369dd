//! Values of metrics: exact if possible, else the nearest double.

use crate::support::{check, filtered, report};

/// Checks `sum`, `min`, `max` and `mean` of a column.
#[track_caller]
fn summed(cells: &[&str], expect: &str) {
    let file = format!("x,n\n{}", cells.iter().map(|cell| format!("1,{cell}\n")).collect::<String>());
    check(&report(&[], &["sum(n)", "min(n)", "max(n)", "mean(n)"]), &file, &[expect]);
}

#[test]
fn integers_of_any_size_are_exact() {
    summed(&["1", "2", "4"], "7|1|4|2.3333333333333335");
    summed(
        &["9223372036854775807"; 3],
        "27670116110564327421|9223372036854775807|9223372036854775807|9.223372036854776e18",
    );
    summed(&["-9223372036854775808", "-1"], "-9223372036854775809|-9223372036854775808|-1|-4.611686018427388e18");
    summed(
        &["123456789012345678901234567890", "10"],
        "123456789012345678901234567900|10|123456789012345678901234567890|6.172839450617284e28",
    );
    summed(
        &["99999999999999999999999999999999999999", "1", "-99999999999999999999999999999999999999"],
        "1|-99999999999999999999999999999999999999|99999999999999999999999999999999999999|0.3333333333333333",
    );
    summed(&["1e18", "1000000000000000000", "-2e18", "3"], "3|-2000000000000000000|1000000000000000000|0.75");
}

#[test]
fn decimals_are_exact_and_lose_trailing_zeros() {
    summed(&["0.1"; 10], "1|0.1|0.1|0.1");
    summed(&["1.10", "2.20"], "3.3|1.1|2.2|1.65");
    summed(&["0.00000000000000000001", "1"], "1.00000000000000000001|0.00000000000000000001|1|0.5");
    summed(&["-.5", "+.5", "5."], "5|-0.5|5|1.6666666666666667");
    summed(&["1.5", "1.50", "1.500"], "4.5|1.5|1.5|1.5");
    summed(&["-0", "-0.00"], "0|0|0|0");
    summed(&["1e16", "1", "-1e16"], "1|-10000000000000000|10000000000000000|0.3333333333333333");
}

#[test]
fn other_numbers_are_doubles() {
    summed(&["1e-30", "1"], "1|1e-30|1|0.5");
    summed(&["1e300", "1", "-1e300"], "1|-1e300|1e300|0.3333333333333333");
    summed(&["1e40", "1e40"], "2e40|1e40|1e40|1e40");
}

#[test]
fn an_empty_cell_counts_as_a_row_only() {
    summed(&["", " ", "3"], "3|3|3|3");
    summed(&["", ""], "-|-|-|-");
    let report = report(&["g"], &["count()", "sum(n)", "mean(n * 2)"]);
    check(&report, "g,n\na,\na,1\na,2\nb,\n", &["a|3|3|3", "b|1|-|-"]);
}

#[test]
fn products_and_quotients_of_a_row() {
    let check = |formula: &str, rows: &str, expect: &str| {
        check(&report(&[], &[formula]), &format!("p,q\n{rows}"), &[expect]);
    };
    check("sum(p * q)", "19.99,3\n0.01,1\n", "59.98");
    check("sum(p * q)", "9223372036854775807,9223372036854775807\n", "85070591730234615847396907784232501249");
    check("sum(p / q)", "1,8\n1,8\n", "0.25");
    check("sum(p / q)", "1,3\n1,3\n1,3\n", "1");
    check("sum(p / q)", "1,0\n1,4\n", "0.25");
    check("sum(p / q)", "1,0\n", "-");
    check("mean(p / 100)", "1999,\n", "19.99");
    check("min(p / q)", "1,3\n1,4\n", "0.25");
    check("max(p - q)", "1,0.9\n1,1.5\n", "0.1");
    check("sum((p + q) * (p - q))", "1.5,0.5\n", "2");
}

#[test]
fn metrics_that_share_parts_do_not_disturb_each_other() {
    let report =
        report(&[], &["mean(a)", "sum(a)", "count()", "sum(b)", "sum(a)", "min(a)", "max(b)", "min(b)", "mean(b)"]);
    check(&report, "a,b\n1,10\n2,\n6,20\n", &["3|9|3|30|9|1|20|10|15"]);
}

#[test]
fn other_texts_are_rejects_that_show_the_cell_and_the_setting() {
    let report = report(&[], &["sum(n)", "count()"]);
    let check = |cell: &str, found: &str| {
        let expect = format!("2: `n` is not a number: `{found}{}", if found.contains('`') { "" } else { "`" });
        check(&report, &format!("n,x\n{cell},1\n5,1\n"), &["5|1", &expect]);
    };
    check("x", "x");
    check("\"1,000\"", "1,000`; decimal = \",\" or thousands = \",\" says which number it is");
    check("$5", "$5`; currency = [\"$\"] would read it");
    check("EUR 5", "EUR 5`; currency = [\"EUR\"] would read it");
    check("($5)", "($5)`; currency = [\"$\"] and negative = \"parentheses\" would read it");
    check("5%", "5%`; percent = true would read it");
    check("(5)", "(5)`; negative = \"parentheses\" would read it");
    check("5-", "5-`; negative = \"trailing\" would read it");
    check("\u{2212}5", "\u{2212}5`; negative = \"minus\" would read it");
    check("\u{2013}2", "\u{2013}2`; negative = \"minus\" would read it");
    check("5.-", "5.-");
    check("100.00 CR", "100.00 CR");
    check("inf", "inf");
    check("1e301", "1e301");
    check("0x10", "0x10");
    check("1_000", "1_000");
    check("--5", "--5");
    check("\" a \"\"b\"\" \"", "a \"b\"");
    check(&"é".repeat(50), &"é".repeat(40));
}

#[test]
fn words_for_nothing_are_null_where_a_number_is_needed() {
    let report = report(&["g"], &["count()", "sum(n)", "mean(n)"]);
    let words = [
        "NULL", "null", "NA", "n/a", "#N/A", "NaN", "nan", "-nan", "\\N", "-", "--", "\u{2013}", "None", " NIL ",
        "<NA>",
    ];
    for word in words {
        check(&report, &format!("g,n\na,{word}\na,5\n"), &["a|2|5|5"]);
        let group = word.trim();
        check(&report, &format!("g,n\n{word},5\n"), &[&format!("{group}|1|5|5")]);
    }
    check(&filtered(report, "n > 1 OR n = '-'"), "g,n\na,-\na,NA\na,5\n", &["a|2|5|5", "~1"]);
}
