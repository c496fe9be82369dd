//! A file of `[[format]]` tables, and the lines of keys in TOML.

use std::{io, path::Path};

use serde::Deserialize;
use toml::Spanned;
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
    let typed: FileAsTyped = toml::from_str(text)
        .map_err(|why| (why.span().map_or(0, |span| span.start), why.message().replace('\n', " ")))?;
    let starts: Vec<_> = typed.format.iter().map(|format| format.span().start).collect();
    let specs: Vec<_> = typed.format.into_iter().map(Spanned::into_inner).collect();
    FormatRules::new(&specs).map_err(|why| (key_at(text, starts[why.index], why.error.key), why.error.to_string()))
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
        check("[[format]]\nragged = \"cut\"\n", &["line 2", "`cut`", "`pad`"]);
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
