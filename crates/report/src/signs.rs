//! The signs around the digits of a number: currencies, per cent, and the forms of negative numbers.

use tributary_protocol::Negative;

use crate::number::Number;

/// Characters that stand for a minus beside `-`: the minus sign, and the dashes and hyphens that word processors and
/// East Asian keyboards write instead of it.
pub(crate) const MINUS_SIGNS: [char; 5] = ['\u{2212}', '\u{2013}', '\u{2011}', '\u{fe63}', '\u{ff0d}'];

/// The signs that the format of a file allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    /// The longest first, so that `Fr.` is found before `Fr`.
    pub(crate) currency: Vec<String>,
    pub(crate) negative: Negative,
    pub(crate) percent: bool,
}

/// A cell without its signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) digits: &'a str,
    pub(crate) is_negative: bool,
    pub(crate) is_percent: bool,
}

impl<'a> Unsigned<'a> {
    /// Gives the number of the digits back its signs.
    pub(crate) fn number(self, digits: Number) -> Option<Number> {
        let number = if self.is_negative { digits.negated()? } else { digits };
        if self.is_percent { number.hundredth() } else { Some(number) }
    }

    fn plain(digits: &'a str) -> Self {
        Self { digits, is_negative: false, is_percent: false }
    }
}

impl Signs {
    /// Strips the signs of a trimmed cell.
    pub(crate) fn strip<'a>(&self, text: &'a str) -> Unsigned<'a> {
        let outside = self.without_unit(text);
        let Unsigned { digits, is_percent, .. } = outside.unwrap_or(Unsigned::plain(text));
        let (is_negative, rest) = self.without_minus(digits);
        let inside = if outside.is_none() { self.without_unit(rest) } else { None };
        match inside {
            Some(inside) => Unsigned { is_negative, ..inside },
            None => Unsigned { digits: rest, is_negative, is_percent },
        }
    }

    /// Strips a currency or a per cent sign in front or behind, with the blanks beside it; `None` if there is none.
    fn without_unit<'a>(&self, text: &'a str) -> Option<Unsigned<'a>> {
        let text = text.trim();
        let rest = |sign: &String| match text.strip_prefix(sign.as_str()) {
            // `Fr.5` is five francs and not half a franc, if only `Fr` is a currency.
            Some(rest) if sign.ends_with(char::is_alphabetic) && rest.starts_with(['.', ',']) => None,
            Some(rest) => Some(rest),
            None => text.strip_suffix(sign.as_str()),
        };
        if let Some(rest) = self.currency.iter().find_map(rest) {
            return Some(Unsigned::plain(rest.trim()));
        }
        let rest = text.strip_suffix('%').or_else(|| text.strip_prefix('%')).filter(|_| self.percent)?;
        Some(Unsigned { is_percent: true, ..Unsigned::plain(rest.trim()) })
    }

    /// Strips a sign. Returns whether it is that of a negative number.
    fn without_minus<'a>(&self, text: &'a str) -> (bool, &'a str) {
        if let Some(rest) = text.strip_prefix(is_minus) {
            return (true, rest);
        }
        if let Some(rest) = text.strip_prefix('+') {
            return (false, rest);
        }
        let rest = match self.negative {
            Negative::Minus => None,
            Negative::Parentheses => text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(str::trim),
            // `5.-` and `5,-` are prices of five without hundredths.
            Negative::Trailing => text.strip_suffix(is_minus).filter(|rest| !rest.ends_with(['.', ','])),
        };
        rest.map_or((false, text), |rest| (true, rest))
    }
}

/// Whether a character stands for a minus.
pub(crate) fn is_minus(letter: char) -> bool {
    letter == '-' || MINUS_SIGNS.contains(&letter)
}
