//! The numbers of a file: as its format writes them or, where that says nothing, as its columns do.

use tributary_protocol::FormatSpec;

use crate::{
    number::Number,
    reading::ColumnState,
    signs::{Signs, is_minus},
    style::{GroupSign, Style, is_blank},
    words::is_null_word,
};

/// The way a file writes numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberFormat {
    /// Set by the format; else it is found per column.
    pub(crate) style: Option<Style>,
    /// `None` if the format says nothing of numbers.
    pub(crate) signs: Option<Signs>,
    /// Whether the format lists the words for nothing.
    pub(crate) has_null: bool,
}

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
    /// Parses a trimmed cell, and counts what it says of its column.
    fn parse(self, text: &[u8], column: &mut ColumnState) -> Option<Number>;

    /// Whether a cell that is not a number stands for nothing.
    fn is_null(self, text: &[u8]) -> bool;
}

/// The numbers of a file whose format sets its decimal sign or its group sign.
#[derive(Clone, Copy)]
pub(crate) struct SetNumbers<'a>(&'a NumberFormat);

impl ParseNumber for SetNumbers<'_> {
    fn parse(self, text: &[u8], _: &mut ColumnState) -> Option<Number> {
        self.0.parse_set(text)
    }

    fn is_null(self, text: &[u8]) -> bool {
        self.0.is_null(text)
    }
}

impl NumberFormat {
    /// Checks the keys `decimal`, `thousands`, `currency`, `negative` and `percent`. Without the first two, the signs are
    /// found per column; without the others, only a sign in front is read.
    ///
    /// # Errors
    /// A key cannot work for any file.
    pub fn new(spec: &FormatSpec) -> Result<Self, NumberFormatError> {
        let FormatSpec { decimal, thousands, currency, negative, percent, .. } = spec;
        let is_style_set = decimal.is_some() || thousands.is_some();
        let is_any_set = is_style_set || currency.is_some() || negative.is_some() || percent.is_some();
        let decimal = decimal.as_deref().map_or(Ok('.'), decimal_sign)?;
        let thousands = thousands.as_deref().map(|text| group_sign(text, decimal)).transpose()?;
        let style = is_style_set.then_some(Style { decimal, thousands });
        let signs = currency.iter().flatten().map(|text| currency_sign(text, style));
        let mut currency = signs.collect::<Result<Vec<_>, _>>()?;
        currency.sort_by_key(|sign| std::cmp::Reverse(sign.len()));
        let percent = percent.unwrap_or_default();
        if percent && currency.iter().any(|sign| sign == "%") {
            return Err(wrong("percent", "`%` is listed as a currency too: delete one of them".to_owned()));
        }
        let signs = is_any_set.then(|| Signs { currency, negative: negative.unwrap_or_default(), percent });
        Ok(Self { style, signs, has_null: spec.null.is_some() })
    }

    /// The parser of a file whose style is set.
    pub(crate) fn set_numbers(&self) -> Option<SetNumbers<'_>> {
        self.style.is_some().then_some(SetNumbers(self))
    }

    /// Parses a cell by the style that is set; none if it is not a number, or no style is set.
    pub(crate) fn parse_set(&self, text: &[u8]) -> Option<Number> {
        let unsigned = self.signs.as_ref()?.strip(std::str::from_utf8(text).ok()?);
        unsigned.number(self.style?.parse(unsigned.digits)?)
    }

    /// Whether a cell that is not a number stands for nothing.
    pub(crate) fn is_null(&self, text: &[u8]) -> bool {
        !self.has_null && is_null_word(text)
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

fn currency_sign(text: &str, style: Option<Style>) -> Result<String, NumberFormatError> {
    let sign = text.trim();
    let is_decimal = sign.chars().eq([style.map_or('.', |style| style.decimal)]);
    let group = style.map_or(Some(GroupSign::Found(',')), |style| style.thousands);
    let is_group = sign.chars().all(|letter| group.is_some_and(|group| group.is(letter)));
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
    is_minus(letter) || matches!(letter, '+' | '(' | ')')
}

#[cfg(test)]
mod tests;
