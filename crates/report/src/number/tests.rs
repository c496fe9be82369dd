//! Parsing, writing and arithmetic of numbers.

use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a number"))
}

#[test]
fn numbers_are_parsed_exactly() {
    let check = |text: &str, expect: &str| assert_eq!(number(text).to_string(), expect, "{text}");
    check("12", "12");
    check("-12", "-12");
    check("+0012.50", "12.5");
    check(".5", "0.5");
    check("5.", "5");
    check("-0", "0");
    check("0.000", "0");
    check("1e3", "1000");
    check("2.5E-4", "0.00025");
    check("1E+2", "100");
    check("123456789012345678901234567890", "123456789012345678901234567890");
    check("0.12345678901234567890", "0.1234567890123456789");
    check("0.123456789012345678901", "0.12345678901234568");
    check("-9.313225746154785e-10", "-9.313225746154785e-10");
    check("6.02214076e23", "602214076000000000000000");
    check("6.62607015e-34", "6.62607015e-34");
    check("1e300", "1e300");
    check("0e999999999", "0");
    check("00000000000000000000000000000000000000000000000000000007", "7");
}

#[test]
fn other_texts_are_not_numbers() {
    for text in [
        "",
        ".",
        "-",
        "+",
        "e5",
        "1e",
        "1,000",
        "1_000",
        "$5",
        "5 %",
        "0x1F",
        "NaN",
        "inf",
        "1.2.3",
        "--1",
        "1-",
        "1e5.0",
        "1e301",
        "1e-301",
        "\u{661}",
        "1 000",
        "1e99999999999999999999",
        "1e-400",
        "-1e-400",
        "10e9223372036854775807",
        "0.01e-9223372036854775807",
        "100e9223372036854775807",
    ] {
        assert!(Number::parse(text.as_bytes()).is_none(), "{text}");
    }
    assert!(Number::parse(b"\xff").is_none());
}

#[test]
fn arithmetic_is_exact_where_it_can_be() {
    let check = |found: Option<Number>, expect: &str| assert_eq!(found.unwrap().to_string(), expect);
    check(number("0.1").plus(number("0.2")), "0.3");
    check(number("1").minus(number("0.01")), "0.99");
    check(number("19.99").times(number("3")), "59.97");
    check(number("1999").divided_by(number("100")).unwrap(), "19.99");
    check(number("19.99").divided_by(number("0.01")).unwrap(), "1999");
    check(number("1").divided_by(number("8")).unwrap(), "0.125");
    check(number("1").divided_by(number("3")).unwrap(), "0.3333333333333333");
    check(number("0.00000000000000000001").divided_by(number("0.1")).unwrap(), "0.0000000000000000001");
    check(number("1e37").times(number("100")), "1e39");
    check(number("0.00000000001").times(number("0.00000000001")), "9.999999999999999e-23");
    assert!(number("1").divided_by(number("0.0")).unwrap().is_none());
    assert!(number("1e300").times(number("1e300")).is_none());
    assert!(number("1e-300").times(number("1e-300")).is_none());
    assert!(number("1e-200").divided_by(number("1e200")).is_none());
    check(number("0").times(number("1e200")), "0");
    check(number("0").divided_by(number("1e200")).unwrap(), "0");
    check(number("1e200").minus(number("1e200")), "0");
}

#[test]
fn the_smallest_128_bit_integer_becomes_a_double() {
    let most = number("170141183460469231731687303715884105727");
    let beyond = most.negated().and_then(|least| least.minus(number("1"))).unwrap();
    assert_eq!(beyond.to_string(), "-1.7014118346046923e38");
    assert_eq!(beyond.to_f64(), -1.7014118346046923e38);
    let product = number("-9223372036854775808").times(number("18446744073709551616")).unwrap();
    assert_eq!(product.to_f64(), -1.7014118346046923e38);
}

#[test]
fn numbers_are_compared_by_value() {
    let check = |a: &str, b: &str, expect| assert_eq!(number(a).compare(number(b)), expect, "{a} {b}");
    check("1.50", "1.5", Ordering::Equal);
    check("1.49", "1.5", Ordering::Less);
    check("-2", "-1.5", Ordering::Less);
    check("1e200", "2", Ordering::Greater);
    check("170141183460469231731687303715884105727", "0.00000000000000000001", Ordering::Greater);
}

proptest! {
    #[test]
    fn any_decimal_survives_parsing_and_writing(mantissa in any::<i64>(), scale in 0..=18_usize) {
        let digits = format!("{:0>20}", mantissa.unsigned_abs());
        let sign = if mantissa < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{}", &digits[..20 - scale], &digits[20 - scale..]);
        let found = number(&text);
        let Number::Decimal { mantissa: read, scale: at } = found else { panic!("{text} is a decimal") };
        prop_assert_eq!(aligned(read, at, MAX_SCALE), aligned(mantissa.into(), scale as u32, MAX_SCALE));
        prop_assert_eq!(number(&found.to_string()), found);
        prop_assert_eq!(found.to_f64(), text.parse::<f64>().unwrap());
    }

    #[test]
    fn any_bytes_are_parsed_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = Number::parse(&bytes);
    }

    #[test]
    fn any_double_in_range_is_parsed(value in any::<f64>()) {
        let read = Number::parse(format!("{value:e}").as_bytes());
        if value == 0.0 || (MIN_FLOAT..=MAX_FLOAT).contains(&value.abs()) {
            prop_assert_eq!(read.unwrap().to_f64(), value);
        } else {
            prop_assert!(read.is_none());
        }
    }

    #[test]
    fn a_quotient_times_the_divisor_is_the_dividend(a in -1_000_000..1_000_000_i64, b in 1..10_000_i64, i in 0..6_u32, j in 0..6_u32) {
        let (a, b) = (Number::Decimal { mantissa: a.into(), scale: i }, Number::Decimal { mantissa: b.into(), scale: j });
        let quotient = a.divided_by(b).unwrap().unwrap();
        match quotient {
            Number::Decimal { .. } => prop_assert_eq!(quotient.times(b).unwrap(), a),
            Number::Float(value) => prop_assert!((value - a.to_f64() / b.to_f64()).abs() < 1e-9 * value.abs()),
        }
    }
}
