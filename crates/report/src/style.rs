//! Decimal and group signs: rewrites the digits of a cell to the text that [`Number::parse`] reads. What is not well formed
//! is not a number; nothing is guessed.

use crate::number::Number;

/// The longest rewritten number that needs no memory of its own.
const SHORT_BYTES: usize = 64;

/// The decimal sign and the group sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// `.` or `,`.
    pub(crate) decimal: char,
    pub(crate) thousands: Option<GroupSign>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupSign {
    Blank,
    Apostrophe,
    Other(char),
    /// Whatever a cell uses first: a blank, an apostrophe or this sign.
    Found(char),
}

impl Style {
    /// A decimal point, and groups as they come.
    pub(crate) const POINT: Self = Self { decimal: '.', thousands: Some(GroupSign::Found(',')) };
    /// A decimal comma, and groups as they come.
    pub(crate) const COMMA: Self = Self { decimal: ',', thousands: Some(GroupSign::Found('.')) };

    /// Parses digits without a sign.
    pub(crate) fn parse(self, digits: &str) -> Option<Number> {
        let (mut short, mut long) = ([0; SHORT_BYTES], Vec::new());
        // Rewriting only ever shortens the digits.
        let out = match digits.len() {
            length @ ..=SHORT_BYTES => &mut short[..length],
            length => {
                long.resize(length, 0);
                &mut long[..]
            }
        };
        let mut plain = PlainText { out, length: 0 };
        self.rewrite(digits, &mut plain)?;
        Number::parse(&plain.out[..plain.length])
    }

    /// Appends the digits to `out` without group signs and with a point; `None` if a group is malformed.
    fn rewrite(self, digits: &str, out: &mut PlainText<'_>) -> Option<()> {
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
    fn ungroup(self, whole: &str, out: &mut PlainText<'_>) -> Option<bool> {
        let sign = self.thousands.and_then(|sign| sign.used_in(whole));
        let mut groups = whole.split(|letter| sign.is_some_and(|sign| sign.is(letter)));
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

impl GroupSign {
    pub(crate) fn is(self, letter: char) -> bool {
        match self {
            Self::Blank => is_blank(letter),
            Self::Apostrophe => matches!(letter, '\'' | '\u{2019}'),
            Self::Other(sign) => letter == sign,
            Self::Found(sign) => Self::Other(sign).is(letter) || Self::Blank.is(letter) || Self::Apostrophe.is(letter),
        }
    }

    /// The one sign that these digits may use.
    fn used_in(self, whole: &str) -> Option<Self> {
        let Self::Found(sign) = self else { return Some(self) };
        let first = whole.chars().find(|letter| self.is(*letter))?;
        [Self::Other(sign), Self::Blank, Self::Apostrophe].into_iter().find(|one| one.is(first))
    }
}

/// A blank that separates groups of digits.
pub(crate) fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}')
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
