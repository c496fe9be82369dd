//! Files whose format says nothing of decimal and group signs: each column is read as its cells say, and nothing is read as
//! another value than a person would read.

use proptest::{prelude::*, sample::select};
use tributary_protocol::FormatSpec;
use tributary_report::{FileFormat, NumberFormat};

use crate::support::{check, checked, filtered, partial, plan, report, shown};

/// Checks the sum of a column `n` of these cells; rejects are shown by their cells.
#[track_caller]
fn sum(cells: &[&str], expect: &str, rejects: &[&str]) {
    let file = format!("g\tn\n{}", cells.iter().map(|cell| format!("a\t{cell}\n")).collect::<String>());
    let plan = plan(&report(&[], &["sum(n)"]));
    let partial = partial(&plan, "a.tsv", file.as_bytes(), 1).unwrap_or_else(|error| panic!("{error}"));
    let head = partial.head();
    let found = shown(&plan, &partial);
    let raw: Vec<_> = head.rejects.iter().map(|reject| reject.raw.trim_start_matches("a\t")).collect();
    assert_eq!((found[0].as_str(), raw.as_slice()), (expect, rejects), "{cells:?} {found:?}");
}

/// The notes on a file.
fn notes(metrics: &[&str], file: &str) -> Vec<String> {
    partial(&plan(&report(&[], metrics)), "a.csv", file.as_bytes(), 1).unwrap().notes
}

#[test]
fn one_cell_says_how_its_column_is_written() {
    sum(&["1.234,56", "1.000"], "2234.56", &[]);
    sum(&["1.000", "2.500", "0,5"], "3500.5", &[]);
    sum(&["1.000.000", "1.000"], "1001000", &[]);
    sum(&["1,234.56", "1,000"], "2234.56", &[]);
    sum(&["12.50", "1,000", "1.500"], "1014", &[]);
    sum(&["1,000,000", "1,000"], "1001000", &[]);
    sum(&["0.500", "1.500"], "2", &[]);
    sum(&["1234.567", "1.500"], "1236.067", &[]);
    sum(&["1,5", "2"], "3.5", &[]);
    sum(&["-1.234,56", "+1,06"], "-1233.5", &[]);
    sum(&["1,5e3", "1e3"], "2500", &[]);
}

#[test]
fn blanks_and_apostrophes_group_digits() {
    sum(&["1 000", "2"], "1002", &[]);
    sum(&["1 234 567,5", "1\u{a0}000,5", "1\u{202f}000", "1\u{2009}000"], "1237568", &[]);
    sum(&["1'234.50", "1\u{2019}000"], "2234.5", &[]);
    sum(&["1'234,5", "1 000"], "2234.5", &[]);
    sum(&["100 20", "100 200"], "-", &["100 20", "100 200"]);
    sum(&["1 000.000,5", "1"], "1", &["1 000.000,5"]);
}

#[test]
fn a_column_that_contradicts_itself_has_no_cell_of_two_meanings() {
    sum(&["12.50", "1,5", "1.000", "1,000", "7"], "19.5", &["1,5", "1.000", "1,000"]);
    sum(&["1,5", "1,2,3"], "-", &["1,5", "1,2,3"]);
    sum(&["1,5", "24.12.2024", "1.000"], "-", &["1,5", "24.12.2024", "1.000"]);
    // A version or a date in a column of plain numbers is only that cell's fault.
    sum(&["12.50", "1.2.3", "1.500"], "14", &["1.2.3"]);
    sum(&["1,000", "1,2,3", "12.5"], "12.5", &["1,000", "1,2,3"]);
}

#[test]
fn one_mistake_among_a_hundred_decides_nothing() {
    let many = |cell: &'static str, mistake: &'static str, open: &'static str| {
        let mut cells = vec![cell; 100];
        cells.extend([mistake, open]);
        cells
    };
    sum(&many("0.5", "1,5", "1.500"), "51.5", &["1,5"]);
    sum(&many("0,5", "0.5", "1.500"), "1550", &["0.5"]);
    sum(&many("0,5", "1.2.3", "1.500"), "1550", &["1.2.3"]);
    sum(&many("0.5", "1,5", "1,500"), "1550", &["1,5"]);
}

