//! `[catalog]`: the columns of the products, and the rules that decide what they show.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use tributary_csv_gate::OwnColumn;
use tributary_report::RowChecks;

use super::{SourceConfig, UPLOADS};

/// The columns that every catalog has.
const BUILT_IN: [&str; 3] = ["sku", "name", "description"];
/// Words that the API, the form and the columns of files use for something else.
const RESERVED: &[&str] = &[
    "op",
    "source",
    "file",
    "row",
    "edited",
    "edit",
    "offers",
    "hidden",
    "stands",
    "deletes",
    "wins",
    "gives",
    "first_seen",
    "changed_at",
    "limit",
    "after",
    "q",
    "sort",
    "columns",
    "format",
    "raw",
    "enter",
];
/// The longest name of a column, in bytes.
const MAX_NAME_BYTES: usize = 63;
/// The most own columns.
const MAX_COLUMNS: usize = 100;

/// The catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogConfig {
    /// The own columns in the order in which they are shown.
    pub columns: Vec<ColumnConfig>,
    /// Conditions that each row must meet.
    pub check: Vec<String>,
    /// The column whose greatest value wins, before the priority. Default: none.
    pub newest: Option<String>,
    /// Columns that come from certain sources only, each with the names of these, the first first.
    pub from: BTreeMap<String, Vec<String>>,
    /// The column that `aggr` counts. Default: the name.
    pub group_by: Option<String>,
    /// Columns with an index.
    pub index: Vec<String>,
}

/// An own column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnConfig {
    /// Its name: `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    /// The words for it on pages.
    pub label: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogAsTyped {
    #[serde(default)]
    columns: Vec<Spanned<ColumnAsTyped>>,
    #[serde(default)]
    check: Vec<Spanned<String>>,
    newest: Option<Spanned<String>>,
    #[serde(default)]
    from: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    group_by: Option<Spanned<String>>,
    #[serde(default)]
    index: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a name, or a table such as { name = \"gtin\", label = \"GTIN\" }")]
enum ColumnAsTyped {
    Name(String),
    Table { name: String, label: Option<String> },
}

/// A problem, and where it is in the file.
type Problem = (usize, String);

