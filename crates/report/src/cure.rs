//! Names the settings that would read a cell which is not a number.

use tributary_protocol::Negative;

use crate::{
    found::FoundNumbers,
    number_format::NumberFormat,
    reading::Class,
    signs::{MINUS_SIGN, Signs},
};

/// The longest currency that is proposed, in characters.
const MAX_CURRENCY_CHARS: usize = 3;

/// The settings that would read a trimmed cell; empty if there are none.
pub(crate) fn cure(numbers: &NumberFormat, cell: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(cell) else { return String::new() };
    let style = match (numbers.style, FoundNumbers(numbers).class(cell)) {
        (Some(_), _) => None,
        (None, class) => of_style(class),
    };
    style.map_or_else(|| of_signs(numbers, text).unwrap_or_default(), str::to_owned)
}

fn of_style(class: Class) -> Option<&'static str> {
    Some(match class {
        Class::Comma => "decimal = \",\" would read it, with thousands = … if it has groups",
        Class::Point => "decimal = \".\" would read it",
        Class::GroupedPoint => "thousands = \",\" would read it",
        Class::PointOrGroup => "decimal = \".\" or thousands = \".\" says which number it is",
        Class::CommaOrGroup => "decimal = \",\" or thousands = \",\" says which number it is",
        Class::Grouped => "thousands = … with the sign between its groups would read it",
        Class::Plain | Class::Odd | Class::Word => return None,
    })
}

/// Tries each sign that may stand around a number.
fn of_signs(numbers: &NumberFormat, text: &str) -> Option<String> {
    let signs = numbers.signs.clone().unwrap_or_default();
    let reads = |signs: Signs| {
        let numbers = NumberFormat { signs: Some(signs), ..numbers.clone() };
        match numbers.style {
            Some(_) => numbers.parse_set(text.as_bytes()).is_some(),
            None => !matches!(FoundNumbers(&numbers).class(text.as_bytes()), Class::Odd | Class::Word),
        }
    };
    let with = |percent, negative| Signs { percent, negative, ..signs.clone() };
    let currency = currency_of(text);
    let all = currency.iter().cloned().chain(signs.currency.clone()).collect();
    let with_currency = |negative| Signs { currency: Vec::clone(&all), negative, ..signs.clone() };
    if text.contains(MINUS_SIGN) && numbers.signs.is_none() && reads(with(false, Negative::Minus)) {
        return Some("negative = \"minus\" would read it".to_owned());
    }
    if text.contains('%') && reads(with(true, signs.negative)) {
        return Some("percent = true would read it".to_owned());
    }
    if reads(with(signs.percent, Negative::Parentheses)) {
        return Some("negative = \"parentheses\" would read it".to_owned());
    }
    if reads(with(signs.percent, Negative::Trailing)) {
        return Some("negative = \"trailing\" would read it".to_owned());
    }
    let currency = currency?;
    if reads(with_currency(signs.negative)) {
        return Some(format!("currency = [\"{currency}\"] would read it"));
    }
    let both = [("parentheses", Negative::Parentheses), ("trailing", Negative::Trailing)];
    let (name, _) = both.into_iter().find(|(_, negative)| reads(with_currency(*negative)))?;
    Some(format!("currency = [\"{currency}\"] and negative = \"{name}\" would read it"))
}

/// The currency beside a number: a sign, or a name of capital letters.
fn currency_of(text: &str) -> Option<String> {
    let is_number =
        |letter: char| letter.is_numeric() || letter.is_whitespace() || ".,'-+()\u{2212}\u{2019}".contains(letter);
    let sign = text.trim_matches(is_number);
    let is_name = sign.chars().all(|letter| letter.is_ascii_uppercase());
    let is_sign =
        !sign.contains(|letter: char| letter.is_alphanumeric() || is_number(letter) || "\"\\%".contains(letter));
    let length = sign.chars().count();
    ((1..=MAX_CURRENCY_CHARS).contains(&length) && (is_name || is_sign)).then(|| sign.to_owned())
}