#[test]
fn an_open_column_follows_the_others_or_is_noted() {
    let two = ["sum(a)", "sum(b)"];
    let all = report(&[], &two);
    check(&all, "a;b\n1.500;0,5\n", &["1500|0.5"]);
    check(&all, "a;b\n1.500;0.5\n", &["1.5|0.5"]);
    check(&all, "a;b\n1,500;0.5\n", &["1500|0.5"]);
    check(&all, "a;b\n1.500;2\n", &["1.5|2"]);
    // So does one of a column that the report does not read as numbers, if all of its cells are numbers.
    let one = report(&[], &["sum(a)"]);
    check(&one, "a;b\n1.500;0,5\n", &["1500"]);
    check(&one, "a;b\n1.500;0,5\n2.000;x\n", &["3.5"]);
    check(&one, "a;b;c\n1.500;0,5;0.5\n", &["1.5"]);
    let check_note = |file: &str, words: &[&str]| {
        let notes = notes(&["sum(a)"], file);
        assert_eq!(notes.len(), 1, "{file}");
        assert!(words.iter().all(|word| notes[0].contains(word)), "{notes:?} lacks one of {words:?}");
    };
    check_note("a;b\n1.500;2\n", &["`a`", "one and a half", "no other number", "decimal = \",\""]);
    check_note("a;b\n1.500;0,5\n", &["`a`", "one thousand five hundred", "the other columns"]);
    check_note("a;b\n1,500;0.5\n", &["`1,500`", "one thousand five hundred", "the other columns"]);
    check_note("a;b\n0.5;2\n0,5;2\n1.500;2\n", &["point and others a decimal comma", "are rejects"]);
    assert!(notes(&["sum(a)"], "a;b\n0.500;2\n1.500;2\n").is_empty());
    assert!(notes(&["sum(a)"], "a;b\n500;1.500\n").is_empty());
}

#[test]
fn a_condition_reads_numbers_in_the_same_way() {
    let report = checked(filtered(report(&[], &["count()", "sum(b)"]), "a > 1000"), "b < 10");
    check(&report, "a;b\n1.500;1,5\n1.000,5;2\n999,9;3\n", &["2|3.5", "~1"]);
}

/// A file of three blocks whose last line says how its numbers are written.
fn late(cell: &str, last: &str) -> Vec<u8> {
    let rows = format!("group;{cell}\n").repeat((3 << 19) / (cell.len() + 7));
    format!("g;n\n{rows}group;{last}\n").into_bytes()
}

#[test]
fn the_last_row_of_a_large_file_counts_as_much_as_the_first_one() {
    let plan = plan(&report(&["g"], &["count()", "sum(n)"]));
    let check = |(cell, last): (&str, &str), thousandths: u64, rest: &str| {
        let file = late(cell, last);
        let rows = file.iter().filter(|byte| **byte == b'\n').count() as u64 - 2;
        let sum = (rows * thousandths).to_string();
        let sum = format!("{}.{}", &sum[..sum.len() - 3], &sum[sum.len() - 3..]);
        let sum = sum.trim_end_matches('0').trim_end_matches('.').to_owned();
        for threads in [1, 2, 5] {
            let partial = partial(&plan, "a.csv", &file, threads).unwrap();
            let found = shown(&plan, &partial);
            assert_eq!(found[0], format!("group|{}|{sum}{rest}", rows + 1), "{cell} {last} {threads} {found:?}");
        }
    };
    check(("1.500", "0,0"), 1_500_000, "");
    check(("1.500", "0.0"), 1_500, "");
    check(("1,500", "0.0"), 1_500_000, "");
    check(("500", "0,0"), 500_000, "");
    check(("1 500", "0,0"), 1_500_000, "");
}

/// A clean start does not hide that most of the file is written in another way.
#[test]
fn numbers_that_nobody_counted_are_counted_in_time() {
    let plan = plan(&report(&[], &["count()", "sum(n)"]));
    let check = |first: usize, last: usize, expect: &str| {
        let rows = ["g;0.5\n".repeat(first), "g;1.500\n".to_owned(), "g;0,25\n".repeat(last)].concat();
        for threads in [1, 2] {
            let partial = partial(&plan, "a.csv", format!("g;n\n{rows}").as_bytes(), threads).unwrap();
            assert_eq!(shown(&plan, &partial)[0], expect, "{first} {last}");
        }
    };
    check(5000, 5, "5001|2501.5");
    check(5000, 40, "5001|2501.5");
    check(5000, 100, "5000|2500");
    check(1500, 200_000, "200001|51500");
}

/// Which rows count can depend on how a column is read, and how it is read on which rows count.
#[test]
fn a_file_whose_readings_never_settle_is_rejected() {
    let plan = plan(&filtered(report(&[], &["sum(b)"]), "a < 100"));
    // With a decimal point `a` is 1.5, so the last `b` counts, and says that the file has decimal commas. But then `a` is
    // 1500, and the last `b` does not count.
    let file = format!("a;b\n{}1.500;0,5\n", "1.500;7\n".repeat(2000));
    let shown = |file: &str| match partial(&plan, "a.csv", file.as_bytes(), 1) {
        Ok(partial) => shown(&plan, &partial).join(" "),
        Err(error) => error.to_string(),
    };
    assert!(shown(&file).contains("set decimal = "), "{}", shown(&file));
}

