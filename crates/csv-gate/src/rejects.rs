//! Rows that could not be used: position, reason and raw text. For whole files that could not be used see
//! [`crate::FileReject`].

mod cures;
mod explain;

use std::fmt;

pub use self::{
    cures::FieldCure,
    explain::{Explained, WHOLE_FILE, explain, fault_kind},
};
use crate::line_end::first_line;

/// The rejects of one file, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejects {
    /// The number of rejects, kept or not.
    pub total: u64,
    /// The first rejects, as many as [`crate::Limits::rejects_kept`] allows.
    pub kept: Vec<Reject>,
    /// The number of good rows in which a quote is text only because the quotes are lenient.
    pub repaired: u64,
    /// The good rows with a quoted field that perhaps holds rows.
    pub doubtful: Doubtful,
    /// Notes for people on what may be meant otherwise than it is read.
    pub doubts: Vec<String>,
    /// The lines that were detected to be no rows.
    pub ignored: Ignored,
}

/// Good rows with a quoted field whose lines have as many fields as the header, too few to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubtful {
    /// The number of rows.
    pub rows: u64,
    /// The line on which the first one begins; 0 if there is none.
    pub first: u64,
}

impl Doubtful {
    /// Counts a row that begins on `line`.
    pub(crate) fn add(&mut self, line: u64) {
        self.merge(Self { rows: 1, first: line });
    }

    /// Adds those of another part of the file.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.first = match (self.first, other.first) {
            (0, first) | (first, 0) => first,
            (one, two) => one.min(two),
        };
    }
}

/// Lines that are no rows though no setting says so: titles above the header, and footers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// The number of physical lines.
    pub lines: u64,
    /// The number and the text of the first one, cut like that of a reject.
    pub first: Option<(u64, String)>,
}

impl Ignored {
    /// Counts the lines of `text`, which begins on `line`.
    pub(crate) fn add(&mut self, line: u64, text: &[u8], line_end: u8, max_bytes: usize) {
        let ends = memchr::memchr_iter(line_end, text).count() as u64;
        self.lines += ends + u64::from(text.last().is_some_and(|last| *last != line_end));
        let shown = first_line(text);
        self.first.get_or_insert_with(|| (line, raw_text(shown, max_bytes)));
    }
}

impl Rejects {
    /// Counts a reject and keeps it while there is room.
    pub(crate) fn push(&mut self, max_kept: usize, reject: Reject) {
        self.total += 1;
        if self.kept.len() < max_kept {
            self.kept.push(reject);
        }
    }
}

/// One row that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The physical line, counted from 1, on which the row begins; if a quoted field is never closed properly, the line
    /// on which that field begins.
    pub line: u64,
    /// The offset of the row in bytes of the unpacked and decoded text, not counting its byte order mark.
    pub byte: u64,
    /// Why it could not be used.
    pub reason: Reason,
    /// The row's text, cut at [`crate::Limits::raw_bytes`]. U+FFFD replaces invalid bytes, U+2400 replaces NUL.
    pub raw: String,
}

/// Settings that read a field which is never closed properly.
const HOW_TO_CLOSE: &str = r#"quotes = "lenient" takes such quotes for text, quote = "" all of them"#;
/// The setting that reads it if a backslash stands before a quote.
const HOW_TO_ESCAPE: &str = r#", escape = "\\" those behind a backslash"#;

