//! Each setting of numbers, alone and with others.

use proptest::prelude::*;

use super::*;
use crate::{
    found::FoundNumbers,
    reading::{Decimal, Reading},
};

/// Parses settings as they are written in a table `[[format]]`, here as JSON.
fn format(settings: &str) -> NumberFormat {
    NumberFormat::new(&serde_json::from_str(settings).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

/// Parses a cell of a column in which no other cell says anything.
fn parse(format: &NumberFormat, cell: &str) -> Option<String> {
    parse_bytes(format, cell.as_bytes()).map(|number| number.to_string())
}

fn parse_bytes(format: &NumberFormat, cell: &[u8]) -> Option<Number> {
    let plain = Reading { decimal: Decimal::Point, is_grouped: false, is_doubtful: false };
    match format.set_numbers() {
        Some(numbers) => numbers.parse(cell, &mut ColumnState::new(0, plain, true)),
        None => FoundNumbers(format).parse(cell, &mut ColumnState::new(0, plain, true)),
    }
}

/// Checks cells and their numbers, where `-` means that a cell is not a number.
#[track_caller]
fn check(settings: &str, cells: &[(&str, &str)]) {
    let format = format(settings);
    for (cell, expect) in cells {
        assert_eq!(parse(&format, cell).as_deref().unwrap_or("-"), *expect, "`{cell}` with {settings}");
    }
}

#[test]
fn without_settings_numbers_are_plain() {
    assert_eq!(format("{}"), NumberFormat::default());
    let cells =
        [("1.5", "1.5"), ("1,5", "-"), ("$5", "-"), ("(5)", "-"), ("5-", "-"), ("\u{2212}5", "-"), ("1 000", "-")];
    check("{}", &cells);
}

#[test]
fn the_decimal_sign_is_a_point_or_a_comma() {
    let cells = [
        ("1,5", "1.5"),
        ("-1,50", "-1.5"),
        ("+,5", "0.5"),
        ("5,", "5"),
        ("12", "12"),
        ("2,5e-4", "0.00025"),
        ("0,12345678901234567890", "0.1234567890123456789"),
        ("1.5", "-"),
        ("1,5,0", "-"),
        (",", "-"),
        ("1 000,5", "-"),
        ("1,5e3,0", "-"),
    ];
    check(r#"{"decimal":","}"#, &cells);
    check(r#"{"decimal":"."}"#, &[("1.5", "1.5"), ("1,5", "-"), ("\u{2212}1.5", "-1.5")]);
}

#[test]
fn groups_are_well_formed() {
    let cells = [
        ("1.000", "1000"),
        ("1.234,56", "1234.56"),
        ("-12.345.678,9", "-12345678.9"),
        ("123.456", "123456"),
        ("1234567,5", "1234567.5"),
        ("999", "999"),
        ("0,500", "0.5"),
        ("1.23.456", "-"),
        ("12.34", "-"),
        ("1.2345", "-"),
        ("1234.567", "-"),
        (".500", "-"),
        ("1.", "-"),
        ("1..000", "-"),
        ("1.000.", "-"),
        ("1,234.567", "-"),
        ("1.000,5.000", "-"),
        ("0.500", "-"),
        ("012.345", "-"),
        ("1.234e5", "-"),
        ("1e3", "1000"),
        ("-.123", "-"),
        ("1.-23", "-"),
        ("1.+23", "-"),
    ];
    check(r#"{"decimal":",","thousands":"."}"#, &cells);
    check(r#"{"thousands":","}"#, &[("1,250.00", "1250"), ("1,23,456", "-"), ("1.234,5", "-")]);
    check(r#"{"thousands":"_"}"#, &[("1_000", "1000"), ("1,000", "-")]);
    check(r#"{"thousands":"\u00b7"}"#, &[("1\u{b7}000", "1000")]);
}

#[test]
fn a_blank_is_any_blank_and_an_apostrophe_either_one() {
    let cells = [
        ("1 000", "1000"),
        ("1\u{a0}000,5", "1000.5"),
        ("1\u{202f}234\u{202f}567,00", "1234567"),
        ("1\u{2009}000", "1000"),
        ("1\u{2007}000", "1000"),
        ("- 1 000", "-"),
        ("1  000", "-"),
        ("1 00", "-"),
        ("1\t000", "-"),
        ("1'000", "-"),
    ];
    check(r#"{"decimal":",","thousands":" "}"#, &cells);
    check(r#"{"thousands":"\u00a0"}"#, &[("1 000", "1000"), ("1\u{202f}000", "1000")]);
    check(r#"{"thousands":"'"}"#, &[("1'234'567.5", "1234567.5"), ("1\u{2019}000", "1000"), ("1 000", "-")]);
}

#[test]
fn currencies_stand_in_front_or_behind() {
    let cells = [
        ("$5", "5"),
        ("$ 5", "5"),
        ("5$", "5"),
        ("5\u{a0}\u{20ac}", "5"),
        ("EUR\u{202f}1,250.00", "1250"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("- $ 5", "-5"),
        ("$ -5", "-5"),
        ("-5 EUR", "-5"),
        ("\u{2212}$5", "-5"),
        ("$+5", "5"),
        ("$.50", "0.5"),
        ("Fr.5", "5"),
        ("Fr. 5", "5"),
        ("5", "5"),
        ("$", "-"),
        ("$5$", "-"),
        ("$ 5 EUR", "-"),
        ("-$-5", "-"),
        ("$- 5", "-"),
        ("5$0", "-"),
        ("USD5", "-"),
        ("eur 5", "-"),
        ("EUR.5", "-"),
        ("US$5", "-"),
        ("12%", "-"),
    ];
    check(r#"{"thousands":",","currency":["$","\u20ac","EUR","Fr","Fr."]}"#, &cells);
    check(r#"{"currency":["Fr"]}"#, &[("Fr 5", "5"), ("Fr.5", "-"), ("Fr. 5", "-")]);
    check(r#"{"currency":["R$","$"],"decimal":",","thousands":" "}"#, &[("R$ 1 000,5", "1000.5"), ("1 000 $", "1000")]);
}

#[test]
fn negative_numbers_have_parentheses_or_a_minus_behind() {
    let cells = [
        ("(5)", "-5"),
        ("(1,250.00)", "-1250"),
        ("($5)", "-5"),
        ("($ 5)", "-5"),
        ("(5 $)", "-5"),
        ("$(5)", "-5"),
        ("$ (5)", "-5"),
        ("(5) $", "-5"),
        ("( 5 )", "-5"),
        ("-5", "-5"),
        ("(0)", "0"),
        ("$($5)", "-"),
        ("(-5)", "-"),
        ("-(5)", "-"),
        ("((5))", "-"),
        ("(5", "-"),
        ("5)", "-"),
        ("()", "-"),
        ("5-", "-"),
    ];
    check(r#"{"negative":"parentheses","currency":["$"],"thousands":","}"#, &cells);
    let cells = [
        ("5-", "-5"),
        ("100.00-", "-100"),
        ("5\u{2212}", "-5"),
        ("5\u{2013}", "-5"),
        ("5.-", "-"),
        ("5.\u{2013}", "-"),
        ("$5.-", "-"),
        ("-5", "-5"),
        ("5-$", "-5"),
        ("5$-", "-5"),
        ("5 $-", "-5"),
        ("$5-", "-5"),
        ("5- $", "-5"),
        ("-5-", "-"),
        ("5--", "-"),
        ("5 -", "-"),
        ("-", "-"),
        ("(5)", "-"),
        ("5+", "-"),
    ];
    check(r#"{"negative":"trailing","currency":["$"]}"#, &cells);
    check(r#"{"negative":"trailing","decimal":","}"#, &[("5,-", "-"), ("5,00-", "-5"), ("5,\u{2212}", "-")]);
    check(r#"{"negative":"minus"}"#, &[("-5", "-5"), ("(5)", "-"), ("5-", "-"), ("--5", "-")]);
    for dash in ["\u{2212}", "\u{2013}", "\u{2011}", "\u{fe63}", "\u{ff0d}"] {
        let cell = format!("{dash}5");
        check("{}", &[(&cell, "-")]);
        check(r#"{"negative":"minus"}"#, &[(&cell, "-5"), (&format!("{dash}-5"), "-"), (&format!("5{dash}5"), "-")]);
        check(r#"{"decimal":",","currency":["$"]}"#, &[(&cell, "-5"), (&format!("${dash}5,5"), "-5.5")]);
    }
}

#[test]
fn per_cent_are_hundredths() {
    let cells = [
        ("5%", "0.05"),
        ("5 %", "0.05"),
        ("5\u{202f}%", "0.05"),
        ("%5", "0.05"),
        ("-12.5%", "-0.125"),
        ("- 5 %", "-"),
        ("+5%", "0.05"),
        ("\u{2212}5 %", "-0.05"),
        ("0.00000000000000000001%", "1e-22"),
        ("5", "5"),
        ("5%%", "-"),
        ("%", "-"),
        ("%5%", "-"),
        ("$5%", "-"),
        ("$5", "5"),
        ("5%5", "-"),
    ];
    check(r#"{"percent":true,"currency":["$"]}"#, &cells);
    let cells = [("(5%)", "-0.05"), ("(5) %", "-0.05"), ("1.250,5 %", "12.505"), ("(1 %", "-")];
    check(r#"{"percent":true,"negative":"parentheses","decimal":",","thousands":"."}"#, &cells);
    check(r#"{"percent":false}"#, &[("5%", "-"), ("5", "5")]);
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    let check = |settings: &str, key: &str, word: &str| {
        let error = NumberFormat::new(&serde_json::from_str(settings).unwrap()).unwrap_err();
        assert_eq!(error.key, key, "{settings}");
        assert!(error.to_string().contains(word), "{error} lacks {word}");
    };
    check(r#"{"decimal":";"}"#, "decimal", "`;`");
    check(r#"{"decimal":""}"#, "decimal", "``");
    check(r#"{"thousands":"."}"#, "thousands", "set decimal = \",\"");
    check(r#"{"decimal":",","thousands":","}"#, "thousands", "set decimal = \".\"");
    check(r#"{"percent":true,"currency":["%"]}"#, "percent", "currency");
    for sign in ["", "..", "0", "e", "-", "+", "\u{2212}", "\u{2013}", "(", "\\n"] {
        check(&format!(r#"{{"thousands":"{sign}"}}"#), "thousands", "cannot separate");
    }
    for sign in ["", " ", "5", "US5", "-", "\u{2013}", "(", ".", ","] {
        check(&format!(r#"{{"thousands":",","currency":["$","{sign}"]}}"#), "currency", "cannot be a currency");
    }
}

proptest! {
    #[test]
    fn any_cell_is_parsed_without_a_panic(cell in "[-+0-9., '()$eE\u{2212}\u{a0}\u{2019}]{0,80}", bytes in any::<Vec<u8>>()) {
        for settings in [
            r#"{"decimal":",","thousands":".","currency":["$"],"negative":"parentheses"}"#,
            r#"{"thousands":"'","currency":["$","e"],"negative":"trailing"}"#,
            r#"{"thousands":" "}"#,
            r#"{"percent":true,"currency":["$"]}"#,
            "{}",
        ] {
            let numbers = format(settings);
            let _ = parse(&numbers, &cell);
            let _ = parse_bytes(&numbers, &bytes);
        }
    }

    #[test]
    fn a_number_in_any_form_is_the_same(whole in any::<i32>(), cents in 0..100_u32) {
        let digits = whole.unsigned_abs().to_string();
        let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        let is_negative = whole < 0;
        let plain = Number::parse(format!("{}{digits}.{cents:02}", if is_negative { "-" } else { "" }).as_bytes());
        let plain = plain.map(|number| number.to_string());
        let german = format!("{}{},{cents:02} \u{20ac}", if is_negative { "-" } else { "" }, groups.join("."));
        let settings = format(r#"{"decimal":",","thousands":".","currency":["\u20ac"]}"#);
        prop_assert_eq!(&parse(&settings, &german), &plain);
        let amount = format!("${}.{cents:02}", groups.join(","));
        let ledger = if is_negative { format!("({amount})") } else { amount };
        let settings = format(r#"{"thousands":",","currency":["$"],"negative":"parentheses"}"#);
        prop_assert_eq!(&parse(&settings, &ledger), &plain);
    }
}
