//! What an upload and its file may be called. Names come from strangers: nothing that leads out of the folder, hides in it, or
//! would lie there unread is taken.

use tributary_formats::{ENDINGS_IN_WORDS, is_hidden, is_offered};
use uuid::Uuid;

use super::UploadError;

/// Longest name that file systems take.
const NAME_BYTES: usize = 255;

/// Checks a file's name.
///
/// # Errors
/// It is no plain file name, or none that a source offers.
pub(crate) fn filename(name: &str) -> Result<(), UploadError> {
    let why = if name.is_empty() {
        "the file needs a name: add `filename=NAME.csv` to the query"
    } else if name.len() > NAME_BYTES {
        "a file's name has at most 255 bytes"
    } else if name.contains(['/', '\\']) || matches!(name, "." | "..") {
        "a file's name has no folder in it, and neither `/` nor `\\`"
    } else if name.chars().any(char::is_control) {
        "a file's name has no control characters in it"
    } else if is_hidden(name) {
        "a file whose name begins with a dot is hidden and would never be read; give it another name"
    } else if !is_offered(name) {
        &format!("a file of this name would never be read: it must end in {ENDINGS_IN_WORDS}")
    } else {
        return Ok(());
    };
    Err(UploadError::Invalid(why.to_owned()))
}

/// Checks an id that a client has chosen, and writes it as ours are.
///
/// # Errors
/// It is not 32 hex digits.
pub(crate) fn id(typed: &str) -> Result<String, UploadError> {
    if typed.len() != 32 || !typed.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(UploadError::Invalid("an upload's `id` is 32 hex digits".to_owned()));
    }
    Ok(typed.to_ascii_lowercase())
}

/// Makes a unique id: 32 hex digits.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_of_tables_are_taken() {
        for name in
            ["a.csv", "Sales 2026.TSV", "é.txt.gz", "a..csv", "x:y.csv.zst", &format!("{}.csv", "x".repeat(251))]
        {
            assert!(filename(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_or_would_lie_unread_are_not() {
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
            &long,
        ] {
            assert!(matches!(filename(name), Err(UploadError::Invalid(_))), "{name}");
        }
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
