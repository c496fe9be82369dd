//! Values of reports, exact, as programs get them.

use tributary_engine::ReportValue;

/// The digits of a value as JSON and CSV write a number: every digit of a decimal, and of a double the fewest that tell it from its
/// neighbours. `None` for what is no number.
pub(crate) fn exact(value: &ReportValue) -> Option<String> {
    match value {
        ReportValue::Integer(number) => Some(number.to_string()),
        // A decimal has at most 20 places.
        ReportValue::Real(number) if (1e-20..1.0).contains(&number.abs()) => Some(number.to_string()),
        ReportValue::Real(number) if number.is_finite() => serde_json::to_string(number).ok(),
        ReportValue::Decimal(digits) => Some(digits.clone()),
        ReportValue::Text(text) if is_integer(text) => Some(text.clone()),
        ReportValue::Null | ReportValue::Real(_) | ReportValue::Text(_) => None,
    }
}

/// Whether a text is an integer as JSON writes one.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_led_by_zero = digits.len() > 1 && digits.starts_with('0');
    !digits.is_empty() && !is_led_by_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReportValue::{Decimal, Integer, Null, Real, Text};

    #[test]
    fn programs_get_every_digit() {
        let long = "123456789012345678901234567890";
        for (value, digits) in [
            (Integer(i64::MIN), Some("-9223372036854775808")),
            (Text(long.into()), Some(long)),
            (Text("-1".into()), Some("-1")),
            (Real(0.1), Some("0.1")),
            (Real(-0.000_000_1), Some("-0.0000001")),
            (Real(1e-21), Some("1e-21")),
            (Decimal("12345678901234567.89".into()), Some("12345678901234567.89")),
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
}
