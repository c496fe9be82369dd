//! Values of tables whose columns are only known at run time: the tables `report_<name>`.

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportValue {
    /// No value: there was nothing to compute it from.
    Null,
    /// An integer.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// The digits of an integer that needs more than 64 bits.
    Text(String),
    /// The digits of a decimal that the nearest double does not have.
    Decimal(String),
}

impl ReportValue {
    /// The digits of the value as JSON and CSV write a number: every digit of a decimal, and of a double the fewest that tell it from
    /// its neighbours. `None` for what is no number.
    #[must_use]
    pub fn digits(&self) -> Option<String> {
        match self {
            Self::Integer(number) => Some(number.to_string()),
            // A decimal has at most 20 places.
            Self::Real(number) if (1e-20..1.0).contains(&number.abs()) => Some(number.to_string()),
            Self::Real(number) if number.is_finite() => serde_json::to_string(number).ok(),
            Self::Decimal(digits) => Some(digits.clone()),
            Self::Text(text) if is_integer(text) => Some(text.clone()),
            Self::Null | Self::Real(_) | Self::Text(_) => None,
        }
    }

    /// The nearest double; none of a null.
    #[must_use]
    pub fn approximate(&self) -> Option<f64> {
        let number = match self {
            Self::Null => None,
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Text(text) | Self::Decimal(text) => text.parse().ok(),
        };
        number.filter(|number| number.is_finite())
    }
}

/// Whether a text is an integer as JSON writes one.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_led_by_zero = digits.len() > 1 && digits.starts_with('0');
    !digits.is_empty() && !is_led_by_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// One group of a report with its metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// One text per column of [`crate::ReportTable::group_by`].
    pub group: Vec<String>,
    /// One value per column of [`crate::ReportTable::metrics`].
    pub values: Vec<ReportValue>,
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
            assert_eq!(value.digits().as_deref(), digits, "{value:?}");
        }
        let exactly = Real(0.1 + 0.2).digits().unwrap();
        assert_eq!(exactly.parse::<f64>().unwrap(), 0.1 + 0.2);
    }
}
