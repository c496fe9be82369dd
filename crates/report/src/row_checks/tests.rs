//! Checks of feed rows: which rows fail, and what the reject says.

use tributary_csv_gate::{Columns, Feed, OpWords, OwnColumn, Settings, Table};
use tributary_protocol::FormatSpec;

use super::*;

fn compile(checks: &[&str]) -> Result<RowChecks, RowCheckError> {
    RowChecks::compile(&checks.iter().map(|check| (*check).to_owned()).collect::<Vec<_>>())
}

/// A catalog with the columns `price`, which some files call `RRP`, and `stock`.
fn catalog() -> Columns {
    let own = |name: &str, headers: &[&str]| OwnColumn {
        name: name.to_owned(),
        headers: headers.iter().map(|header| (*header).to_owned()).collect(),
    };
    Columns { own: vec![own("price", &["RRP", "price"]), own("stock", &[])], ..Columns::default() }
}

/// The skus of a feed, and its rejects as `LINE: REASON`.
fn seen(checks: &[&str], format: &str, file: &str) -> Vec<String> {
    let format: FormatSpec = serde_json::from_str(format).unwrap();
    let numbers = NumberFormat::new(&format).unwrap();
    let settings = Settings { delimiter: Some(";".to_owned()), ..Settings::default() };
    let table = Table::open("a.csv", file.len() as u64, || Ok(file.as_bytes()), &settings).unwrap();
    let feed = Feed::new(table, &catalog(), OpWords::new()).unwrap().fill_down(&["name".to_owned()]);
    let mut feed = feed.check(Box::new(compile(checks).unwrap().of_file(&numbers))).unwrap();
    let mut seen = Vec::new();
    while let Some(offer) = feed.next_offer().unwrap() {
        seen.push(offer.sku.to_owned());
    }
    seen.extend(feed.rejects().kept.iter().map(|reject| format!("{}: {}", reject.line, reject.reason)));
    seen
}

#[track_caller]
fn check(checks: &[&str], file: &str, expect: &[&str]) {
    assert_eq!(seen(checks, "{}", file), expect);
}

/// Checks a condition on a cell of the column `price`: the reason why it is a reject, or nothing if it is none.
#[track_caller]
fn price(condition: &str, format: &str, cell: &str, expect: &str) {
    let seen = seen(&[condition], format, &format!("sku;name;price\n1;n;{cell}\n"));
    let expect = if expect.is_empty() { "1".to_owned() } else { format!("2: {expect}") };
    assert_eq!(seen, [expect], "{condition} of `{cell}` with {format}");
}

#[test]
fn a_row_must_meet_all_checks_and_the_first_that_fails_is_named() {
    let checks = ["price >= 0", "stock IS NULL OR stock >= 0", "price < 100 AND sku <> 'x'"];
    let file = "sku;Name;rrp;Stock\n\
                1;n;3;2\n\
                2;n;-3;-2\n\
                3;n;3; -2 \n\
                4;n;3;\n\
                5;n; ;1\n\
                x;n;30;1\n";
    let expect = [
        "1",
        "4",
        "3: `price >= 0` is not true: price is `-3`",
        "4: `stock IS NULL OR stock >= 0` is not true: stock is `-2`",
        "6: `price >= 0` is not true: price is empty",
        "7: `price < 100 AND sku <> 'x'` is not true: price is `30`, sku is `x`",
    ];
    check(&checks, file, &expect);
}

#[test]
fn a_check_of_a_column_that_the_file_lacks_is_skipped() {
    let file = "sku;name;price\n1;n;3\n2;n;-3\n";
    let expect = ["1", "3: `price >= 0` is not true: price is `-3`"];
    check(&["stock > 0", "price >= 0", "price < stock", "colour = 'red'"], file, &expect);
    check(&["stock > 0"], file, &["1", "2"]);
    check(&["price >= 0"], "sku;name;op;price\n1;;delete;-3\n", &["1"]);
}

#[test]
fn texts_are_compared_as_the_offer_has_them() {
    let file = "sku;name;Colour;description\n1; Pen ;red;\n2;;blue; d \n3;Ink;blue;\n4;;;x\n";
    check(
        &["name = 'Pen'"],
        file,
        &["1", "2", "4: `name = 'Pen'` is not true: name is `Ink`", "5: `name = 'Pen'` is not true: name is `Ink`"],
    );
    let reason = "2: `colour IN ('blue', 'green')` is not true: colour is `red`";
    let empty = "5: `colour IN ('blue', 'green')` is not true: colour is empty";
    check(&["colour IN ('blue', 'green')"], file, &["2", "3", reason, empty]);
    check(
        &["description IS NULL OR description = 'd'", "\"COLOUR\" <> 'red'"],
        "sku;name;description;colour\n1;n; d ;x\n",
        &["1"],
    );
}

