//! Numbers of a file whose format sets neither the decimal sign nor the group sign: each column is read as its cells say.

use crate::{
    number::{Number, ShortNumber, split_sign},
    number_format::{NumberFormat, ParseNumber},
    reading::{Class, ColumnState, Decimal, Reading},
    signs::Unsigned,
    style::{Style, is_blank},
};

/// The longest text of a [`ShortNumber`]: sign, point and 18 digits.
const SHORT_BYTES: usize = 20;

/// The number in a cell that is read without regard to its column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberAlone {
    pub(crate) number: Number,
    /// Whether the cell is another number with the other decimal sign.
    pub(crate) is_unclear: bool,
}

/// The parser of such a file.
#[derive(Clone, Copy)]
pub(crate) struct FoundNumbers<'a>(pub(crate) &'a NumberFormat);

impl ParseNumber for FoundNumbers<'_> {
    #[inline]
    fn parse(self, text: &[u8], column: &mut ColumnState) -> Option<Number> {
        if column.is_plain
            && let Some(short) = ShortNumber::parse(text)
        {
            if column.counts_points && short.has_point {
                column.tally.add(class_of_point(short));
            }
            return Some(short.number());
        }
        self.parse_any(text, column)
    }

    fn is_null(self, text: &[u8]) -> bool {
        self.0.is_null(text)
    }
}

impl FoundNumbers<'_> {
    #[inline(never)]
    fn parse_any(self, text: &[u8], column: &mut ColumnState) -> Option<Number> {
        let ColumnState { reading, tally, counts_points, .. } = column;
        if reading.decimal == Decimal::Comma
            && !reading.is_doubtful
            && let Some(short) = with_comma(text)
        {
            tally.add(class_of_comma(short));
            return Some(short.number());
        }
        let unsigned = self.strip(text)?;
        let class = classify(unsigned.digits);
        tally.add(class);
        *counts_points |= class != Class::Word;
        unsigned.number(reading.style(class)?.parse(unsigned.digits)?)
    }

    /// Parses a trimmed cell by itself. If it may be two numbers, it is the one with this decimal sign.
    pub(crate) fn parse_alone(self, text: &[u8], decimal: Decimal) -> Option<NumberAlone> {
        if let Some(short) = ShortNumber::parse(text)
            && class_of_point(short) != Class::PointOrGroup
        {
            return Some(NumberAlone { number: short.number(), is_unclear: false });
        }
        let unsigned = self.strip(text)?;
        let class = classify(unsigned.digits);
        let is_unclear = matches!(class, Class::PointOrGroup | Class::CommaOrGroup);
        let decimal = match class {
            Class::Comma => Decimal::Comma,
            _ if is_unclear => decimal,
            _ => Decimal::Point,
        };
        let style = Reading { decimal, ..Reading::default() }.style(class)?;
        Some(NumberAlone { number: unsigned.number(style.parse(unsigned.digits)?)?, is_unclear })
    }

    /// The class of a trimmed cell.
    pub(crate) fn class(self, text: &[u8]) -> Class {
        self.strip(text).map_or(Class::Word, |unsigned| classify(unsigned.digits))
    }

    fn strip<'t>(self, text: &'t [u8]) -> Option<Unsigned<'t>> {
        let text = std::str::from_utf8(text).ok()?;
        Some(match &self.0.signs {
            Some(signs) => signs.strip(text),
            None => {
                let (is_negative, rest) = split_sign(text.as_bytes());
                Unsigned { digits: &text[text.len() - rest.len()..], is_negative, is_percent: false }
            }
        })
    }
}

/// Classifies a cell without its sign.
fn classify(digits: &str) -> Class {
    if digits.starts_with(['-', '+']) {
        return Class::Word;
    }
    if let Some(short) = ShortNumber::parse(digits.as_bytes()) {
        return class_of_point(short);
    }
    if let Some(short) = with_comma(digits.as_bytes()) {
        return class_of_comma(short);
    }
    match (Style::POINT.parse(digits), Style::COMMA.parse(digits)) {
        (Some(point), Some(comma)) if point == comma => {
            match digits.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\'') {
                true => Class::Plain,
                false => Class::Grouped,
            }
        }
        (Some(_), Some(_)) => Class::Odd,
        (Some(_), None) if Number::parse(digits.as_bytes()).is_some() => Class::Point,
        (Some(_), None) => Class::GroupedPoint,
        (None, Some(_)) => Class::Comma,
        (None, None) if is_odd(digits) => Class::Odd,
        (None, None) => Class::Word,
    }
}

#[inline]
fn class_of_point(short: ShortNumber) -> Class {
    match short {
        ShortNumber { has_point: false, .. } => Class::Plain,
        // One to three digits, the point, and three digits.
        ShortNumber { scale: 3, digits, .. } if (1_000..1_000_000).contains(&digits.unsigned_abs()) => {
            Class::PointOrGroup
        }
        _ => Class::Point,
    }
}

fn class_of_comma(short: ShortNumber) -> Class {
    match class_of_point(short) {
        Class::PointOrGroup => Class::CommaOrGroup,
        Class::Point => Class::Comma,
        class => class,
    }
}

/// Parses a number with a decimal comma and no groups.
fn with_comma(text: &[u8]) -> Option<ShortNumber> {
    let mut out = [0; SHORT_BYTES];
    let out = out.get_mut(..text.len())?;
    for (out, byte) in out.iter_mut().zip(text) {
        *out = match byte {
            b',' => b'.',
            // Not a sign of such a number.
            b'.' => b',',
            byte => *byte,
        };
    }
    ShortNumber::parse(out)
}

/// Whether a cell is made of digits and their signs, and yet is no number: a date, a list, a version.
fn is_odd(digits: &str) -> bool {
    let is_sign = |letter: char| matches!(letter, '.' | ',' | '\'' | '\u{2019}' | '-') || is_blank(letter);
    digits.contains(|letter: char| letter.is_ascii_digit())
        && digits.chars().all(|letter| letter.is_ascii_digit() || is_sign(letter))
}
