//! The text of a cell: its value, not its look. Two looks are kept, because they say what the value is: dates, and numbers
//! with zeros in front.

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime, Style};

/// Integers up to here are exact.
const MAX_EXACT: f64 = (1_u64 << 53) as f64;
/// Most digits of a format of zeros.
const MAX_ZEROS: usize = 32;
/// The day after the last that Excel knows, 9999-12-31.
const END_OF_DAYS: f64 = 2_958_466.0;
const MS_PER_DAY: f64 = 86_400_000.0;

/// Facts about cells that the styles of a workbook hold.
pub(crate) struct Cells {
    /// For each style the number of digits that integers are filled up to with zeros.
    zeros: Vec<usize>,
}

impl Cells {
    pub(crate) fn new(styles: &[Style]) -> Self {
        let code = |style: &Style| style.number_format.as_ref().map_or(0, |format| zeros(&format.format_code));
        Self { zeros: styles.iter().map(code).collect() }
    }

    /// The text; none if the cell is empty or an error such as `#N/A`.
    pub(crate) fn text<'a>(&self, value: &'a DataRef<'_>, style: usize) -> Option<Cow<'a, str>> {
        let digits = self.zeros.get(style).copied().unwrap_or_default();
        let text = match value {
            DataRef::Empty | DataRef::Error(_) => return None,
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.as_str().into(),
            DataRef::SharedString(text) => (*text).into(),
            DataRef::Bool(value) => value.to_string().into(),
            DataRef::Int(value) => value.to_string().into(),
            DataRef::Float(value) => number(*value, digits).into(),
            DataRef::DateTime(value) => moment(value).into(),
        };
        Some(text).filter(|text: &Cow<'_, str>| !text.is_empty())
    }
}

/// The digits of a number format such as `00000`; 0 for any other.
fn zeros(code: &str) -> usize {
    let is_zeros = code.len() <= MAX_ZEROS && code.bytes().all(|byte| byte == b'0');
    if is_zeros { code.len() } else { 0 }
}

/// The shortest text that reads back as the same number. An integer beyond 2^53 has lost digits, so it is shown rounded: with an
/// exponent, which a feed has a note for.
fn number(value: f64, digits: usize) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size <= MAX_EXACT {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{size:0>digits$}");
    }
    if !value.is_finite() || (1e-5..MAX_EXACT).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}E+{power:0>2}"),
        _ => text,
    }
}

/// A date, a time, both, or a duration.
fn moment(value: &ExcelDateTime) -> String {
    let serial = value.as_f64();
    if !(0.0..END_OF_DAYS).contains(&serial) {
        return number(serial, 0);
    }
    if value.is_duration() {
        // It is below 2^48 milliseconds, so nothing is cut.
        let ms = (serial * MS_PER_DAY).round() as u64;
        let (seconds, ms) = (ms / 1000, ms % 1000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        return time(minutes / 60, minutes % 60, seconds, ms);
    }
    let (year, month, day, hour, minute, second, ms) = value.to_ymd_hms_milli();
    let clock = time(hour.into(), minute.into(), second.into(), ms.into());
    match () {
        // A time of no day.
        () if serial < 1.0 => clock,
        () if (hour, minute, second, ms) == (0, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        () => format!("{year:04}-{month:02}-{day:02}T{clock}"),
    }
}

fn time(hour: u64, minute: u64, second: u64, ms: u64) -> String {
    let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
    format!("{hour:02}:{minute:02}:{second:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn numbers_read_back_as_the_same_number() {
        for (value, expect) in [
            (12.0, "12"),
            (-12.0, "-12"),
            (0.0, "0"),
            (-0.0, "0"),
            (12.5, "12.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (8_850_101_234_567.0, "8850101234567"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (12_345_678_901_234_567_890.0, "1.2345678901234567E+19"),
            (-1e300, "-1E+300"),
            (1e16, "1E+16"),
            (0.00001, "0.00001"),
            (1.5e-7, "1.5E-7"),
        ] {
            let text = number(value, 0);
            assert_eq!(text, expect);
            assert_eq!(text.parse::<f64>().unwrap(), value);
        }
        assert_eq!((number(123.0, 5), number(-1.0, 2), number(1.5, 5)), ("00123".into(), "-01".into(), "1.5".into()));
    }

    #[test]
    fn only_formats_of_zeros_alone_fill_up() {
        for (code, expect) in [("00000", 5), ("0", 1), ("General", 0), ("0.00", 0), ("#,##0", 0), ("", 0), ("00-00", 0)]
        {
            assert_eq!(zeros(code), expect, "{code}");
        }
        assert_eq!(zeros(&"0".repeat(100)), 0);
    }

    #[test]
    fn moments_are_iso_8601() {
        let check = |serial, kind, expect: &str| assert_eq!(moment(&ExcelDateTime::new(serial, kind, false)), expect);
        check(45322.0, DateTime, "2024-01-31");
        check(45322.0 + 10.0 / 24.0, DateTime, "2024-01-31T10:00:00");
        check(45943.541, DateTime, "2025-10-13T12:59:02.400");
        check(0.5, DateTime, "12:00:00");
        check(1.5 + 30.0 / 86400.0, TimeDelta, "36:00:30");
        check(-1.0, DateTime, "-1");
        check(3_000_000.0, DateTime, "3000000");
        check(f64::NAN, DateTime, "NaN");
        assert_eq!(moment(&ExcelDateTime::new(43860.0, DateTime, true)), "2024-01-31");
    }
}
