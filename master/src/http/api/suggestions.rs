//! Lines for the configuration that would let an upload be read whose header lacks the columns of a product: either its columns are
//! mapped, or a report claims the file. They are built from the header that was found.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Words in the names of columns that hold skus; the first that occurs counts.
const SKU_WORDS: [&str; 14] = [
    "sku",
    "artikelnummer",
    "article",
    "artikel",
    "item",
    "product id",
    "ean",
    "gtin",
    "upc",
    "code",
    "number",
    "nummer",
    "ref",
    "id",
];
/// Words in the names of columns that hold names.
const NAME_WORDS: [&str; 9] =
    ["name", "title", "titel", "bezeichnung", "product", "produkt", "label", "description", "beschreibung"];

/// The longest name of a report.
const MAX_REPORT_NAME: usize = 40;

/// Lines of `tributary.toml`, ready to be pasted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Suggestion {
    /// When to use them, for people.
    pub(crate) title: String,
    /// The lines.
    pub(crate) lines: String,
}

/// Suggestions for a file at this path with these columns; none if the columns are not known.
pub(crate) fn suggestions(path: &str, header: &[String]) -> Vec<Suggestion> {
    let Some(first) = header.first() else { return Vec::new() };
    let columns = columns(header).map(|columns| Suggestion {
        title: "If its rows are products. Check the columns; if there is an [uploads] already, add only the second line to it."
            .to_owned(),
        lines: format!("[uploads]\ncolumns = {{ {columns} }}\n"),
    });
    let report = Suggestion {
        title: "If its rows are to be counted: a report that claims such files.".to_owned(),
        lines: format!(
            "[[report]]\nname = {}\nfiles = {}\ngroup_by = [{}]\nmetrics = {{ rows = \"count()\" }}\n",
            quoted(&report_name(path)),
            quoted(&pattern(path)),
            quoted(first)
        ),
    };
    columns.into_iter().chain([report]).collect()
}

/// The columns of sku and name that the header does not name so. `None` if there are too few columns.
fn columns(header: &[String]) -> Option<String> {
    let is_named = |name: &str| header.iter().position(|column| column.trim().to_lowercase() == name);
    let sku = is_named("sku").or_else(|| guess(header, &SKU_WORDS, None))?;
    let name = is_named("name").or_else(|| guess(header, &NAME_WORDS, Some(sku)))?;
    let found = [("sku", sku), ("name", name)].into_iter().filter(|(key, _)| is_named(key).is_none());
    let found: Vec<_> = found.map(|(key, column)| format!("{key} = {}", quoted(&header[column]))).collect();
    (!found.is_empty()).then(|| found.join(", "))
}

/// The column whose name has the first of the words in it, or else the first one; but not the one that is `taken`.
fn guess(header: &[String], words: &[&str], taken: Option<usize>) -> Option<usize> {
    let free = || (0..header.len()).filter(|column| Some(*column) != taken);
    let has = |word: &&str| free().find(|column| header[*column].to_lowercase().contains(*word));
    words.iter().find_map(has).or_else(|| free().next())
}

/// A name that a report can have: that of the file without its ending and numbers.
fn report_name(path: &str) -> String {
    let file = split_id(path).1;
    let stem = file.split('.').next().unwrap_or(file).to_lowercase();
    let letters: String = stem.chars().map(|letter| if letter.is_ascii_lowercase() { letter } else { ' ' }).collect();
    let mut name = letters.split_whitespace().collect::<Vec<_>>().join("_");
    name.truncate(MAX_REPORT_NAME);
    match name.trim_end_matches('_') {
        "" => "uploads".to_owned(),
        name => name.to_owned(),
    }
}

/// A path without the UUID that names its file, as that of a stream: its folder and what stands behind the id. Of another path, the folder
/// and the file.
fn split_id(path: &str) -> (&str, &str) {
    let (folder, file) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
    let id = file.split('.').next().unwrap_or_default();
    (folder, if Uuid::try_parse(id).is_ok() { &file[id.len()..] } else { file })
}

/// A pattern of this path and of those that differ in numbers only, such as dates, or in an id.
fn pattern(path: &str) -> String {
    let (folder, file) = split_id(path);
    let id = if folder.len() + file.len() < path.len() { "0" } else { "" };
    let mut pattern = String::new();
    for letter in folder.chars().chain(id.chars()).chain(file.chars()) {
        match letter {
            '0'..='9' if pattern.ends_with('*') => {}
            '0'..='9' => pattern.push('*'),
            '*' | '?' | '[' | ']' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}

/// A basic string of TOML. Its escapes are those of JSON, which lets DEL stand as it is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &[&str], expect: Option<&str>) {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(columns(&header).as_deref(), expect);
    }

    #[test]
    fn columns_are_guessed_by_their_names() {
        check(&["Artikelnummer", "Bezeichnung"], Some(r#"sku = "Artikelnummer", name = "Bezeichnung""#));
        check(&["Title", "EAN"], Some(r#"sku = "EAN", name = "Title""#));
        check(&["SKU", "product title"], Some(r#"name = "product title""#));
        check(&["Name", "Item code"], Some(r#"sku = "Item code""#));
        check(&["x", "y"], Some(r#"sku = "x", name = "y""#));
        check(&["x"], None);
        check(&["a \"b\"", "c\\d"], Some(r#"sku = "a \"b\"", name = "c\\d""#));
    }

    #[test]
    fn a_report_claims_files_that_differ_in_numbers() {
        let check = |path: &str, name: &str, files: &str| {
            assert_eq!((report_name(path).as_str(), pattern(path).as_str()), (name, files));
        };
        check("orders-2026-11-29.csv", "orders", "orders-*-*-*.csv");
        check("in/2026/Daily Sales.csv.gz", "daily_sales", "in/*/Daily Sales.csv.gz");
        check("2026.csv", "uploads", "*.csv");
        check("a[1].csv", "a", "a[[]*[]].csv");
        check("sales/a0f827e2-0b4d-4bbd-b7dd-892cf68c7642.csv", "uploads", "sales/*.csv");
    }

    #[test]
    fn nothing_is_suggested_without_a_header() {
        assert_eq!(suggestions("a.csv", &[]), []);
        let one = suggestions("a.csv", &["region".to_owned()]);
        let lines =
            "[[report]]\nname = \"a\"\nfiles = \"a.csv\"\ngroup_by = [\"region\"]\nmetrics = { rows = \"count()\" }\n";
        assert_eq!(one.iter().map(|suggestion| suggestion.lines.as_str()).collect::<Vec<_>>(), [lines]);
    }
}