impl CatalogConfig {
    /// Checks what was typed.
    ///
    /// # Errors
    /// The place in the file, and what is wrong there.
    pub(super) fn new(typed: &CatalogAsTyped) -> Result<Self, Problem> {
        let mut catalog = Self::default();
        for column in &typed.columns {
            let at = column.span().start;
            let column = column_of(column.get_ref()).map_err(|why| (at, why))?;
            if catalog.columns.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
                return Err((at, format!("the column `{}` is listed twice (case is ignored)", column.name)));
            }
            catalog.columns.push(column);
        }
        if let Some(more) = typed.columns.get(MAX_COLUMNS) {
            return Err((more.span().start, format!("a catalog has at most {MAX_COLUMNS} columns of its own")));
        }
        if let Some(newest) = &typed.newest {
            if !BUILT_IN.contains(&newest.get_ref().as_str()) {
                check_name(newest.get_ref()).map_err(|why| (newest.span().start, why))?;
            }
            catalog.newest = Some(newest.get_ref().clone());
        }
        let known = |column: &Spanned<String>, catalog: &Self| match catalog.has(column.get_ref()) {
            true => Ok(column.get_ref().clone()),
            false => Err((column.span().start, catalog.no_column(column.get_ref()))),
        };
        for (column, sources) in &typed.from {
            let name = known(column, &catalog)?;
            if name == "sku" || sources.is_empty() {
                return Err((column.span().start, "list the sources of a column that is not the sku".to_owned()));
            }
            catalog.from.insert(name, sources.iter().map(|source| source.get_ref().clone()).collect());
        }
        catalog.group_by = typed.group_by.as_ref().map(|column| known(column, &catalog)).transpose()?;
        catalog.group_by = catalog.group_by.take().filter(|column| column != "name");
        for column in typed.index.iter().filter(|column| column.get_ref() != "sku") {
            let name = known(column, &catalog)?;
            catalog.index.extend((!catalog.index.contains(&name)).then_some(name));
        }
        catalog.check = typed.check.iter().map(|check| check.get_ref().trim().to_owned()).collect();
        RowChecks::compile(&catalog.check).map_err(|error| (typed.check[error.index].span().start, error.why))?;
        Ok(catalog)
    }

    /// Whether a column is one of the catalog.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        BUILT_IN.contains(&column) || self.columns.iter().any(|own| own.name == column)
    }

    /// The names of all own columns that files are read for: those that are shown, and the one that orders offers.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        let newest = self.newest.as_deref().filter(|newest| !self.has(newest));
        self.columns.iter().map(|column| column.name.as_str()).chain(newest)
    }

    /// Says that there is no such column.
    pub(super) fn no_column(&self, name: &str) -> String {
        let own = self.columns.iter().map(|column| column.name.as_str());
        let all: Vec<_> = BUILT_IN.into_iter().chain(own).map(|name| format!("`{name}`")).collect();
        format!("the catalog has no column `{name}`; it has {}", all.join(", "))
    }

    /// Refuses a source that is not configured.
    ///
    /// # Errors
    /// What is wrong, and how to mend it.
    pub(super) fn check_sources(&self, sources: &[SourceConfig]) -> Result<(), String> {
        let is_there = |name: &String| name == UPLOADS || sources.iter().any(|source| source.name == *name);
        for (column, from) in &self.from {
            if let Some(name) = from.iter().find(|name| !is_there(name)) {
                return Err(format!(
                    "[catalog.from] takes `{column}` from `{name}`, which is no source; name one of yours"
                ));
            }
        }
        Ok(())
    }

    /// The own columns as a source has them, with its header names.
    ///
    /// # Errors
    /// The first mapped column that the catalog does not have.
    pub(super) fn own_columns(&self, mut mapped: BTreeMap<String, Vec<String>>) -> Result<Vec<OwnColumn>, String> {
        let column = |name: &str| OwnColumn { name: name.to_owned(), headers: mapped.remove(name).unwrap_or_default() };
        let own = self.own_names().map(column).collect();
        match mapped.keys().next() {
            Some(name) => Err(name.clone()),
            None => Ok(own),
        }
    }
}

fn column_of(typed: &ColumnAsTyped) -> Result<ColumnConfig, String> {
    let (name, label) = match typed {
        ColumnAsTyped::Name(name) => (name, None),
        ColumnAsTyped::Table { name, label } => (name, label.as_ref()),
    };
    check_name(name)?;
    match label.map(|label| label.trim()) {
        Some(label) if label.is_empty() || label.chars().any(char::is_control) => {
            Err(format!("the label of `{name}` needs words, without control characters"))
        }
        label => Ok(ColumnConfig { name: name.clone(), label: label.map_or_else(|| words(name), str::to_owned) }),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_plain = name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    if !is_plain || name.len() > MAX_NAME_BYTES {
        return Err(format!(
            "`{name}` cannot be the name of a column: use letters a to z, digits and `_`, at most {MAX_NAME_BYTES}; its names in \
             files go into `columns` of a source"
        ));
    }
    let is_it = |other: &str| other.eq_ignore_ascii_case(name);
    if BUILT_IN.iter().any(|other| is_it(other)) {
        return Err(format!("every catalog has the column `{name}`; leave it out"));
    }
    if RESERVED.iter().any(|other| is_it(other)) {
        return Err(format!("`{name}` has a meaning of its own in the API; give this column another name"));
    }
    Ok(())
}

/// A name as words: `stock_level` is `Stock level`.
fn words(name: &str) -> String {
    let text = name.replace('_', " ").trim().to_owned();
    match text.chars().next() {
        Some(first) => format!("{}{}", first.to_uppercase(), &text[first.len_utf8()..]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_words() {
        assert_eq!([words("stock_level"), words("gtin"), words("_x"), words("_")], ["Stock level", "Gtin", "X", "_"]);
    }
}
