//! Orders of lists of products, and places in them.

/// The order of a list: by the value of a column, then by sku. Texts that are no numbers come first, by bytes, then the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductOrder {
    /// The name of a column of the catalog, or `sku`.
    pub column: String,
    /// The greatest first; equal ones by sku, the greatest first too.
    pub descending: bool,
}

/// The place of a product in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPlace {
    /// Its text in the column of the order.
    pub text: String,
    /// Its sku.
    pub sku: String,
}

/// A part of an order that an index reads from its beginning. What lies behind a place is one to three of them: a single condition for all
/// would make SQLite read everything before the place, too.
pub(super) enum Segment<'a> {
    All,
    /// The skus behind one.
    BehindSku(&'a str),
    /// The texts that are no numbers, behind a place.
    TextsBehind(&'a ProductPlace),
    /// Those of the same number, behind a place.
    EqualBehind(&'a ProductPlace),
    /// The numbers behind one.
    NumbersBehind(&'a str),
    /// All texts that are no numbers.
    Texts,
    /// All numbers.
    Numbers,
}

impl<'a> Segment<'a> {
    /// Lists what lies behind a place, in order. Texts that are no numbers come before the numbers.
    pub(super) fn behind(order: &ProductOrder, place: Option<&'a ProductPlace>) -> Vec<Self> {
        let Some(place) = place else { return vec![Self::All] };
        match (order.column.as_str(), is_number(&place.text), order.descending) {
            ("sku", ..) => vec![Self::BehindSku(&place.sku)],
            (_, false, false) => vec![Self::TextsBehind(place), Self::Numbers],
            (_, false, true) => vec![Self::TextsBehind(place)],
            (_, true, false) => vec![Self::EqualBehind(place), Self::NumbersBehind(&place.text)],
            (_, true, true) => vec![Self::EqualBehind(place), Self::NumbersBehind(&place.text), Self::Texts],
        }
    }

    /// Whether all of it have the same number, or none.
    pub(super) fn is_of_one_number(&self) -> bool {
        matches!(self, Self::TextsBehind(_) | Self::EqualBehind(_) | Self::Texts)
    }
}

/// Whether a text is a number as JSON writes one (RFC 8259, section 6), of any size, perhaps between white space: just where SQLite's
/// `json_valid` and `json_type` say so, by which `number_of` goes.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_needless_zero = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !has_needless_zero && digits(fraction) && digits(exponent)
}
