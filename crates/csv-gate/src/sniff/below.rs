//! Finds a line right below the header that is no row: units of measure, or dashes that underline the names.

use super::Sample;
use super::profile::{Kind, Profile, first_record, from_record, kind, of_sample, profile};
use crate::split::{End, Splitter};

/// Units without brackets, in lowercase. Those of one letter that are also common as codes need brackets.
const UNITS: [&str; 33] = [
    "mm", "cm", "m", "km", "g", "kg", "t", "lb", "oz", "ml", "l", "ms", "min", "eur", "usd", "gbp", "chf", "€", "$",
    "£", "%", "°c", "°f", "pa", "hpa", "bar", "kw", "kwh", "hz", "px", "pcs", "stk", "in",
];
/// Longer cells are no units.
const MAX_UNIT_BYTES: usize = 12;

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

/// Whether every column of numbers has a unit or nothing here, and the other columns have nothing that a row could have.
fn are_units(cells: &[&[u8]], others: &Profile) -> bool {
    let columns = || cells.iter().zip(&others.columns);
    let numeric = || columns().filter(|(_, column)| column.is_numeric());
    let is_sure = numeric().any(|(cell, _)| is_unit(cell));
    let fit = columns().all(|(cell, column)| match kind(cell) {
        Kind::Empty => true,
        Kind::Number => false,
        Kind::Text if column.is_numeric() => is_unit(cell),
        Kind::Text => is_bracketed(cell),
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
    text.len() <= MAX_UNIT_BYTES && (is_bracketed(cell) || UNITS.contains(&text.as_str()))
}
