//! Metrics of reports as NUMERIC, which has every digit: the columns can be summed and compared in SQL, and no table beside them is needed.
//! Integers have no digits behind the point, and all others have some, which NUMERIC keeps.

use diesel::data_types::PgNumeric;

use crate::ReportValue;

/// The text of a value that PostgreSQL reads as NUMERIC; `None` for a null.
pub(super) fn to_numeric(value: &ReportValue) -> Option<String> {
    match value {
        ReportValue::Null => None,
        ReportValue::Integer(number) => Some(number.to_string()),
        ReportValue::Real(number) => Some(real(*number)),
        ReportValue::Text(digits) | ReportValue::Decimal(digits) => Some(digits.clone()),
    }
}

/// The shortest digits that tell a double from its neighbours, without an exponent.
fn real(number: f64) -> String {
    let digits = number.to_string();
    if number.is_finite() && !digits.contains('.') { digits + ".0" } else { digits }
}

/// The value that was written.
pub(super) fn from_numeric(number: &PgNumeric) -> ReportValue {
    let digits = match number {
        PgNumeric::NaN => return ReportValue::Real(f64::NAN),
        PgNumeric::Positive { weight, scale, digits } => text(*weight, *scale, digits),
        PgNumeric::Negative { weight, scale, digits } => format!("-{}", text(*weight, *scale, digits)),
    };
    if !digits.contains('.') {
        return digits.parse().map_or(ReportValue::Text(digits), ReportValue::Integer);
    }
    match digits.parse::<f64>() {
        Ok(number) if real(number) == digits => ReportValue::Real(number),
        _ => ReportValue::Decimal(digits),
    }
}

/// The digits of a number in base 10,000: the first group counts 10,000 to the power of `weight`, and `scale` digits are behind the point.
/// See <https://www.postgresql.org/docs/current/datatype-numeric.html> and `src/backend/utils/adt/numeric.c`.
fn text(weight: i16, scale: u16, groups: &[i16]) -> String {
    let group =
        |place: i32| usize::try_from(i32::from(weight) - place).ok().and_then(|place| groups.get(place)).unwrap_or(&0);
    let mut whole: String = (0..=i32::from(weight)).rev().map(|place| format!("{:04}", group(place))).collect();
    let zeros = whole.len() - whole.trim_start_matches('0').len();
    whole.drain(..zeros);
    if whole.is_empty() {
        whole.push('0');
    }
    if scale == 0 {
        return whole;
    }
    let places = i32::from(scale.div_ceil(4));
    let mut fraction: String = (1..=places).map(|place| format!("{:04}", group(-place))).collect();
    fraction.truncate(scale.into());
    whole + "." + &fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_digits_become_a_text() {
        for (weight, scale, groups, expect) in [
            (0, 0, &[7_i16][..], "7"),
            (1, 0, &[1], "10000"),
            (1, 2, &[12, 34, 5600], "120034.56"),
            (-1, 4, &[1], "0.0001"),
            (-2, 5, &[1000], "0.00001"),
            (0, 1, &[], "0.0"),
            (2, 0, &[1, 2345, 6789], "123456789"),
        ] {
            assert_eq!(text(weight, scale, groups), expect, "{groups:?}");
        }
    }

    #[test]
    fn what_is_written_says_what_it_is() {
        use ReportValue::{Decimal, Integer, Null, Real, Text};
        for (value, expect) in [
            (Null, None),
            (Integer(-3), Some("-3")),
            (Real(3.0), Some("3.0")),
            (Real(0.1 + 0.2), Some("0.30000000000000004")),
            (Real(1e22), Some("10000000000000000000000.0")),
            (Decimal("12345678901234567.89".into()), Some("12345678901234567.89")),
            (Text("123456789012345678901".into()), Some("123456789012345678901")),
        ] {
            assert_eq!(to_numeric(&value).as_deref(), expect);
        }
    }
}
