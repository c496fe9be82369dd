//! The values of reports as numbers: exact for programs, with their thousands set apart for people.

use tributary_store::ReportValue;

/// The digits of a value as JSON and CSV write a number: every digit of an integer, and of any other number the fewest that tell it
/// from its neighbours. `None` for what is no number.
pub(crate) fn exact(value: &ReportValue) -> Option<String> {
    match value {
        ReportValue::Integer(number) => Some(number.to_string()),
        ReportValue::Real(number) if number.is_finite() => serde_json::to_string(number).ok(),
        ReportValue::Text(text) if is_integer(text) => Some(text.clone()),
        ReportValue::Null | ReportValue::Real(_) | ReportValue::Text(_) => None,
    }
}

/// Whether a text is an integer as JSON writes one.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_led_by_zero = digits.len() > 1 && digits.starts_with('0');
    !digits.is_empty() && !is_led_by_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A value to be read: four places behind the point at most, for small numbers as many as tell six digits.
pub(crate) fn for_people(value: &ReportValue) -> String {
    match value {
        ReportValue::Null => "–".to_owned(),
        ReportValue::Integer(number) => grouped(&number.to_string()),
        ReportValue::Text(text) if is_integer(text) => grouped(text),
        ReportValue::Text(text) => text.clone(),
        ReportValue::Real(number) if number.is_finite() && number.abs() < 1e15 => {
            let places = match number.abs() {
                size if size >= 1.0 || size == 0.0 => 4,
                // At most some 308, since no smaller number is a normal one.
                size => 5 + (-size.log10()).ceil().clamp(0.0, 320.0) as usize,
            };
            let digits = format!("{number:.places$}");
            grouped(digits.trim_end_matches('0').trim_end_matches('.'))
        }
        ReportValue::Real(number) => format!("{number:e}"),
    }
}

/// The size of a value for a picture of it.
pub(crate) fn approximate(value: &ReportValue) -> Option<f64> {
    let size = match value {
        ReportValue::Null => None,
        ReportValue::Integer(number) => Some(*number as f64),
        ReportValue::Real(number) => Some(*number),
        ReportValue::Text(text) => text.parse().ok(),
    };
    size.filter(|size| size.is_finite())
}

/// Digits with their thousands set apart, as far as the point.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("−", digits));
    let (whole, behind) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let mut text = sign.to_owned();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + behind
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReportValue::{Integer, Null, Real, Text};

    #[test]
    fn programs_get_every_digit() {
        let long = "123456789012345678901234567890";
        for (value, digits) in [
            (Integer(i64::MIN), Some("-9223372036854775808")),
            (Text(long.into()), Some(long)),
            (Text("-1".into()), Some("-1")),
            (Real(0.1), Some("0.1")),
            (Real(1e300), Some("1e+300")),
            (Real(3.0), Some("3.0")),
            (Real(f64::INFINITY), None),
            (Null, None),
            (Text("01".into()), None),
            (Text("-".into()), None),
            (Text("1e3".into()), None),
        ] {
            assert_eq!(exact(&value).as_deref(), digits, "{value:?}");
        }
        let exactly = exact(&Real(0.1 + 0.2)).unwrap();
        assert_eq!(exactly.parse::<f64>().unwrap(), 0.1 + 0.2);
    }

    #[test]
    fn people_get_what_can_be_read() {
        for (value, text) in [
            (Integer(1_234_567), "1,234,567"),
            (Integer(-1_000), "−1,000"),
            (Integer(999), "999"),
            (Integer(0), "0"),
            (Text("1".repeat(30)), "111,111,111,111,111,111,111,111,111,111"),
            (Text("odd".into()), "odd"),
            (Real(1234.5), "1,234.5"),
            (Real(2.0), "2"),
            (Real(1.0 / 3.0), "0.333333"),
            (Real(0.000_012_345_678), "0.0000123457"),
            (Real(-0.0), "−0"),
            (Real(1e300), "1e300"),
            (Null, "–"),
        ] {
            assert_eq!(for_people(&value), text, "{value:?}");
        }
    }
}