/// The reason why a row could not be used. Users see its `Display` text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Too many or too few fields.
    #[error("{found} field{} where the header has {expected}: {cure}", if *.found == 1 { "" } else { "s" })]
    FieldCount {
        /// Fields in the row.
        found: usize,
        /// Columns of the file.
        expected: usize,
        /// A way to read the row.
        cure: FieldCure,
    },
    /// A row of a sheet with a cell beyond the header.
    #[error("{found} cells where the header has {expected}: give each column a name, or move notes to another sheet")]
    BeyondHeader {
        /// Cells in the row, up to the last one that is not empty.
        found: usize,
        /// Columns of the sheet.
        expected: usize,
    },
    /// A quoted field has no closing quote before the end of the file (or of the lookahead), or text follows the
    /// closing quote.
    #[error("quoted field is never closed properly: {HOW_TO_CLOSE}{}", if *.has_escape { HOW_TO_ESCAPE } else { "" })]
    NeverClosed {
        /// Whether a backslash stands before a quote in it.
        has_escape: bool,
    },
    /// A quoted field spans lines that all have as many fields as the header: more likely two stray quotes.
    #[error(
        "quoted field whose lines all look like rows: {}",
        r#"quote = "\"" reads it all the same, quote = "" takes quotes for text"#
    )]
    HoldsRows,
    /// A NUL byte, which no text file contains and no database accepts.
    #[error("NUL byte")]
    Nul,
    /// Bytes that are not valid in the file's encoding.
    #[error("bytes that are not valid {encoding}: encoding = … names another encoding of the whole file")]
    Encoding {
        /// The file's encoding.
        encoding: &'static str,
    },
    /// A field over its limit.
    #[error("field is longer than {limit} bytes: max_field = … raises the limit")]
    FieldTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A record over its limit.
    #[error("record is longer than {limit} bytes")]
    RecordTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A second table of other columns.
    #[error(
        "a second table begins here, and is skipped: move it to a file of its own, or skip it with skip_footer = …"
    )]
    SecondTable,
    /// A row with a name whose sku is the name of its column, or a row that holds the names of sku and name.
    #[error(
        "a header of other columns, not a row: the rows below it may be those of another file; read each file by itself"
    )]
    OtherHeader,
    /// A row to which the header of another file is joined.
    #[error(
        "a row and a header on one line, as of two files that were joined: put a line end between them; the rows below it may be those of another file"
    )]
    JoinedHeader,
    /// Units of measure below the header, in columns that hold numbers in all other rows.
    #[error("units of measure, not a row: {}`{number}` is not a number as in the other rows", if .empty.is_empty() { String::new() } else { format!("no `{empty}`, and ") })]
    Units {
        /// The first column that is empty; empty if there is none.
        empty: String,
        /// The first column with a unit.
        number: String,
    },
    /// A product without its key.
    #[error("no sku")]
    NoSku,
    /// A sku over its limit.
    #[error("sku is longer than {limit} bytes")]
    SkuTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A name over its limit.
    #[error("name is longer than {limit} bytes")]
    NameTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A report's metric or condition needs a number.
    #[error("`{column}` is not a number: `{found}`{}", if .cure.is_empty() { String::new() } else { format!("; {cure}") })]
    NotANumber {
        /// The report's name for the column.
        column: String,
        /// The cell's text, cut at 40 characters.
        found: String,
        /// The settings that would read it; empty if there are none.
        cure: String,
    },
    /// A report's expression has a value beyond the range of numbers.
    #[error("the value of `{expression}` is out of range")]
    OutOfRange {
        /// The expression as written in the report.
        expression: String,
    },
    /// A row that belongs to no group of a report.
    #[error("no `{column}`")]
    NoGroup {
        /// The report's name for the empty column.
        column: String,
    },
    /// A report groups by a date.
    #[error("`{column}` is not a date: `{found}`; {cure}")]
    NotADate {
        /// The report's name for the column.
        column: String,
        /// The cell's text, cut at 40 characters.
        found: String,
        /// The setting that would read it, or the forms that are read.
        cure: String,
    },
    /// The date that a report groups by could be two.
    #[error(
        "`{column}` could be two dates: `{found}`; day_first = true in group_by says that the day comes first, false that the month does"
    )]
    UnclearDate {
        /// The report's name for the column.
        column: String,
        /// The cell's text, cut at 40 characters.
        found: String,
    },
    /// A report's check is not true of the row.
    #[error("not true: {check}")]
    Check {
        /// The check as written in the report.
        check: String,
    },
    /// A check of the catalog is not true of the row.
    #[error("`{check}` is not true: {}", .cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    RowCheck {
        /// The check as written in the configuration.
        check: String,
        /// The cells that it looks at, in the order in which it names them.
        cells: Vec<CheckedCell>,
    },
    /// A check of the catalog is true for one of the numbers that a cell may be, and not for the other.
    #[error("{0}")]
    UnclearCheck(Box<UnclearCheck>),
    /// The time of a row cannot be read.
    #[error("`{column}` is neither a time (ISO 8601) nor a number: `{found}`")]
    NotATime {
        /// The catalog's name for the column.
        column: String,
        /// The cell's text, cut at 40 characters.
        found: String,
    },
    /// The `op` column is neither empty nor `upsert` nor `delete`.
    #[error("unknown op `{op}`: op = {{ {op:?} = \"upsert\" }} or \"delete\" says what it means")]
    UnknownOp {
        /// The column's text, cut at 40 characters.
        op: String,
    },
}

