//! A file of `[[format]]` tables, and the lines of keys in TOML.

use std::{io, path::Path};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use tributary_protocol::FormatSpec;

use crate::FormatRules;

/// A file of formats that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatFileError {
    /// The file cannot be read.
    #[error("failed to read the formats {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{path}, line {line}: {reason}")]
    Wrong {
        /// The file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// The fault and how to fix it.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAsTyped {
    #[serde(default)]
    format: Vec<Spanned<FormatSpec>>,
}

/// Reads and checks a file of `[[format]]` tables.
///
/// # Errors
/// It cannot be read, or a rule in it cannot work; the error names file, line and fix.
pub fn read_formats(path: &Path) -> Result<FormatRules, FormatFileError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| FormatFileError::Unreadable { path: shown.clone(), source })?;
    parse(&text).map_err(|(at, reason)| FormatFileError::Wrong { path: shown, line: line_of(&text, at), reason })
}

/// Writes a rule as people would type it.
#[must_use]
pub fn to_toml(spec: &FormatSpec) -> String {
    // Texts, numbers and lists of them can always be written.
    format!("[[format]]\n{}", toml::to_string(spec).unwrap_or_default())
}

/// An error comes with its place in the text.
fn parse(text: &str) -> Result<FormatRules, (usize, String)> {
    let typed: FileAsTyped = toml::from_str(text).map_err(|why| {
        let at = why.span().map_or(0, |span| span.start);
        let message = why.message().replace('\n', " ");
        let key = key_of_value(text, at).filter(|key| !message.contains(key.as_str()));
        (at, key.map(|key| format!("{key}: ")).unwrap_or_default() + &message)
    })?;
    typed.format.iter().try_for_each(|spec| check_files_typed(text, spec))?;
    let starts: Vec<_> = typed.format.iter().map(|format| format.span().start).collect();
    let specs: Vec<_> = typed.format.into_iter().map(Spanned::into_inner).collect();
    FormatRules::new(&specs).map_err(|why| (key_at(text, starts[why.index], why.error.key), why.error.to_string()))
}

/// Refuses an empty list of files, which looks as if it were for none. A manifest may well list none: its settings are for every file.
///
/// # Errors
/// The place of the list and what to write.
pub fn check_files_typed(text: &str, spec: &Spanned<FormatSpec>) -> Result<(), (usize, String)> {
    let at = key_at(text, spec.span().start, Some("files"));
    match spec.get_ref().files.is_empty() && at != spec.span().start {
        true => Err((at, "files is an empty list: leave it out for every file, or list patterns".to_owned())),
        false => Ok(()),
    }
}

/// The key of the value that stands at a place of a TOML text, such as `max_field`, or `op.I` of an inline table; `None` if no value
/// stands there or the text is no TOML.
#[must_use]
pub fn key_of_value(text: &str, at: usize) -> Option<String> {
    let parsed = DeTable::parse(text).ok()?;
    value_key(parsed.get_ref(), text, at)
}

fn value_key(table: &DeTable<'_>, text: &str, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(table) => value_key(table, text, at),
            DeValue::Array(values) => values.iter().find_map(|value| value_key(value.get_ref().as_table()?, text, at)),
            _ => None,
        };
        let line = text[..key.span().start].rfind('\n').map_or(0, |end| end + 1);
        let is_header = text[line..].trim_start().starts_with('[');
        let is_leaf = !is_header && !matches!(value.get_ref(), DeValue::Table(_));
        let name = key.get_ref();
        match inner {
            // The line says which table it is.
            Some(inner) if is_header => Some(inner),
            Some(inner) => Some(format!("{name}.{inner}")),
            None => (is_leaf && value.span().contains(&at)).then(|| name.to_string()),
        }
    })
}

/// The line of a place in a text, counted from 1.
#[must_use]
pub fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The place of a key in the table whose header begins at `table`; that of the header if the key is not found.
#[must_use]
pub fn key_at(text: &str, table: usize, key: Option<&str>) -> usize {
    let Some(key) = key else { return table };
    let mut at = table;
    for (number, line) in text.get(table..).unwrap_or_default().split_inclusive('\n').enumerate() {
        let typed = line.trim_start();
        if number > 0 && typed.starts_with('[') {
            break;
        }
        if typed.strip_prefix(key).is_some_and(|behind| behind.trim_start().starts_with('=')) {
            return at;
        }
        at += line.len();
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_at_fault_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("formats.toml");
        let check = |text: &str, expect: &[&str]| {
            std::fs::write(&path, text).unwrap();
            let error = read_formats(&path).unwrap_err().to_string();
            let lacks: Vec<_> = expect.iter().filter(|word| !error.contains(**word)).collect();
            assert!(lacks.is_empty() && error.contains("formats.toml, line"), "{error} lacks {lacks:?}");
        };
        check("[[format]]\nfiles = \"*.txt\"\n\n[[format]]\nskip_rows = 1\nquote = \"ab\"\n", &["line 6", "one ASCII"]);
        check("[[format]]\ndelimeter = \";\"\n", &["line 2", "`delimeter`", "`delimiter`"]);
        check("[[format]]\nfiles = [\"a***\"]\n", &["line 2", "a***"]);
        check("[[formats]]\n", &["line 1", "`formats`"]);
        check("[[format]]\nragged = \"cut\"\n", &["line 2", "ragged: ", "`cut`", "`pad`"]);
        check("[[format]]\nquotes = true\n", &["line 2: quotes: "]);
        check("[[format]]\nnull = \"NULL\"\n", &["line 2: null: "]);
        check("[[format]]\nnull = [\n \"a\",\n 1]\n", &["line 4: null: "]);
        check("[[format]]\nskip_rows = 99999999999999999999\n", &["line 2: skip_rows: "]);
        check("[[format]]\nop = { I = \"insert\" }\n", &["line 2: op.I: "]);
        check("[[format]]\nmax_field = \"5\"\n", &["line 2: max_field: `5` is not a size"]);
        check("[[format]]\nthousands = \"ab\"\n", &["line 2: thousands"]);
        check("[[format]]\nfiles = []\n", &["line 2: files is an empty list"]);
        let missing = read_formats(Path::new("nowhere.toml")).unwrap_err().to_string();
        assert!(missing.contains("failed to read the formats nowhere.toml"), "{missing}");
    }

    #[test]
    fn a_written_rule_is_read_as_the_same() {
        let spec = FormatSpec {
            files: vec!["a \"b\".csv".into()],
            delimiter: Some("\t".into()),
            quote: Some(String::new()),
            skip_rows: Some(3),
            ..FormatSpec::default()
        };
        let text = to_toml(&spec);
        assert_eq!(parse(&text).unwrap().specs().collect::<Vec<_>>(), [&spec], "{text}");
    }

    #[test]
    fn a_file_of_rules_is_read() {
        let rules = parse("[[format]]\nfiles = \"*.txt\"\nquote = ''\n[[format]]\nencoding = \"ibm866\"\n").unwrap();
        assert_eq!(rules.spec("a.txt").quote.as_deref(), Some(""));
        assert_eq!(rules.spec("a.csv").encoding.as_deref(), Some("ibm866"));
        assert_eq!(rules.specs().count(), 2);
    }
}
