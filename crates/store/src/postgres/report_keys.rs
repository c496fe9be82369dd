//! The keys of the tables of reports. A group may have any length, but an entry of an index at most 2,704 bytes: so the index has the
//! beginnings of long groups, and a digest that tells them apart.

use crate::{
    ReportTable,
    reports::{comma_separated, quoted},
};

/// The types of groups and of metrics. NUMERIC has every digit.
pub(crate) const REPORT_TYPES: (&str, &str) = (" TEXT COLLATE \"C\" NOT NULL", " NUMERIC");

/// Signs of all groups in an entry of the index; each takes at most four bytes.
const PREFIX: usize = 600;

/// The beginnings of all groups, for an order that the index has: beginnings are in the same order as the groups themselves.
pub(crate) fn key_prefixes(table: &ReportTable) -> Vec<String> {
    prefixes(table, |key| table.column(key))
}

fn prefixes(table: &ReportTable, column: impl Fn(&str) -> String) -> Vec<String> {
    let signs = PREFIX / table.group_by.len().max(1);
    table.group_by.iter().map(|key| format!("left({}, {signs})", column(key))).collect()
}

/// The statement that creates the index of a table with at least one group. A group that occurs twice is an error.
pub(crate) fn create_index(table: &ReportTable) -> String {
    let signs = PREFIX / table.group_by.len().max(1);
    let is_long = table.group_by.iter().map(|key| format!("char_length({}) > {signs}", quoted(key)));
    let is_long: Vec<String> = is_long.collect();
    let digests = comma_separated(table.group_by.iter().map(|key| format!("md5({})", quoted(key))));
    let prefixes = comma_separated(prefixes(table, quoted).into_iter());
    let digests = digests.replace(", ", " || ");
    format!(
        "CREATE UNIQUE INDEX ON {} ({prefixes}, (CASE WHEN {} THEN {digests} ELSE '' END))",
        table.quoted(),
        is_long.join(" OR ")
    )
}
