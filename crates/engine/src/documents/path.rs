//! The rules for paths and ids of documents. Strangers choose them, so a path that leads out of the folder, is hidden, or would never
//! be read is refused.

use tributary_format_rules::FormatRules;
use tributary_formats::{ENDINGS_IN_WORDS, is_hidden, is_offered, is_owner_file, is_workbook};
use uuid::Uuid;

use super::folder::is_id;

/// Longest component of a path that common file systems accept.
const MAX_NAME_BYTES: usize = 255;
/// Longest path.
const MAX_PATH_BYTES: usize = 1_024;

/// Checks the path of a file that is read by `formats`, component by component. Returns why it is refused.
pub(crate) fn check(path: &str, formats: &FormatRules) -> Result<(), String> {
    if path.len() > MAX_PATH_BYTES {
        return Err(format!("a path has at most {MAX_PATH_BYTES} bytes"));
    }
    path.split('/').try_for_each(check_component)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_owner_file(name) {
        Err("a file whose name starts with `~$` only says that another one is open: upload that one".to_owned())
    } else if is_workbook(path) && !formats.reads_sheet(path) {
        Err("a workbook is read where an [[uploads.format]] sets sheet = 1, or the name of a sheet: set that, or export it as CSV"
            .to_owned())
    } else if !is_readable(path) {
        Err(format!("a file of this name would never be read: its name must end in {ENDINGS_IN_WORDS}"))
    } else {
        Ok(())
    }
}

/// Checks a folder, which ends in `/`. Returns why it is refused.
pub(crate) fn check_folder(folder: &str) -> Result<(), String> {
    folder.strip_suffix('/').unwrap_or_default().split('/').try_for_each(check_component)
}

fn check_component(name: &str) -> Result<(), String> {
    let why = if name.is_empty() {
        "the file needs a name, and so does each folder: add `filename=NAME.csv` to the query"
    } else if name.len() > MAX_NAME_BYTES {
        return Err(format!("a file name has at most {MAX_NAME_BYTES} bytes"));
    } else if name.contains('\\') || matches!(name, "." | "..") {
        "a file name cannot contain `\\`, or be `.` or `..`"
    } else if name.chars().any(char::is_control) {
        "a file name cannot contain control characters"
    } else if name.chars().any(is_invisible) {
        "a file name cannot contain characters that are not seen, or that turn the direction of a text: type the name anew"
    } else if is_hidden(name) {
        "a file name cannot start with a dot: hidden files are never read; choose another name"
    } else {
        return Ok(());
    };
    Err(why.to_owned())
}

/// Whether a character has no width, or turns the direction of a text. A name with one may look like another name.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a source would offer a file of this path, if a format may read its kind.
pub(crate) fn is_readable(path: &str) -> bool {
    is_offered(path) || is_workbook(path)
}

/// Checks an id that a client chose, and returns it in lower case, as all ids are stored.
pub(crate) fn id(typed: &str) -> Result<String, String> {
    let id = typed.to_ascii_lowercase();
    if is_id(&id) { Ok(id) } else { Err("the `id` of an upload has 32 hex digits".to_owned()) }
}

/// Makes a unique id: 32 hex digits.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{FormatSpec, Sheet};

    use super::*;

    #[test]
    fn plain_names_of_tables_are_accepted() {
        for name in [
            "a.csv",
            "orders/2026/11/a.csv",
            "Sales 2026.TSV",
            "é.txt.gz",
            "a..csv",
            "x:y.csv.zst",
            &format!("{}.csv", "x".repeat(251)),
        ] {
            assert!(check(name, &FormatRules::default()).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_or_would_never_be_read_are_refused() {
        let long = format!("{}.csv", "x".repeat(252));
        for name in [
            "",
            ".",
            "..",
            "../x.csv",
            "a/../x.csv",
            "a//x.csv",
            "a/.b/x.csv",
            "x.csv/",
            &"a/".repeat(600),
            "/x.csv",
            "C:\\x.csv",
            "..\\x.csv",
            ".x.csv",
            "a\0.csv",
            "a\n.csv",
            "\u{7f}.csv",
            "\u{85}.csv",
            "a\u{202e}vsc.exe.csv",
            "a\u{2066}b.csv",
            "a\u{200b}.csv",
            "\u{feff}a.csv",
            "a\u{ad}b/x.csv",
            "a.json",
            "a.csv.part",
            "a.csv~",
            "csv",
            "~$a.csv",
            &long,
        ] {
            assert!(check(name, &FormatRules::default()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_folder_is_named_and_ends_in_a_slash() {
        for folder in ["a/", "a/b c/", "é.csv/"] {
            assert!(check_folder(folder).is_ok(), "{folder}");
        }
        for folder in ["", "/", "//", "a", "a//", "/a/", "../", "a/./", ".a/"] {
            assert!(check_folder(folder).is_err(), "{folder}");
        }
    }

    #[test]
    fn a_workbook_needs_a_sheet() {
        let sheet = FormatSpec { files: vec!["p*".into()], sheet: Some(Sheet::Number(1)), ..FormatSpec::default() };
        let formats = FormatRules::new(&[sheet]).unwrap();
        assert!(check("prices.xlsx", &formats).is_ok());
        for name in ["other.xlsx", "other.xlsm"] {
            let error = check(name, &formats).unwrap_err();
            assert!(error.contains("sheet = 1"), "{error}");
        }
        assert!(check("p.xls", &formats).is_err());
    }

    #[test]
    fn an_id_is_32_hex_digits() {
        assert_eq!(id("0123456789ABCDEF0123456789abcdef").unwrap(), "0123456789abcdef0123456789abcdef");
        for wrong in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeg", &"é".repeat(16)] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
        let (one, other) = (new_id(), new_id());
        assert_eq!(id(&one).unwrap(), one);
        assert_ne!(one, other);
    }
}