/// A cell that a check looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedCell {
    /// The check's name for the column.
    pub column: String,
    /// The cell's text, cut at 40 characters.
    pub found: String,
}

impl CheckedCell {
    /// Most characters of a cell that a reject shows.
    const MAX_SHOWN_CHARS: usize = 40;

    /// Trims and cuts the text of a cell.
    #[must_use]
    pub fn new(column: &str, text: &str) -> Self {
        Self { column: column.to_owned(), found: text.trim().chars().take(Self::MAX_SHOWN_CHARS).collect() }
    }
}

impl fmt::Display for CheckedCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, found } = self;
        match found.as_str() {
            "" => write!(f, "{column} is empty"),
            found => write!(f, "{column} is `{found}`"),
        }
    }
}

/// A check that is true for only one of the numbers that a cell may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnclearCheck {
    /// The check as written in the configuration.
    pub check: String,
    /// The cell.
    pub cell: CheckedCell,
    /// The number with a decimal point, then that with a decimal comma.
    pub readings: [String; 2],
    /// The settings that say which it is.
    pub cure: String,
}

impl fmt::Display for UnclearCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, cell: CheckedCell { column, found }, readings: [point, comma], cure } = self;
        write!(f, "`{check}` is true for only one reading of {column}: `{found}` could be {point} or {comma}; {cure}")
    }
}

/// Converts the first `max_bytes` of `bytes` to text that is safe to print and to store.
pub(crate) fn raw_text(bytes: &[u8], max_bytes: usize) -> String {
    // Takes four bytes more than wanted, so that a character split here lies beyond the final cut.
    let head = &bytes[..bytes.len().min(max_bytes.saturating_add(4))];
    let mut text = String::from_utf8_lossy(head).replace('\0', "\u{2400}");
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_is_cut_on_a_character() {
        let check = |bytes: &[u8], max_bytes, expect: &str| assert_eq!(raw_text(bytes, max_bytes), expect);
        check(b"abc", 9, "abc");
        check(b"abc", 2, "ab");
        check("a\u{e9}b".as_bytes(), 2, "a");
        check("a\u{e9}b".as_bytes(), 3, "a\u{e9}");
        check(b"a\0b", 9, "a\u{2400}b");
        check(b"a\0b", 3, "a");
        check(b"a\xffb", 9, "a\u{fffd}b");
        check("\u{1f600}\u{1f600}".as_bytes(), 7, "\u{1f600}");
    }

    #[test]
    fn reasons_read_well() {
        let check = |reason: Reason, expect: &str| assert_eq!(reason.to_string(), expect);
        check(
            Reason::FieldCount { found: 4, expected: 3, cure: FieldCure::Trim },
            "4 fields where the header has 3: ragged = \"trim\" drops empty ones at the end",
        );
        check(
            Reason::FieldCount { found: 1, expected: 3, cure: FieldCure::Pad },
            "1 field where the header has 3: ragged = \"pad\" leaves the missing ones empty",
        );
        let op = "unknown op `x`: op = { \"x\" = \"upsert\" } or \"delete\" says what it means";
        check(Reason::UnknownOp { op: "x".into() }, op);
        let cells = vec![CheckedCell::new("price", "-3"), CheckedCell::new("stock", " ")];
        let expect = "`price >= stock` is not true: price is `-3`, stock is empty";
        check(Reason::RowCheck { check: "price >= stock".into(), cells }, expect);
        let time = Reason::NotATime { column: "updated_at".into(), found: "x".into() };
        check(time, "`updated_at` is neither a time (ISO 8601) nor a number: `x`");
    }
}
