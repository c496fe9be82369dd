//! Names the settings that would read a cell which is not a number. A setting that would read it as another value than its
//! writer meant is worse than none: only what is surely a currency is called one.

use tributary_protocol::Negative;

use crate::{
    found::FoundNumbers,
    number_format::NumberFormat,
    reading::Class,
    signs::{MINUS_SIGNS, Signs},
    style::{GroupSign, is_blank},
};

/// The names of ISO 4217. Other capital letters beside a number are as often a unit or a power of ten (`5 MIO`), or say on
/// which side of an account it stands (`100.00 CR`).
const CURRENCY_NAMES: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP \
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF \
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK \
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES \
    VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// The settings that would read a trimmed cell; empty if there are none.
pub(crate) fn cure(numbers: &NumberFormat, cell: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(cell) else { return String::new() };
    let style = match (numbers.style, FoundNumbers(numbers).class(cell)) {
        (Some(_), _) => None,
        (None, class) => of_style(class, text),
    };
    style.or_else(|| of_signs(numbers, text)).or_else(|| of_nothing(text)).unwrap_or_default()
}

/// Names the setting for words that surely mean nothing.
fn of_nothing(text: &str) -> Option<String> {
    const WORDS: [&str; 34] = [
        "-",
        "--",
        "---",
        "–",
        "—",
        "-/-",
        "./.",
        "/",
        ".",
        "..",
        "...",
        "…",
        "?",
        "n/a",
        "na",
        "#n/a",
        "#nv",
        "<na>",
        "nan",
        "null",
        "none",
        "nil",
        "k.a.",
        "k. a.",
        "k.a",
        "n.a.",
        "n. a.",
        "n.d.",
        "s/d",
        "n.v.",
        "keine angabe",
        "unknown",
        "unbekannt",
        "\\n",
    ];
    WORDS.contains(&text.to_lowercase().as_str()).then(|| format!("null = [{text:?}] would read it as nothing"))
}

fn of_style(class: Class, text: &str) -> Option<String> {
    let cure = match class {
        Class::Comma => "decimal = \",\" would read it, with thousands = … if it has groups",
        Class::Point => "decimal = \".\" would read it",
        Class::GroupedPoint => return Some(format!("thousands = \"{}\" would read it", group_sign_of(text))),
        Class::PointOrGroup => "decimal = \".\" or thousands = \".\" says which number it is",
        Class::CommaOrGroup => "decimal = \",\" or thousands = \",\" says which number it is",
        Class::Grouped => "thousands = … with the sign between its groups would read it",
        Class::Plain | Class::Odd | Class::Word => return None,
    };
    Some(cure.to_owned())
}

/// The sign between the groups of a number with a decimal point, as `thousands` names it.
fn group_sign_of(text: &str) -> char {
    let digits = text.trim_matches(|letter: char| !letter.is_ascii_digit());
    match digits.chars().find(|letter| !letter.is_ascii_digit()) {
        Some(sign) if GroupSign::Apostrophe.is(sign) => '\'',
        Some(sign) if is_blank(sign) => ' ',
        _ => ',',
    }
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
    let all: Vec<_> = currency.map(str::to_owned).into_iter().chain(signs.currency.clone()).collect();
    let with_currency = |negative| Signs { currency: all.clone(), negative, ..signs.clone() };
    if text.contains(MINUS_SIGNS) && numbers.signs.is_none() && reads(with(false, Negative::Minus)) {
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

/// The currency beside a number: a sign, or a name.
fn currency_of(text: &str) -> Option<&str> {
    let name = text.trim_matches(|letter: char| !letter.is_alphabetic() && !is_currency_sign(letter));
    let mut letters = name.chars();
    let is_sign = letters.next().is_some_and(is_currency_sign) && letters.next().is_none();
    (is_sign || CURRENCY_NAMES.split(' ').any(|known| known == name)).then_some(name)
}

/// Whether Unicode counts a character among the currency signs. That of the cent is left out: it stands beside hundredths.
fn is_currency_sign(letter: char) -> bool {
    matches!(
        letter,
        '$' | '\u{a3}'..='\u{a5}'
            | '\u{58f}'
            | '\u{60b}'
            | '\u{9f2}'
            | '\u{9f3}'
            | '\u{af1}'
            | '\u{bf9}'
            | '\u{e3f}'
            | '\u{17db}'
            | '\u{20a0}'..='\u{20c1}'
            | '\u{fdfc}'
            | '\u{fe69}'
            | '\u{ff04}'
            | '\u{ffe1}'
            | '\u{ffe5}'
            | '\u{ffe6}'
    )
}

#[cfg(test)]
mod tests;
