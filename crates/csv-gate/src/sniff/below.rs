//! Finds a line right below the header that is no row: units of measure, or dashes that underline the names.

use super::Sample;
use super::profile::{Kind, Profile, first_record, from_record, kind, of_sample, profile};
use crate::split::{End, Splitter};

/// Units without brackets, in lowercase. Those of one letter that are also common as codes need brackets.
const UNITS: [&str; 122] = [
    "mm", "cm", "dm", "m", "km", "µm", "μm", "um", "nm", "in", "inch", "ft", "yd", "mi", "m²", "m³", "cm²", "cm³",
    "mm²", "km²", "ha", "µg", "μg", "ug", "mg", "g", "kg", "t", "lb", "lbs", "oz", "µl", "ml", "cl", "dl", "l", "hl",
    "gal", "ns", "µs", "us", "ms", "s", "sec", "min", "h", "hr", "hrs", "day", "days", "°", "°c", "°f", "deg", "degc",
    "degf", "rad", "pa", "hpa", "kpa", "mpa", "bar", "mbar", "psi", "kj", "mj", "kcal", "kw", "mw", "gw", "wh", "kwh",
    "mwh", "gwh", "mv", "kv", "ma", "ah", "mah", "ohm", "ω", "hz", "khz", "mhz", "ghz", "db", "dba", "lm", "lx", "lux",
    "cd", "mol", "ppm", "ppb", "ph", "kn", "kt", "mph", "rpm", "px", "dpi", "kb", "mb", "gb", "%", "€", "$", "£", "ct",
    "cent", "eur", "euro", "usd", "gbp", "chf", "pln", "czk", "sek", "nok", "dkk", "jpy", "pcs",
];
/// Words for pieces, and units of more than a letter or a word, in lowercase.
const OTHER_UNITS: [&str; 18] = [
    "pc", "pce", "pieces", "stk", "stk.", "stück", "stueck", "st.", "szt", "szt.", "units", "deg c", "deg f", "k€",
    "teur", "tsd", "mio", "u/min",
];
/// Longer cells are no units.
const MAX_UNIT_BYTES: usize = 24;

/// The kind of the line below the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    Rows,
    Underline,
    Units,
}

/// Judges the line below the header with which `text` begins, and profiles the rows.
pub(crate) fn below_header(text: &[u8], end: End, splitter: &Splitter) -> Option<(Below, Profile)> {
    let text = from_record(text, end, splitter);
    let rows = of_sample(text, end, splitter)?;
    let (names, len) = first_record(text, end, splitter)?;
    let below = from_record(&text[len..], end, splitter);
    let Some((cells, _)) = first_record(below, end, splitter) else { return Some((Below::Rows, rows)) };
    if is_underline(&cells, &names) {
        return Some((Below::Underline, rows));
    }
    if cells.len() != names.len() {
        return Some((Below::Rows, rows));
    }
    // Almost all files end here.
    if !cells.iter().any(|cell| is_unit(cell)) || names.len() < 2 {
        return Some((Below::Rows, rows));
    }
    let others = profile(Sample { text, end, columns: None }, splitter, names.len(), 2);
    Some((if are_units(&cells, &others) { Below::Units } else { Below::Rows }, rows))
}

/// Whether a line underlines the names: dashes below each, as in Markdown, or a line of dashes and plus signs, as `psql`
/// writes it.
pub(crate) fn is_underline<N: AsRef<[u8]>>(cells: &[&[u8]], names: &[N]) -> bool {
    let is_of = |cell: &[u8], bytes: &[u8]| cell.iter().all(|byte| bytes.contains(byte));
    let has_dashes = |cell: &&[u8]| cell.trim_ascii().windows(3).any(|three| three == b"---");
    match cells {
        [cell] => names.len() > 1 && has_dashes(cell) && is_of(cell.trim_ascii(), b"-+"),
        _ => {
            // Tables in Markdown have delimiters at both ends of a line, and colons for the alignment.
            let is_line = |cell: &[u8], name: &[u8]| is_of(cell, b"-:") && (name.is_empty() || cell.contains(&b'-'));
            let mut columns = cells.iter().zip(names);
            let are_lines = columns.all(|(cell, name)| is_line(cell.trim_ascii(), name.as_ref().trim_ascii()));
            cells.len() == names.len() && are_lines && cells.iter().any(has_dashes)
        }
    }
}

/// Whether nearly every column of numbers has a unit or nothing here, and the other columns have nothing that a row could have.
fn are_units(cells: &[&[u8]], others: &Profile) -> bool {
    let columns = || cells.iter().zip(&others.columns);
    let numeric = || columns().filter(|(_, column)| column.is_numeric());
    let filled = || numeric().filter(|(cell, _)| kind(cell) == Kind::Text);
    let known = filled().filter(|(cell, _)| is_unit(cell)).count();
    // No list of units is complete.
    let is_sure = known > 0 && 3 * known >= 2 * filled().count();
    let fit = columns().all(|(cell, column)| match kind(cell) {
        Kind::Empty => true,
        Kind::Number => false,
        Kind::Text => column.is_numeric() || is_bracketed(cell),
    });
    // A row without numbers is no sign where some rows lack them too.
    let always = numeric().all(|(_, column)| column.empty == 0);
    others.rows > 1 && is_sure && fit && always
}

fn is_bracketed(cell: &[u8]) -> bool {
    matches!(cell.trim_ascii(), [b'[', .., b']'] | [b'(', .., b')'])
}

fn is_unit(cell: &[u8]) -> bool {
    let text = String::from_utf8_lossy(cell.trim_ascii()).to_lowercase();
    if text.is_empty() || text.len() > MAX_UNIT_BYTES {
        return false;
    }
    is_bracketed(cell) || OTHER_UNITS.contains(&text.as_str()) || is_quotient(&text) || is_pattern(&text)
}

/// Whether a text is a unit, or several with a sign between them and exponents, such as `kg/m³` and `m s-1`.
fn is_quotient(text: &str) -> bool {
    let is_exponent = |c: char| c.is_ascii_digit() || "^-²³⁻¹".contains(c);
    let is_part = |part: &str| UNITS.contains(&part) || UNITS.contains(&part.trim_end_matches(is_exponent));
    text.split(['/', '*', '·', ' ']).all(is_part)
}

/// Whether a text is the pattern of a date or a time, such as `yyyy-mm-dd` and `hh:mm`.
fn is_pattern(text: &str) -> bool {
    let is_part = |part: &str| part.len() > 1 && "ymdhstj".contains(&part[..1]) && part == part[..1].repeat(part.len());
    let parts = text.split(['-', '.', '/', ':', ' ']);
    text.is_ascii() && parts.clone().count() > 1 && parts.clone().all(is_part)
}
