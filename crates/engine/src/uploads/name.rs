//! The rules for file names and ids of uploads. Strangers choose them, so a name that leads out of the folder, is hidden in it, or
//! would never be read is refused.

use tributary_format_rules::FormatRules;
use tributary_formats::{ENDINGS_IN_WORDS, is_hidden, is_offered, is_owner_file, is_workbook};
use uuid::Uuid;

use super::error::UploadError;

/// Longest name that common file systems accept.
const MAX_NAME_BYTES: usize = 255;

/// Checks the name of a file that is read by `formats`.
///
/// # Errors
/// The name is not a plain file name, or a source would not offer such a file.
pub(super) fn filename(name: &str, formats: &FormatRules) -> Result<(), UploadError> {
    let why = if name.is_empty() {
        "the file needs a name: add `filename=NAME.csv` to the query"
    } else if name.len() > MAX_NAME_BYTES {
        &format!("a file name has at most {MAX_NAME_BYTES} bytes")
    } else if name.contains(['/', '\\']) || matches!(name, "." | "..") {
        "a file name cannot contain `/` or `\\`, or be `.` or `..`"
    } else if name.chars().any(char::is_control) {
        "a file name cannot contain control characters"
    } else if is_hidden(name) {
        "a file name cannot start with a dot: hidden files are never read; choose another name"
    } else if is_owner_file(name) {
        "a file whose name starts with `~$` only says that another one is open: upload that one"
    } else if is_workbook(name) && !formats.reads_sheet(name) {
        "a workbook is read where an [[uploads.format]] sets sheet = 1, or the name of a sheet: set that, or export it as CSV"
    } else if !is_offered(name) && !is_workbook(name) {
        &format!("a file of this name would never be read: its name must end in {ENDINGS_IN_WORDS}")
    } else {
        return Ok(());
    };
    Err(UploadError::Invalid(why.to_owned()))
}

/// Checks an id that a client chose, and returns it in lower case, as all ids are stored.
///
/// # Errors
/// The id does not have 32 hex digits.
pub(super) fn id(typed: &str) -> Result<String, UploadError> {
    if typed.len() != 32 || !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(UploadError::Invalid("the `id` of an upload has 32 hex digits".to_owned()));
    }
    Ok(typed.to_ascii_lowercase())
}

/// Makes a unique id: 32 hex digits.
pub(super) fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use tributary_protocol::{FormatSpec, Sheet};

    use super::*;

    #[test]
    fn plain_names_of_tables_are_accepted() {
        for name in
            ["a.csv", "Sales 2026.TSV", "é.txt.gz", "a..csv", "x:y.csv.zst", &format!("{}.csv", "x".repeat(251))]
        {
            assert!(filename(name, &FormatRules::default()).is_ok(), "{name}");
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
            "a/b.csv",
            "/x.csv",
            "C:\\x.csv",
            "..\\x.csv",
            ".x.csv",
            "a\0.csv",
            "a\n.csv",
            "\u{7f}.csv",
            "\u{85}.csv",
            "a.json",
            "a.csv.part",
            "a.csv~",
            "csv",
            "~$a.csv",
            &long,
        ] {
            assert!(matches!(filename(name, &FormatRules::default()), Err(UploadError::Invalid(_))), "{name}");
        }
    }

    #[test]
    fn a_workbook_needs_a_sheet() {
        let sheet = FormatSpec { files: vec!["p*".into()], sheet: Some(Sheet::Number(1)), ..FormatSpec::default() };
        let formats = FormatRules::new(&[sheet]).unwrap();
        assert!(filename("prices.xlsx", &formats).is_ok());
        for name in ["other.xlsx", "other.xlsm"] {
            let error = filename(name, &formats).unwrap_err().to_string();
            assert!(error.contains("sheet = 1"), "{error}");
        }
        assert!(filename("p.xls", &formats).is_err());
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
