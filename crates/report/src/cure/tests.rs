//! Each cure is followed: the cell has to be the number that its writer meant.

use serde_json::{Map, Value};

use super::*;
use crate::style::Style;

fn format(settings: Map<String, Value>) -> NumberFormat {
    NumberFormat::new(&serde_json::from_value(Value::Object(settings)).unwrap()).unwrap()
}

fn settings(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
}

/// Checks the cure of a cell in a file of these settings, and the number of the cell once the cure is among them. Both are
/// empty if there is none.
#[track_caller]
fn check(set: &str, cell: &str, expect: &str, number: &str) {
    let cure = cure(&format(settings(set)), cell.as_bytes());
    let named = cure.strip_suffix(" would read it").unwrap_or_default();
    assert_eq!(named, expect, "`{cell}` with {set}: {cure}");
    let mut cured = settings(set);
    for setting in named.split(" and ").filter(|setting| !setting.is_empty()) {
        let (key, value) = setting.split_once(" = ").unwrap();
        cured.insert(key.to_owned(), serde_json::from_str(value).unwrap());
    }
    let numbers = NumberFormat { style: format(cured.clone()).style.or(Some(Style::POINT)), ..format(cured) };
    let read = numbers.parse_set(cell.as_bytes()).filter(|_| !named.is_empty());
    assert_eq!(read.map(|number| number.to_string()).unwrap_or_default(), number, "`{cell}` with {named}");
}

#[test]
fn dashes_are_signs_of_negative_numbers_and_no_currencies() {
    for dash in MINUS_SIGNS {
        check("{}", &format!("{dash}2"), "negative = \"minus\"", "-2");
        check("{}", &format!("${dash}2"), "currency = [\"$\"]", "-2");
        check("{}", &format!("2{dash}"), "negative = \"trailing\"", "-2");
        check(r#"{"currency":["$"]}"#, &format!("({dash}2)"), "", "");
    }
    // The hyphen, the figure dash, the em dash and others say too little.
    for dash in ['\u{2010}', '\u{2012}', '\u{2014}', '\u{2015}', '\u{ad}', '\u{fe58}', '~', '\u{207b}'] {
        check("{}", &format!("{dash}2"), "", "");
        check("{}", &format!("2{dash}"), "", "");
    }
}

/// Swiss, German and Swedish prices without hundredths end like negative numbers of other countries.
#[test]
fn a_dash_for_no_hundredths_is_no_minus() {
    for cell in [
        "5.-",
        "5,-",
        "12:-",
        "5.\u{2013}",
        "12,\u{2014}",
        "3,--",
        "CHF 5.-",
        "5,- \u{20ac}",
        "12:-kr",
        "4,\u{2014} \u{20ac}",
    ] {
        for set in ["{}", r#"{"decimal":","}"#, r#"{"decimal":"."}"#, r#"{"negative":"trailing"}"#] {
            check(set, cell, "", "");
        }
    }
    check("{}", "5.00-", "negative = \"trailing\"", "-5");
    check("{}", "5-", "negative = \"trailing\"", "-5");
}

#[test]
fn only_a_currency_is_called_one() {
    for currency in ["$", "\u{20ac}", "\u{a3}", "\u{a5}", "\u{20b9}", "\u{20ba}", "EUR", "CHF", "USD", "PLN"] {
        let setting = format!("currency = [\"{currency}\"]");
        check("{}", &format!("{currency}5"), &setting, "5");
        check("{}", &format!("-{currency} 5"), &setting, "-5");
        check("{}", &format!("5.50 {currency}"), &setting, "5.5");
        check("{}", &format!("({currency}5)"), &format!("{setting} and negative = \"parentheses\""), "-5");
        check("{}", &format!("5-{currency}"), &format!("{setting} and negative = \"trailing\""), "-5");
    }
    // Sides of an account, powers of ten, fractions, bounds and the like would be lost.
    for sign in ["CR", "DR", "Cr", "dr", "DB", "S", "H", "K", "M", "MM", "BN", "MIO", "MRD", "TSD", "BPS", "PCT", "KG"]
    {
        check("{}", &format!("100.00 {sign}"), "", "");
        check("{}", &format!("{sign}100"), "", "");
        check("{}", &format!("$100 {sign}"), "", "");
    }
    for sign in [":", "<", ">", "~", "\u{2264}", "\u{2030}", "\u{b1}", "\u{a2}", "#", "/", "\u{b0}", "=", "*"] {
        check("{}", &format!("5{sign}"), "", "");
        check("{}", &format!("{sign}5"), "", "");
    }
}

#[test]
fn the_group_sign_of_the_cell_is_named() {
    for (groups, named) in [("'", "'"), ("\u{2019}", "'"), (" ", " "), ("\u{a0}", " "), ("\u{202f}", " "), (",", ",")] {
        let setting = format!("thousands = \"{named}\"");
        check("{}", &format!("1{groups}234.50"), &setting, "1234.5");
        check(r#"{"currency":["CHF","Fr."]}"#, &format!("CHF1{groups}234.50"), &setting, "1234.5");
        check(r#"{"currency":["CHF","Fr."]}"#, &format!("-Fr. 1{groups}234{groups}567.50"), &setting, "-1234567.5");
    }
}

#[test]
fn words_for_nothing_name_their_setting() {
    let check = |cell: &str, expect: &str| assert_eq!(cure(&format(settings("{}")), cell.as_bytes()), expect, "{cell}");
    check("k.A.", "null = [\"k.A.\"] would read it as nothing");
    check("-", "null = [\"-\"] would read it as nothing");
    check("\\N", "null = [\"\\\\N\"] would read it as nothing");
    check("x", "");
    check("on request", "");
}
