//! `[catalog]`: the columns of the products, and the rules that decide what they show.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use tributary_csv_gate::OwnColumn;
use tributary_protocol::OneOrMany;
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
    "edited_at",
    "edited_by",
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
    #[serde(default, deserialize_with = "one_or_many")]
    check: Vec<Spanned<String>>,
    newest: Option<Spanned<String>>,
    #[serde(default)]
    from: BTreeMap<Spanned<String>, SourcesAsTyped>,
    group_by: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "one_or_many")]
    index: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a name, or a table such as { name = \"gtin\", label = \"GTIN\" }")]
enum ColumnAsTyped {
    Name(String),
    Table(ColumnTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    name: String,
    label: Option<String>,
}

/// The sources of a column.
#[derive(Debug, Deserialize)]
struct SourcesAsTyped(#[serde(deserialize_with = "one_or_many")] Vec<Spanned<String>>);

/// A text, or a list of texts, each with its place.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<String>>, D::Error> {
    let typed = Spanned::<OneOrMany>::deserialize(deserializer)?;
    let span = typed.span();
    Ok(typed.into_inner().to_vec().into_iter().map(|text| Spanned::new(span.clone(), text)).collect())
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
        catalog.newest = typed.newest.as_ref().map(newest).transpose()?;
        let known = |column: &Spanned<String>, catalog: &Self| match catalog.has(column.get_ref()) {
            true => Ok(column.get_ref().clone()),
            false => Err((column.span().start, catalog.no_column(column.get_ref()))),
        };
        for (column, sources) in &typed.from {
            let (name, at) = (known(column, &catalog)?, column.span().start);
            let names: Vec<String> = sources.0.iter().map(|source| source.get_ref().clone()).collect();
            if name == "sku" {
                return Err((
                    at,
                    "every source offers skus of its own; leave the sku out of [catalog.from]".to_owned(),
                ));
            }
            if names.is_empty() {
                return Err((
                    at,
                    format!("`{name}` needs at least one source, or leave it out to take it from the winner"),
                ));
            }
            if let Some((_, twice)) = names.iter().enumerate().find(|(place, source)| names[..*place].contains(source))
            {
                return Err((at, format!("`{name}` comes from `{twice}` twice; list each source once")));
            }
            catalog.from.insert(name, names);
        }
        if let Some(sku) = typed.group_by.as_ref().filter(|column| column.get_ref() == "sku") {
            return Err((sku.span().start, "there is one product per sku, so there is nothing to count".to_owned()));
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

    /// Refuses a source that is not configured. `are_flags` says that the sources are not those of the file.
    ///
    /// # Errors
    /// The fault, and the fix.
    pub(super) fn check_sources(&self, sources: &[SourceConfig], are_flags: bool) -> Result<(), String> {
        let is_there = |name: &String| name == UPLOADS || sources.iter().any(|source| source.name == *name);
        for (column, from) in &self.from {
            if let Some(name) = from.iter().find(|name| !is_there(name)) {
                let all = sources.iter().map(|source| source.name.as_str()).chain([UPLOADS]);
                let all: Vec<_> = all.map(|name| format!("`{name}`")).collect();
                let replaced =
                    if are_flags { ": sources that are given as flags replace those of the file" } else { "" };
                let all = all.join(", ");
                return Err(format!(
                    "[catalog.from] takes `{column}` from `{name}`, which is no source; there are {all}{replaced}"
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

/// The column of `newest`.
fn newest(typed: &Spanned<String>) -> Result<String, Problem> {
    let (name, at) = (typed.get_ref(), typed.span().start);
    match BUILT_IN.iter().find(|built_in| built_in.eq_ignore_ascii_case(name)) {
        Some(&"sku") => {
            Err((at, "the sku is the same in all offers; name a column with a time or a number".to_owned()))
        }
        Some(built_in) if built_in != name => Err((at, format!("write `{built_in}`"))),
        Some(_) => Ok(name.clone()),
        None => check_name(name).map(|()| name.clone()).map_err(|why| (at, why)),
    }
}

fn column_of(typed: &ColumnAsTyped) -> Result<ColumnConfig, String> {
    let (name, label) = match typed {
        ColumnAsTyped::Name(name) => (name, None),
        ColumnAsTyped::Table(ColumnTable { name, label }) => (name, label.as_ref()),
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
