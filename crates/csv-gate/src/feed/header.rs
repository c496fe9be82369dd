//! The header of a feed: the names of its columns, and rows that hold them again.

use std::io::Read;

use super::FieldIndexes;
use crate::{
    Error, FileReject, Table,
    columns::{find_first, visible, without_invisible},
    folded,
    table::length_bit,
};

/// Names of a header that a rejected file keeps: a column beyond them is hardly its sku or its name.
const MAX_NAMES: usize = 100;
/// Characters of such a name.
const MAX_NAME_CHARS: usize = 200;

/// The cells by which the header of another file is known, in lowercase.
#[derive(Clone)]
pub(super) struct HeaderCells {
    sku: Vec<Vec<u8>>,
    name: Vec<Vec<u8>>,
    /// The lengths of those for the sku.
    lengths: u64,
}

impl HeaderCells {
    /// `wanted` are the names of the sku and of the name that files may have.
    pub(super) fn new<R: Read>(table: &Table<R>, indexes: &FieldIndexes, wanted: [Vec<&str>; 2]) -> Self {
        let cells = |index: usize, names: &[&str]| {
            let names = names.iter().copied().chain([table.columns()[index].as_str()]);
            let names = names.map(|name| name.trim().to_ascii_lowercase().into_bytes());
            names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
        };
        let [sku, name] = wanted;
        let (sku, name) = (cells(indexes.sku, &sku), cells(indexes.name(), &name));
        let lengths = sku.iter().map(|name| length_bit(name.len())).fold(0, |all, bit| all | bit);
        Self { sku, name, lengths }
    }

    /// Whether a row is the header of another file that was joined to this one: its sku is the name of that column
    /// and it has a name, or it holds both names.
    pub(super) fn are_in<R: Read>(&self, table: &Table<R>, indexes: &FieldIndexes) -> bool {
        // No cell of almost all rows has the length of a name.
        if !table.has_length(self.lengths) {
            return false;
        }
        let is_sku = |cell: &[u8]| {
            let is_padded = || cell.trim_ascii().len() < cell.len();
            (self.lengths & length_bit(cell.len()) != 0 || is_padded()) && is_one_of(&self.sku, cell)
        };
        let is_named = || table.bytes(indexes.name()).is_some_and(|cell| !cell.is_empty());
        table.all_bytes().any(is_sku)
            && ((table.bytes(indexes.sku).is_some_and(is_sku) && is_named())
                || table.all_bytes().any(|cell| is_one_of(&self.name, cell)))
    }
}

fn is_one_of(names: &[Vec<u8>], cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    names.iter().any(|name| name.len() == cell.len() && name.eq_ignore_ascii_case(cell))
}

/// The names that a column is looked for by.
pub(super) fn named<'a>(mapped: &'a [String], own: &'a str) -> Vec<&'a str> {
    match mapped {
        [] => vec![own],
        mapped => mapped.iter().map(String::as_str).collect(),
    }
}

/// Rejects a file that lacks one of these columns, each with its names.
pub(super) fn no_column<R: Read>(table: &Table<R>, wanted: &[Vec<&str>]) -> Error {
    let columns = table.columns();
    let lacks = |names: &&Vec<&str>| find_first(columns, names) == Ok(None);
    let names = wanted.iter().find(lacks).map(Vec::as_slice).unwrap_or_default();
    let (line, raw) = table.header();
    let first = folded(&columns[0]);
    if ["<!doctype", "<html", "<?xml", "<head", "<body"].iter().any(|tag| first.starts_with(tag)) {
        return Error::line(line, "this is an HTML or XML page, not CSV: check where the file comes from", raw);
    }
    const SHOWN: usize = 20;
    let name_shown = |column: &String| format!("`{}`", visible(&column.chars().take(40).collect::<String>()));
    let mut shown: Vec<_> = columns.iter().take(SHOWN).map(name_shown).collect();
    if columns.len() > SHOWN {
        shown.push(format!("and {} more", columns.len() - SHOWN));
    }
    let shown = shown.join(", ");
    let plain = |name: &str| folded(&without_invisible(name));
    let cure = match columns.iter().find(|column| names.iter().any(|name| plain(name) == plain(column))) {
        Some(_) => {
            "remove the invisible characters, shown as <U+…>, from the header, or give header = […] and skip the line \
             with skip_rows = …"
        }
        None => {
            "name it in the header or map it in the configuration; skip_rows = … skips lines above the header, and \
             header = […] names the columns of a file without one"
        }
    };
    let names: Vec<_> = names.iter().map(|name| format!("`{}`", visible(name))).collect();
    let reason = format!("no column {} among {shown}: {cure}", names.join(" or "));
    let header = columns.iter().take(MAX_NAMES).map(|column| column.chars().take(MAX_NAME_CHARS).collect()).collect();
    Error::Rejected(FileReject { line, reason, raw, header })
}
