//! Numbers as the format of a file writes them: decimal and group signs, currencies and negative numbers. A cell is
//! rewritten to the text that [`Number::parse`] reads. What is not well formed is not a number; nothing is guessed.

use tributary_protocol::{FormatSpec, Negative};

use crate::number::Number;

/// The longest rewritten number that needs no memory of its own.
const SHORT_BYTES: usize = 64;
const MINUS_SIGN: char = '\u{2212}';

/// The way a file writes numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberFormat(Option<WrittenNumbers>);

/// A setting of numbers that cannot work for any file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NumberFormatError {
    /// The key.
    pub key: &'static str,
    /// The fault and how to fix it.
    pub reason: String,
}

/// A parser of cells. The kernel is compiled for each implementation, so that a file without settings pays nothing.
pub(crate) trait ParseNumber: Copy {
    /// Parses a trimmed cell.
    fn parse(self, text: &[u8]) -> Option<Number>;
}

/// The numbers of a file without settings.
#[derive(Clone, Copy)]
pub(crate) struct PlainNumbers;

/// The numbers of a file with at least one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrittenNumbers {
    decimal: char,
    thousands: Option<GroupSign>,
    /// The longest first, so that `Fr.` is found before `Fr`.
    currency: Vec<String>,
    negative: Negative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GroupSign {
    Blank,
    Apostrophe,
    Other(char),
}

impl NumberFormat {
    /// Checks the keys `decimal`, `thousands`, `currency` and `negative`. Without any of them, numbers are plain.
    ///
    /// # Errors
    /// A key cannot work for any file.
    pub fn new(spec: &FormatSpec) -> Result<Self, NumberFormatError> {
        let FormatSpec { decimal, thousands, currency, negative, .. } = spec;
        if decimal.is_none() && thousands.is_none() && currency.is_none() && negative.is_none() {
            return Ok(Self::default());
        }
        let decimal = decimal.as_deref().map_or(Ok('.'), decimal_sign)?;
        let thousands = thousands.as_deref().map(|text| group_sign(text, decimal)).transpose()?;
        let signs = currency.iter().flatten().map(|text| currency_sign(text, decimal, thousands));
        let mut currency = signs.collect::<Result<Vec<_>, _>>()?;
        currency.sort_by_key(|sign| std::cmp::Reverse(sign.len()));
        Ok(Self(Some(WrittenNumbers { decimal, thousands, currency, negative: negative.unwrap_or_default() })))
    }

    /// The settings; `None` if numbers are plain.
    pub(crate) fn written(&self) -> Option<&WrittenNumbers> {
        self.0.as_ref()
    }
}

fn decimal_sign(text: &str) -> Result<char, NumberFormatError> {
    match text {
        "." => Ok('.'),
        "," => Ok(','),
        _ => Err(wrong("decimal", format!("`{text}` cannot be the decimal sign: write \".\" or \",\""))),
    }
}

fn group_sign(text: &str, decimal: char) -> Result<GroupSign, NumberFormatError> {
    let mut letters = text.chars();
    let sign = letters.next().filter(|_| letters.next().is_none());
    match sign {
        Some(sign) if sign == decimal => {
            let other = if decimal == '.' { ',' } else { '.' };
            let reason = format!("`{sign}` is the decimal sign: set decimal = \"{other}\", or use another sign");
            Err(wrong("thousands", reason))
        }
        Some(' ') => Ok(GroupSign::Blank),
        Some('\'') => Ok(GroupSign::Apostrophe),
        Some(sign) if is_blank(sign) => Ok(GroupSign::Blank),
        Some(sign) if !sign.is_alphanumeric() && !sign.is_control() && !is_part_of_a_sign(sign) => {
            Ok(GroupSign::Other(sign))
        }
        _ => {
            let reason = format!(
                "`{}` cannot separate groups of digits: write one character that is neither a letter nor a digit nor a \
                 sign of a negative number",
                text.escape_debug()
            );
            Err(wrong("thousands", reason))
        }
    }
}

fn currency_sign(text: &str, decimal: char, thousands: Option<GroupSign>) -> Result<String, NumberFormatError> {
    let sign = text.trim();
    let is_decimal = sign.chars().eq([decimal]);
    let is_group = sign.chars().all(|letter| thousands.is_some_and(|group| group.is(letter)));
    if sign.is_empty() || is_decimal || is_group || sign.chars().any(|c| c.is_numeric() || is_part_of_a_sign(c)) {
        let reason = format!(
            "`{}` cannot be a currency: write a sign or a name such as \"$\" or \"EUR\", without digits and without the \
             signs of numbers",
            text.escape_debug()
        );
        return Err(wrong("currency", reason));
    }
    Ok(sign.to_owned())
}

fn wrong(key: &'static str, reason: String) -> NumberFormatError {
    NumberFormatError { key, reason }
}