#[test]
fn signs_that_the_format_sets_are_no_obstacle() {
    let spec: FormatSpec =
        serde_json::from_str(r#"{"currency":["€"],"negative":"parentheses","percent":true}"#).unwrap();
    let format = FileFormat { numbers: NumberFormat::new(&spec).unwrap(), ..FileFormat::default() };
    let plan = plan(&report(&[], &["sum(n)", "sum(p)"]));
    let file = "n;p\n(1.234,56 €);5%\n€ 1.000;12,5 %\n2;-1\n".as_bytes();
    let partial = plan.aggregate_file(("a.csv", file.len() as u64), || Ok(file), &format, 1, |_| true).unwrap();
    assert_eq!(shown(&plan, &partial), ["-232.56|-0.825"]);
}

#[test]
fn a_list_of_words_for_nothing_replaces_the_usual_ones() {
    let spec: FormatSpec = serde_json::from_str(r#"{"null":["x"]}"#).unwrap();
    let format = FileFormat { numbers: NumberFormat::new(&spec).unwrap(), ..FileFormat::default() };
    let plan = plan(&report(&[], &["sum(n)"]));
    let file = &b"n,m\nNA,1\n2,1\n"[..];
    let partial = plan.aggregate_file(("a.csv", file.len() as u64), || Ok(file), &format, 1, |_| true).unwrap();
    assert_eq!(shown(&plan, &partial), ["2", "2: `n` is not a number: `NA`; null = [\"NA\"] would read it as nothing"]);
}

/// A way to write money: decimal sign and group sign.
fn style() -> impl Strategy<Value = (&'static str, &'static str)> {
    let comma = select(vec![".", " ", "\u{a0}", "\u{202f}", "'", ""]).prop_map(|group| (",", group));
    let point = select(vec![",", " ", "\u{2009}", "'", "\u{2019}", ""]).prop_map(|group| (".", group));
    prop_oneof![comma, point]
}

/// Cents as this style writes them, with as many digits after the decimal sign.
fn written(cents: i64, (decimal, group): (&str, &str), digits: usize) -> String {
    let whole = (cents / 100).unsigned_abs().to_string();
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    let fraction = format!("{:02}0", cents.unsigned_abs() % 100);
    let sign = if cents < 0 { "-" } else { "" };
    let decimal = if digits == 0 { "" } else { decimal };
    format!("{sign}{}{decimal}{}", groups.join(group), &fraction[..digits])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whole numbers, cents and tenths of cents in any style. They are read as they were meant as soon as one cell can be
    /// read in one way only; else no row is both counted and read as something else without a note.
    #[test]
    fn money_of_any_country_is_read_as_it_was_meant_or_noted(
        style in style(), cells in prop::collection::vec((-200_000_000..200_000_000_i64, select(vec![0, 2, 2, 3])), 1..30)
    ) {
        let exact: Vec<_> = cells.iter().map(|(cents, digits)| (if *digits == 0 { cents / 100 * 100 } else { *cents }, *digits)).collect();
        let texts: Vec<_> = exact.iter().map(|(cents, digits)| written(*cents, style, *digits)).collect();
        let plan = plan(&report(&[], &["sum(n)"]));
        let file = format!("x\tn\n{}", texts.iter().map(|text| format!("a\t{text}\n")).collect::<String>());
        let partial = partial(&plan, "a.tsv", file.as_bytes(), 2).unwrap();
        let cents: i64 = exact.iter().map(|(cents, _)| cents).sum();
        let sum = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
        let sum = sum.trim_end_matches('0').trim_end_matches('.');
        let found = shown(&plan, &partial);
        let is_right = found == [sum] || (sum == "-0" && found == ["0"]);
        let is_clear = exact.iter().any(|(_, digits)| *digits == 2);
        prop_assert!(is_right || (!is_clear && (!partial.notes.is_empty() || partial.rejects.total > 0)), "{:?} {} {:?}", texts, sum, found);
    }

    /// One pass over a file and the passes that a late row makes necessary give the same.
    #[test]
    fn the_order_of_rows_does_not_show(
        cells in prop::collection::vec(
            select(vec!["1.500", "1,500", "0,5", "0.5", "7", "1 000", "1,234.5", "1.234,5", "1.2.3", "x", "-", "012.345"]), 1..12
        ).prop_flat_map(|cells| (Just(cells.clone()), Just(cells).prop_shuffle()))
    ) {
        let plan = plan(&report(&[], &["sum(n)", "count()"]));
        let of = |cells: &[&str]| {
            let file = format!("x\tn\n{}", cells.iter().map(|cell| format!("a\t{cell}\n")).collect::<String>());
            let partial = partial(&plan, "a.tsv", file.as_bytes(), 1).unwrap();
            (shown(&plan, &partial)[0].clone(), partial.notes)
        };
        prop_assert_eq!(of(&cells.0), of(&cells.1));
    }
}
