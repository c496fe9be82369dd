//! Checks of skus and texts that people and programs send. They are trimmed and bounded as those in a file.

use tributary_csv_gate::feed::{MAX_NAME_BYTES, MAX_SKU_BYTES};

/// Maximum bytes of a description and of an own column, as in a file.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// A sku or a text that no product can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The sku is blank.
    #[error("a sku must have at least one letter that is no blank")]
    NoSku,
    /// It is too long.
    #[error("the {column} has {bytes} bytes, and {most} are the most")]
    TooLong {
        /// The column, `sku` included.
        column: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// It has a NUL byte.
    #[error("the {column} has a NUL byte in it")]
    Nul {
        /// The column, `sku` included.
        column: String,
    },
}

/// Trims and checks a sku.
///
/// # Errors
/// [`TextError`].
pub fn checked_sku(sku: &str) -> Result<&str, TextError> {
    match sku.trim() {
        "" => Err(TextError::NoSku),
        sku => checked("sku", sku, MAX_SKU_BYTES),
    }
}

/// Checks the text of a column beside the sku, which may be empty, and trims it if its column does. Whether the catalog has the column
/// is not checked.
///
/// # Errors
/// [`TextError`].
pub fn checked_text<'t>(column: &str, text: &'t str) -> Result<&'t str, TextError> {
    match column {
        "name" => checked(column, text.trim(), MAX_NAME_BYTES),
        "description" => checked(column, text, MAX_TEXT_BYTES),
        own => checked(own, text.trim(), MAX_TEXT_BYTES),
    }
}

fn checked<'t>(column: &str, text: &'t str, most: usize) -> Result<&'t str, TextError> {
    let bytes = text.len();
    if bytes > most {
        return Err(TextError::TooLong { column: column.to_owned(), bytes, most });
    }
    if text.contains('\0') {
        return Err(TextError::Nul { column: column.to_owned() });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded_as_in_a_file() {
        assert_eq!(checked_sku("\u{a0}a b \n"), Ok("a b"));
        assert_eq!(checked_sku(&"x".repeat(1024)).unwrap().len(), 1024);
        for wrong in ["", " ", "a\0b", &"x".repeat(1025)] {
            assert!(checked_sku(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(checked_text("name", " "), Ok(""));
        assert_eq!(checked_text("price", " 9 "), Ok("9"));
        assert_eq!(checked_text("description", " kept "), Ok(" kept "));
        for (column, most) in [("name", 2048), ("description", 1 << 20), ("price", 1 << 20)] {
            assert!(checked_text(column, &"x".repeat(most)).is_ok(), "{column}");
            let error = checked_text(column, &"x".repeat(most + 1)).unwrap_err();
            assert_eq!(error.to_string(), format!("the {column} has {} bytes, and {most} are the most", most + 1));
            assert_eq!(checked_text(column, "\0"), Err(TextError::Nul { column: column.to_owned() }));
        }
    }
}
