//! Finds columns by their names in a header.

use std::fmt;

/// Two columns that a name could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmbiguousColumn {
    /// The name that was looked for.
    pub name: String,
    /// The two columns as spelled, with their positions counted from 1.
    pub columns: [(usize, String); 2],
}

impl std::error::Error for AmbiguousColumn {}

impl fmt::Display for AmbiguousColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, columns: [(first, one), (second, other)] } = self;
        write!(
            f,
            "`{name}` could be column {first}, `{one}`, or column {second}, `{other}`: name one of them exactly, or rename one"
        )
    }
}

/// Returns the position of the column called `name` in a header. A column that is spelled exactly so, but for white space around
/// it, wins over one in another case. Of several that are spelled alike the first counts.
///
/// # Errors
/// No column is spelled so, and two that differ from each other are in another case.
pub fn find_column(header: &[String], name: &str) -> Result<Option<usize>, AmbiguousColumn> {
    if let Some(exact) = header.iter().position(|column| column.trim() == name.trim()) {
        return Ok(Some(exact));
    }
    let wanted = folded(name);
    let mut found = header.iter().enumerate().filter(|(_, column)| folded(column) == wanted);
    let Some((first, one)) = found.next() else { return Ok(None) };
    match found.find(|(_, other)| other.trim() != one.trim()) {
        Some((second, other)) => {
            let columns = [(first + 1, one.clone()), (second + 1, other.clone())];
            Err(AmbiguousColumn { name: name.trim().to_owned(), columns })
        }
        None => Ok(Some(first)),
    }
}

/// Returns the position of a column that may have several names, by precedence: of the first that is in the header.
///
/// # Errors
/// As [`find_column`].
pub fn find_first<T: AsRef<str>>(header: &[String], names: &[T]) -> Result<Option<usize>, AmbiguousColumn> {
    names.iter().find_map(|name| find_column(header, name.as_ref()).transpose()).transpose()
}

/// Folds a header name for comparison: trims Unicode white space and converts to lowercase.
#[must_use]
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a character takes no room on a screen, or looks like another one: a reader of a header cannot see it.
fn is_invisible(c: char) -> bool {
    let is_odd_blank = c.is_whitespace() && c != ' ';
    let is_format = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    is_odd_blank || is_format || c.is_control()
}

/// Writes invisible characters by their numbers, such as `<U+200B>`.
pub(crate) fn visible(name: &str) -> String {
    let shown = |c: char| if is_invisible(c) { format!("<U+{:04X}>", u32::from(c)) } else { c.to_string() };
    name.chars().map(shown).collect()
}

/// Drops invisible characters. Odd blanks become blanks.
pub(crate) fn without_invisible(name: &str) -> String {
    let bare = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    bare.filter(|c| !is_invisible(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_shown_and_dropped() {
        let check = |name: &str, shown: &str, bare: &str| {
            assert_eq!((visible(name).as_str(), without_invisible(name).as_str()), (shown, bare));
        };
        check("sku\u{200b}", "sku<U+200B>", "sku");
        check("\u{feff}s\u{ad}ku", "<U+FEFF>s<U+00AD>ku", "sku");
        check("item\u{a0}code", "item<U+00A0>code", "item code");
        check("a\tb\u{1}", "a<U+0009>b<U+0001>", "a b");
        check("Größe 日本 é", "Größe 日本 é", "Größe 日本 é");
    }

    #[test]
    fn an_exact_name_wins_over_another_case() {
        let check = |header: &str, name: &str, expect: Result<Option<usize>, &str>| {
            let header: Vec<String> = header.split(',').map(str::to_owned).collect();
            match (find_column(&header, name), expect) {
                (Ok(found), Ok(expect)) => assert_eq!(found, expect, "{name} in {header:?}"),
                (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error} lacks {word}"),
                (found, _) => panic!("{found:?} for {name} in {header:?}"),
            }
        };
        check("Amount,amount", "amount", Ok(Some(1)));
        check("Amount,amount", " Amount ", Ok(Some(0)));
        check("Amount,amount", "AMOUNT", Err("column 1, `Amount`, or column 2, `amount`"));
        check("sku,NAME", "name", Ok(Some(1)));
        check("sku,name,name", "name", Ok(Some(1)));
        check("sku,Name,Name ", "name", Ok(Some(1)));
        check("sku,name", "description", Ok(None));
        check("STRASSE,straße", "Straße", Ok(Some(1)));
    }
}