fn is_part_of_a_sign(letter: char) -> bool {
    matches!(letter, '+' | '-' | MINUS_SIGN | '(' | ')')
}

/// A blank that separates groups of digits.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}')
}

impl GroupSign {
    fn is(self, letter: char) -> bool {
        match self {
            Self::Blank => is_blank(letter),
            Self::Apostrophe => matches!(letter, '\'' | '\u{2019}'),
            Self::Other(sign) => letter == sign,
        }
    }
}

impl ParseNumber for PlainNumbers {
    #[inline]
    fn parse(self, text: &[u8]) -> Option<Number> {
        Number::parse(text)
    }
}

impl ParseNumber for &WrittenNumbers {
    fn parse(self, text: &[u8]) -> Option<Number> {
        let (is_negative, digits) = self.without_signs(std::str::from_utf8(text).ok()?);
        // Rewriting only ever shortens the digits. One byte more for the minus.
        let (mut short, mut long) = ([0; SHORT_BYTES], Vec::new());
        let out = match digits.len() + 1 {
            length @ ..=SHORT_BYTES => &mut short[..length],
            length => {
                long.resize(length, 0);
                &mut long[..]
            }
        };
        let mut plain = PlainText { out, length: 0 };
        plain.push(if is_negative { b"-" } else { b"" });
        self.rewrite(digits, &mut plain)?;
        Number::parse(&plain.out[..plain.length])
    }
}

impl WrittenNumbers {
    /// Strips the currency and the sign. Returns whether the number is negative, and its digits.
    fn without_signs<'a>(&self, text: &'a str) -> (bool, &'a str) {
        let outside = self.without_currency(text);
        let (is_negative, rest) = self.without_minus(outside.unwrap_or(text));
        let inside = if outside.is_none() { self.without_currency(rest) } else { None };
        (is_negative, inside.unwrap_or(rest))
    }

    /// Strips a currency in front or behind, with the blanks beside it; `None` if there is none.
    fn without_currency<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = text.trim();
        let rest = |sign: &String| match text.strip_prefix(sign.as_str()) {
            // `Fr.5` is five francs and not half a franc, if only `Fr` is a currency.
            Some(rest) if sign.ends_with(char::is_alphabetic) && rest.starts_with(['.', ',']) => None,
            Some(rest) => Some(rest),
            None => text.strip_suffix(sign.as_str()),
        };
        self.currency.iter().find_map(rest).map(str::trim)
    }

    /// Strips a sign. Returns whether it is that of a negative number.
    fn without_minus<'a>(&self, text: &'a str) -> (bool, &'a str) {
        if let Some(rest) = text.strip_prefix(['-', MINUS_SIGN]) {
            return (true, rest);
        }
        if let Some(rest) = text.strip_prefix('+') {
            return (false, rest);
        }
        let rest = match self.negative {
            Negative::Minus => None,
            Negative::Parentheses => text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(str::trim),
            Negative::Trailing => text.strip_suffix(['-', MINUS_SIGN]),
        };
        rest.map_or((false, text), |rest| (true, rest))
    }

    /// Appends the digits to `out` without group signs and with a point; `None` if a group is malformed.
    fn rewrite(&self, digits: &str, out: &mut PlainText<'_>) -> Option<()> {
        let (number, exponent) = digits.split_at(digits.find(['e', 'E']).unwrap_or(digits.len()));
        let (whole, fraction) = match number.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let is_grouped = self.ungroup(whole, out)?;
        if let Some(fraction) = fraction {
            out.push(b".");
            out.push_digits(fraction)?;
        }
        // Nobody groups the digits of a number with an exponent, so `1.234e5` was not written by these settings.
        if is_grouped && !exponent.is_empty() {
            return None;
        }
        out.push(exponent.as_bytes());
        Some(())
    }

    /// Appends the digits before the decimal sign. Returns whether they are in groups.
    fn ungroup(&self, whole: &str, out: &mut PlainText<'_>) -> Option<bool> {
        let mut groups = whole.split(|letter| self.thousands.is_some_and(|sign| sign.is(letter)));
        let first = groups.next().unwrap_or_default();
        out.push_digits(first)?;
        let mut is_grouped = false;
        for group in groups {
            if group.len() != 3 {
                return None;
            }
            out.push_digits(group)?;
            is_grouped = true;
        }
        // No group starts a number with a zero: `0.500` is a half in a file that does not keep to its settings.
        let is_well_formed = !is_grouped || (matches!(first.len(), 1..=3) && !first.starts_with('0'));
        is_well_formed.then_some(is_grouped)
    }
}

/// A rewritten number. `out` has room for all of it.
struct PlainText<'a> {
    out: &'a mut [u8],
    length: usize,
}

impl PlainText<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.out[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Appends digits; `None` if anything else is among them.
    fn push_digits(&mut self, digits: &str) -> Option<()> {
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.push(digits.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