#[test]
fn a_cell_that_can_be_one_number_is_that_number() {
    for (cell, number) in [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,5", "1.5"),
        ("12.50", "12.5"),
        ("0.500", "0.5"),
        ("0,500", "0.5"),
        ("1.000.000", "1000000"),
        ("1 000", "1000"),
        ("1'000,5", "1000.5"),
        ("-3", "-3"),
        ("+1e3", "1000"),
        ("1234.567", "1234.567"),
    ] {
        price(&format!("price = {number}"), "{}", cell, "");
    }
}

#[test]
fn a_cell_that_may_be_two_numbers_has_to_pass_as_each() {
    price("price >= 0", "{}", "1.000", "");
    price("price < 100", "{}", "-1,500", "");
    price("price < 0", "{}", "1.000", "`price < 0` is not true: price is `1.000`");
    let unclear = "`price < 100` is true for only one reading of price: `1.500` could be 1.5 or 1500; decimal = \".\" or \
                   thousands = \".\" says which number it is";
    price("price < 100", "{}", "1.500", unclear);
    let unclear = "`price < 100` is true for only one reading of price: `1,500` could be 1500 or 1.5; decimal = \",\" or \
                   thousands = \",\" says which number it is";
    price("price < 100", "{}", "1,500", unclear);
    // The decimal sign is one for the file.
    check(&["price <= stock"], "sku;name;price;stock\n1;n;1.000;1.500\n", &["1"]);
    // The check is decided by the row alone, whatever stands above it.
    let file = "sku;name;price\n1;n;1.234,56\n2;n;1.500\n";
    assert!(
        seen(&["price < 1000"], "{}", file).iter().any(|line| line.starts_with("3: `price < 1000` is true for only"))
    );
}

#[test]
fn a_format_says_how_numbers_are_written() {
    let comma = r#"{"decimal":",","thousands":"."}"#;
    price("price = 1500", comma, "1.500", "");
    price("price = 1.5", comma, "1,5", "");
    price("price > 0", comma, "12.50", "`price` is not a number: `12.50`");
    price("price = 1.5", r#"{"decimal":"."}"#, "1.500", "");
    price("price > 0", r#"{"decimal":"."}"#, "1,5", "`price` is not a number: `1,5`");
    price("price = -5", r#"{"currency":["$"],"negative":"parentheses"}"#, "($5)", "");
    price("price < 100", r#"{"currency":["$"]}"#, "$12", "");
}

#[test]
fn a_cell_that_is_no_number_names_its_cure() {
    price("price >= 0", "{}", "x", "`price` is not a number: `x`");
    price("price >= 0", "{}", "1.2.3", "`price` is not a number: `1.2.3`");
    price("price >= 0", "{}", "$5", "`price` is not a number: `$5`; currency = [\"$\"] would read it");
    price("price >= 0 OR price = 'x'", "{}", "x", "`price` is not a number: `x`");
    price("price * price > 0", "{}", "1e200", "the value of `price * price > 0` is out of range");
}

#[test]
fn words_for_nothing_are_null_where_a_number_is_needed() {
    for word in ["NULL", "n/a", "-", "None", "\u{2013}"] {
        price("price >= 0", "{}", word, &format!("`price >= 0` is not true: price is `{word}`"));
        price("price = 'x'", "{}", word, &format!("`price = 'x'` is not true: price is `{word}`"));
        price("price >= 0 OR price IS NOT NULL", "{}", word, "");
        price("price >= 0", r#"{"decimal":"."}"#, word, &format!("`price >= 0` is not true: price is `{word}`"));
    }
    // A format that lists its own words has no others.
    let none = "`price` is not a number: `n/a`; null = [\"n/a\"] would read it as nothing";
    price("price >= 0", r#"{"null":["?"]}"#, "n/a", none);
}

#[test]
fn an_error_says_which_check_is_at_fault() {
    let check = |checks: &[&str], index: usize, word: &str| {
        let error = compile(checks).unwrap_err();
        assert_eq!(error.index, index, "{error}");
        assert!(error.to_string().contains(word), "{error} lacks {word}");
    };
    check(&["price >= 0", "price +"], 1, "`price +` cannot be read");
    check(&["price"], 0, "`price` is not a condition");
    check(&["price > 0", "stock > 0", "1 < 2"], 2, "names no column");
    check(&[""], 0, "cannot be read");
    assert!(compile(&[]).unwrap().is_empty());
}
