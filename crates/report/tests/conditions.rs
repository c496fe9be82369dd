//! `where` and `check`: three-valued logic, comparisons of numbers and of texts, and the effect of empty cells.

use crate::support::{check, checked, filtered, report};

/// Checks a condition for rows of `n` and `t`, each with `t`rue, `f`alse or `u`nknown as expected result. Each is
/// checked as `where` and as `check`, plain and negated.
#[track_caller]
fn truth(condition: &str, rows: &[(&str, &str, char)]) {
    for (n, t, expect) in rows {
        let file = format!("n,t,x\n\"{n}\",\"{t}\",1\n");
        let counted = |is_true: bool, otherwise: &str| match is_true {
            true => vec!["1".to_owned()],
            false => vec!["0".to_owned(), otherwise.to_owned()],
        };
        for (condition, truth) in [(condition.to_owned(), 't'), (format!("NOT ({condition})"), 'f')] {
            let strs = |expect: &[String], report| {
                check(&report, &file, &expect.iter().map(String::as_str).collect::<Vec<_>>());
            };
            let is_true = *expect == truth;
            strs(&counted(is_true, "~1"), filtered(report(&[], &["count()"]), &condition));
            let reject = format!("2: not true: {condition}");
            strs(&counted(is_true, &reject), checked(report(&[], &["count()"]), &condition));
        }
    }
}

#[test]
fn numbers_are_compared_by_value() {
    truth("n = 1.5", &[("1.5", "", 't'), ("1.50", "", 't'), (" 1.500 ", "", 't'), ("1.51", "", 'f'), ("", "", 'u')]);
    truth("n == 10", &[("10", "", 't'), ("1e1", "", 't'), ("+10", "", 't'), ("-10", "", 'f')]);
    truth("n <> 1", &[("2", "", 't'), ("1.0", "", 'f'), (" ", "", 'u')]);
    truth("n != 1", &[("2", "", 't'), ("1.0", "", 'f')]);
    truth("n < 9", &[("10", "", 'f'), ("8", "", 't'), ("-100", "", 't'), ("", "", 'u')]);
    truth("n <= 9 AND n >= 9", &[("9", "", 't'), ("9.001", "", 'f')]);
    truth("9 > n", &[("10", "", 'f'), ("8", "", 't')]);
    truth("n * 2 > n + 1", &[("2", "", 't'), ("1", "", 'f'), ("", "", 'u')]);
    truth("n / 0 > 1", &[("2", "", 'u')]);
    truth("1 / n > 0.3333333333333333333", &[("3", "", 'f'), ("2.9", "", 't')]);
    truth("n > 9223372036854775807", &[("9223372036854775808", "", 't'), ("9223372036854775807", "", 'f')]);
    truth("n BETWEEN 1 AND 2", &[("1", "", 't'), ("2.0", "", 't'), ("2.01", "", 'f'), ("", "", 'u')]);
    truth("n NOT BETWEEN 1 AND 2", &[("1", "", 'f'), ("3", "", 't'), ("", "", 'u')]);
    truth(
        "n IN (1, 2.5, 1 + 2)",
        &[("1.0", "", 't'), ("2.50", "", 't'), ("3", "", 't'), ("4", "", 'f'), ("", "", 'u')],
    );
    truth("n NOT IN (1, 2)", &[("1", "", 'f'), ("4", "", 't'), ("", "", 'u')]);
}

#[test]
fn texts_are_compared_by_their_bytes() {
    truth("t = 'a'", &[("", "a", 't'), ("", " a ", 't'), ("", "A", 'f'), ("", "", 'u'), ("", " ", 'u')]);
    truth("'a' = t", &[("", "a", 't'), ("", "b", 'f')]);
    truth("t <> ' a '", &[("", "a", 'f'), ("", "b", 't')]);
    truth("t > '9'", &[("", "10", 'f'), ("", "a", 't')]);
    truth("'9' > t", &[("", "10", 't'), ("", "a", 'f')]);
    truth("t <= 'é'", &[("", "z", 't'), ("", "é", 't'), ("", "ê", 'f')]);
    truth("t = 'it''s'", &[("", "it's", 't')]);
    truth("t IN ('a', 'b')", &[("", "b", 't'), ("", "c", 'f'), ("", "", 'u')]);
    truth("t BETWEEN 'b' AND 'd'", &[("", "b", 't'), ("", "cat", 't'), ("", "da", 'f')]);
    truth("n = '1.0'", &[("1.0", "", 't'), ("1", "", 'f')]);
    truth("t = 'say \"x\"'", &[("", "say \"\"x\"\"", 't')]);
}

#[test]
fn unknown_is_neither_true_nor_false() {
    truth("n = 1 AND t = 'a'", &[("1", "a", 't'), ("", "a", 'u'), ("", "b", 'f'), ("2", "", 'f'), ("1", "", 'u')]);
    truth("n = 1 OR t = 'a'", &[("2", "b", 'f'), ("", "a", 't'), ("", "b", 'u'), ("1", "", 't'), ("2", "", 'u')]);
    truth("NOT n = 1", &[("1", "", 'f'), ("2", "", 't'), ("", "", 'u')]);
    truth("n IS NULL", &[("", "", 't'), (" ", "", 't'), ("1", "", 'f'), ("x", "", 'f')]);
    truth("n IS NOT NULL", &[("", "", 'f'), ("x", "", 't')]);
    truth("(n) IS NULL OR n > 5", &[("", "", 't'), ("6", "", 't'), ("5", "", 'f')]);
    truth("n = 1 OR n = 2 AND t = 'a'", &[("1", "b", 't'), ("2", "b", 'f'), ("2", "a", 't')]);
}

#[test]
fn rows_are_judged_by_length_filter_check_group_and_metrics_in_this_order() {
    let report = checked(filtered(report(&["g"], &["sum(v)"]), "f > 0"), "c > 0");
    let file = "g,f,c,v\n\
                a,1,1,1\n\
                ,0,0,x\n\
                ,1,0,x\n\
                ,1,1,x\n\
                a,1,1,x\n\
                a,x,x,x\n\
                a,1,x,x\n\
                a,1,,1\n\
                a,,1,1\n\
                x,x\n";
    let expect = [
        "a|1",
        "~2",
        "4: not true: c > 0",
        "5: no `g`",
        "6: `v` is not a number: `x`",
        "7: `f` is not a number: `x`",
        "8: `c` is not a number: `x`",
        "9: not true: c > 0",
        "11: 2 fields where the header has 4: ragged = \"pad\" leaves the missing ones empty",
    ];
    check(&report, file, &expect);
}

#[test]
fn values_out_of_range_are_rejects_that_name_the_expression() {
    let file = "n\n1e300\n2\n";
    let out = "2: the value of `n * n > 1` is out of range";
    check(&filtered(report(&[], &["count()"]), "n * n > 1"), file, &["1", out]);
    check(&checked(report(&[], &["count()"]), "n * n > 1"), file, &["1", out]);
    // If there are two conditions, the reject names the right one.
    let both = checked(filtered(report(&[], &["count()"]), "n * n > 1"), "n > 0");
    check(&both, file, &["1", out]);
    check(&report(&[], &["sum(n * n)"]), file, &["4", "2: the value of `sum(n * n)` is out of range"]);
}
