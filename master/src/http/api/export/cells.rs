//! One cell of a list, and what a spreadsheet would run as a formula.

use std::borrow::Cow;

/// A value as files hold it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    /// The digits of a number.
    Number(Cow<'a, str>),
    Flag(bool),
}

impl<'a> Cell<'a> {
    /// Returns the exact text; `None` for null.
    pub(crate) fn exact(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Flag(true) => Some("true".into()),
            Self::Flag(false) => Some("false".into()),
        }
    }

    /// As [`Self::exact`], but with an apostrophe before a text that a spreadsheet would run.
    pub(crate) fn without_formula(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if is_formula(&text) || text.contains(SEPARATORS) => Some(disarmed(&text).into()),
            other => other.exact(),
        }
    }
}

/// Signs at which a spreadsheet of another country may begin a new cell: it takes no comma for one, so it does not see the quotes around ours.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Puts an apostrophe before each part that would run.
fn disarmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, part) in text.split_inclusive(SEPARATORS).enumerate() {
        // Behind a separator, quotes would be those of a new cell.
        let content = if at == 0 { text } else { part.trim_start_matches('"').trim_end_matches(SEPARATORS) };
        if is_formula(content) {
            out.push('\'');
        }
        out.push_str(part);
    }
    out
}

/// Spreadsheets treat these as the start of a formula; some accept the full-width signs, too. A negative number is what it says.
fn is_formula(text: &str) -> bool {
    match text.chars().next() {
        Some('-') => !is_negative_number(text),
        Some('=' | '+' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        _ => false,
    }
}

fn is_negative_number(text: &str) -> bool {
    let (whole, fraction) = text[1..].split_once('.').unwrap_or((&text[1..], "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.as_str().into())
    }
}

impl From<&&'static str> for Cell<'_> {
    fn from(text: &&'static str) -> Self {
        Self::Text((*text).into())
    }
}

impl From<&bool> for Cell<'_> {
    fn from(flag: &bool) -> Self {
        Self::Flag(*flag)
    }
}

/// A list within a cell is JSON.
impl From<&Vec<String>> for Cell<'_> {
    fn from(texts: &Vec<String>) -> Self {
        Self::Text(serde_json::Value::from(texts.as_slice()).to_string().into())
    }
}

impl<'a> From<&'a Option<String>> for Cell<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_ref().map_or(Self::Null, Self::from)
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl From<&$kind> for Cell<'_> {
            fn from(number: &$kind) -> Self {
                Self::Number(number.to_string().into())
            }
        }

        impl From<&Option<$kind>> for Cell<'_> {
            fn from(number: &Option<$kind>) -> Self {
                number.as_ref().map_or(Self::Null, Self::from)
            }
        }
    )*};
}
numbers!(i64, u64, usize, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_for_people() {
        let check = |text: &str, expect: &str| {
            let cell = Cell::Text(text.into());
            assert_eq!(cell.clone().without_formula().as_deref(), Some(expect));
            assert_eq!(cell.exact().as_deref(), Some(text));
        };
        for text in ["=1+1", "+1", "-a", "-1+1", "-1,5", "-", "-.5", "-1.", "-1e5", "- 1", "@a", "＝1"] {
            check(text, &format!("'{text}"));
        }
        // In a country with `;` between cells, the parts behind it are cells of their own, and a line break ends the row.
        for (text, expect) in [
            ("\t=1", "'\t'=1"),
            ("a;=1+1", "a;'=1+1"),
            ("a;\"=1+1\"", "a;'\"=1+1\""),
            ("a;;@x;-5;-a", "a;;'@x;-5;'-a"),
            ("a\n=1\r\n+2", "a\n'=1\r\n'+2"),
            ("=1;=2", "'=1;'=2"),
        ] {
            check(text, expect);
        }
        for plain in ["", "a; b", "a;-5", "a;", ";", "a=1", "1-1", " =1", "'=1", "-5", "-1.50", "-00123"] {
            check(plain, plain);
        }
        assert_eq!(Cell::Number("-1e+30".into()).without_formula().as_deref(), Some("-1e+30"));
    }

    #[test]
    fn null_is_no_text() {
        assert_eq!(Cell::from(&None::<String>).exact(), None);
        assert_eq!(Cell::from(&Some(String::new())).exact().as_deref(), Some(""));
        assert_eq!(Cell::from(&vec!["a\"b".to_owned()]).exact().as_deref(), Some("[\"a\\\"b\"]"));
    }
}
