//! Values of reports for people: decimals as they are, other numbers rounded, with thousands separators.

use tributary_engine::ReportValue;

/// Digits that every double keeps. A number with more of them is no decimal from a file but a quotient.
const DECIMAL_DIGITS: usize = 15;

/// Most places up to which a column is filled with zeros: more of them would promise what is not known.
const MAX_ZEROS: usize = 4;

/// A value to be read. Of a number that is no decimal four places behind the point at most, for small numbers as many as tell six
/// digits.
pub(crate) fn for_people(value: &ReportValue) -> String {
    match value {
        ReportValue::Null => "–".to_owned(),
        ReportValue::Integer(number) => grouped(&number.to_string()),
        ReportValue::Text(text) if value.digits().is_some() => grouped(text),
        ReportValue::Text(text) => text.clone(),
        ReportValue::Decimal(digits) => grouped(digits),
        ReportValue::Real(number) if is_decimal(*number) => grouped(&number.to_string()),
        ReportValue::Real(number) if is_moderate(*number) => quotient(*number),
        ReportValue::Real(number) => format!("{number:e}"),
    }
}

/// A number that is no decimal.
fn quotient(number: f64) -> String {
    let places = match number.abs() {
        size if size >= 1.0 || size == 0.0 => 4,
        // At most some 308, since no smaller number is a normal one.
        size => 5 + (-size.log10()).ceil().clamp(0.0, 320.0) as usize,
    };
    let digits = format!("{number:.places$}");
    grouped(digits.trim_end_matches('0').trim_end_matches('.'))
}

/// A value of a column, with blanks behind it that bring its point below those of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aligned {
    pub(crate) text: String,
    /// Blanks that are not to be copied with the number.
    pub(crate) padding: String,
}

/// Values of one column, whose points stand below each other: by zeros if the column has a few places, by blanks if it has many.
pub(crate) fn column<'a>(values: impl IntoIterator<Item = &'a ReportValue> + Clone) -> Vec<Aligned> {
    // A quotient may have few digits by chance: that does not make it a decimal whose digits all count.
    let is_quotient = |value: &ReportValue| matches!(value, ReportValue::Real(number) if !is_decimal(*number));
    let has_quotients = values.clone().into_iter().any(is_quotient);
    let text = |value: &ReportValue| match value {
        ReportValue::Real(number) if has_quotients && is_moderate(*number) => quotient(*number),
        value => for_people(value),
    };
    let texts: Vec<String> = values.into_iter().map(text).collect();
    let most = texts.iter().map(|text| places(text)).max().unwrap_or_default();
    texts.into_iter().map(|text| aligned(text, most)).collect()
}

fn aligned(mut text: String, most: usize) -> Aligned {
    let (found, mut padding) = (places(&text), String::new());
    let has_point = found > 0 || most == 0;
    let (point, zero, to) = match most {
        _ if !is_plain(&text) => return Aligned { text, padding },
        0..=MAX_ZEROS => ('.', '0', &mut text),
        // As wide as a point, and as a digit.
        _ => ('\u{2008}', '\u{2007}', &mut padding),
    };
    to.extend((!has_point).then_some(point));
    to.extend(std::iter::repeat_n(zero, most - found));
    Aligned { text, padding }
}

/// A double with this many places behind the point; with as many as it needs where a column would not be filled with zeros.
pub(crate) fn rounded(number: f64, places: usize) -> String {
    match number.abs() {
        size if size < 1e15 && places <= MAX_ZEROS => grouped(&format!("{number:.places$}")),
        _ => for_people(&ReportValue::Real(number)),
    }
}

/// The places behind the point of a text from [`for_people`].
pub(crate) fn places(text: &str) -> usize {
    text.split_once('.').filter(|_| is_plain(text)).map_or(0, |(_, behind)| behind.len())
}

/// Whether the text of a value is a number without an exponent.
fn is_plain(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit()) && !text.contains('e')
}

/// Whether a number is written without an exponent.
fn is_moderate(number: f64) -> bool {
    number.is_finite() && number.abs() < 1e15
}

/// Whether a number has few enough digits to be a decimal, and can be written without an exponent.
fn is_decimal(number: f64) -> bool {
    let digits = number.to_string();
    let digits = digits.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    let size = number.abs();
    (size == 0.0 || (1e-20..1e15).contains(&size)) && digits <= DECIMAL_DIGITS || (1e15..1e21).contains(&size)
}

/// Digits with their thousands set apart, as far as the point.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
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
    use ReportValue::{Decimal, Integer, Null, Real, Text};

    #[test]
    fn people_get_what_can_be_read() {
        for (value, text) in [
            (Integer(1_234_567), "1,234,567"),
            (Integer(-1_000), "-1,000"),
            (Integer(999), "999"),
            (Integer(0), "0"),
            (Text("1".repeat(30)), "111,111,111,111,111,111,111,111,111,111"),
            (Text("odd".into()), "odd"),
            (Real(1234.5), "1,234.5"),
            (Real(2.0), "2"),
            (Real(1.0 / 3.0), "0.333333"),
            (Real(20.0 / 3.0), "6.6667"),
            (Real(1e-7 / 3.0), "0.0000000333333"),
            (Real(0.000_012_345_678), "0.000012345678"),
            (Real(1_234.567_891), "1,234.567891"),
            (Real(1_234_567_890_123_456.5), "1,234,567,890,123,456.5"),
            (Decimal("-12345678901234567.89".into()), "-12,345,678,901,234,567.89"),
            (Real(-0.0), "-0"),
            (Real(1e300), "1e300"),
            (Null, "–"),
        ] {
            assert_eq!(for_people(&value), text, "{value:?}");
        }
    }

    #[test]
    fn the_points_of_a_column_stand_below_each_other() {
        let check = |values: &[ReportValue], texts: &[&str]| {
            let found = column(values);
            assert_eq!(found.iter().map(|value| value.text.as_str()).collect::<Vec<_>>(), texts);
            found.into_iter().map(|value| value.padding.chars().count()).collect::<Vec<_>>()
        };
        let padding = check(&[Integer(1_000), Real(0.5), Real(-12.25), Null], &["1,000.00", "0.50", "-12.25", "–"]);
        assert_eq!(padding, [0; 4]);
        check(&[Integer(1), Integer(20)], &["1", "20"]);
        check(&[Real(0.1), Real(1e300), Text("9".repeat(6))], &["0.1", "1e300", "999,999.0"]);
        check(&[Real(483.571_551_724_138), Real(20.0 / 3.0)], &["483.5716", "6.6667"]);
        let padding = check(&[Integer(7), Real(0.000_001_2), Real(-1.5)], &["7", "0.0000012", "-1.5"]);
        assert_eq!(padding, [8, 0, 6], "a point and seven digits, none, six digits");
        check(&[], &[]);
    }

    #[test]
    fn a_double_is_rounded_to_places() {
        assert_eq!(rounded(106_867_107.914, 2), "106,867,107.91");
        assert_eq!(rounded(-1_234.0, 0), "-1,234");
        assert_eq!(rounded(1.5e300, 2), "1.5e300");
        assert_eq!(rounded(0.1 + 0.2, 17), "0.3");
    }
}
