//! Ways to read a row with another number of fields than the header. A setting is named only if it reads the row as its
//! writer meant it.

use std::fmt;

/// A way to read a row with another number of fields than the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldCure {
    /// Missing fields can be padded.
    Pad,
    /// The extra fields are empty.
    Trim,
    /// The extra fields are not empty.
    Quote,
    /// The header has one column, so that the delimiter is text: this one does not occur in the row.
    OneColumn(char),
    /// The row has another delimiter than the header.
    OtherDelimiter(char),
    /// The row holds CRs, where LF ends a line.
    LineEnds,
}

impl fmt::Display for FieldCure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pad => f.write_str(r#"ragged = "pad" leaves the missing ones empty"#),
            Self::Trim => f.write_str(r#"ragged = "trim" drops empty ones at the end"#),
            Self::Quote => f.write_str("quote cells that hold the delimiter; header = […] names more columns"),
            Self::OneColumn(delimiter) => write!(f, "delimiter = {:?} reads lines as one cell", delimiter.to_string()),
            Self::OtherDelimiter(delimiter) => {
                write!(
                    f,
                    "its delimiter is {:?}, unlike that of the header: write the file with one",
                    delimiter.to_string()
                )
            }
            Self::LineEnds => {
                f.write_str("it holds CRs, but LF ends the lines of this file: write all line ends alike")
            }
        }
    }
}
