//! Settings for reading a file, chosen by the caller. For what was detected see [`crate::Dialect`].

use std::borrow::Cow;

use tributary_protocol::{Escapes, Quotes, Ragged, Sheet};

use crate::Error;

/// Settings for reading a file. By default everything is detected, the first line is the header, and ragged rows are
/// rejects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The sheet of an Excel workbook. How its text is written is then known, so encoding, delimiter, quote, quotes, escape and
    /// ragged are not looked at: rows end with their last cell that is not empty.
    pub sheet: Option<Sheet>,
    /// A label of the WHATWG Encoding Standard such as `windows-1252`, or of a code page of DOS such as `cp437`;
    /// detected if none. Takes precedence over a byte order mark.
    pub encoding: Option<String>,
    /// One or several characters that separate fields; detected if none.
    pub delimiter: Option<String>,
    /// The quote; detected if none.
    pub quote: Option<Quote>,
    /// The treatment of a quote inside a quoted field that neither closes it nor is doubled.
    pub quotes: Quotes,
    /// The byte that makes the next one plain text: inside quotes, or everywhere if there is no quoting. If none, only
    /// a doubled quote is special, unless a backslash before quotes is detected.
    pub escape: Option<u8>,
    /// The treatment of `escape` itself.
    pub escapes: Escapes,
    /// Physical lines to skip before the header.
    pub skip_rows: u64,
    /// Physical lines to skip at the end of the file, empty ones included.
    pub skip_footer: u64,
    /// The source of the column names.
    pub header: Header,
    /// Lines that start so are skipped, unless they start inside quotes.
    pub comment: Option<String>,
    /// The treatment of rows with too few or too many fields.
    pub ragged: Ragged,
    /// Words that mean an empty cell. An unquoted cell is compared with them without the blanks around it, before
    /// escapes are resolved.
    pub null: Vec<String>,
    /// Whether `="x"` and `'x` are the text x.
    pub text_cells: bool,
    /// The limits of a file.
    pub limits: Limits,
}

impl Settings {
    /// These settings, or for a sheet those by which its text is written.
    pub(crate) fn as_read(&self) -> Cow<'_, Self> {
        if self.sheet.is_none() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            encoding: Some("UTF-8".to_owned()),
            delimiter: Some(",".to_owned()),
            quote: Some(Quote::Char(b'"')),
            quotes: Quotes::Strict,
            escape: None,
            escapes: Escapes::Dropped,
            ragged: Ragged::Pad,
            ..self.clone()
        })
    }
}

/// The source of the column names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// The first line that is not empty.
    #[default]
    FirstLine,
    /// The same, whatever its names are: no line that is as wide as the rows is taken for one above the header. For callers that
    /// know the columns by their positions.
    AnyFirstLine,
    /// None: the columns are `column_1` and so on, as many as most rows at the beginning have fields.
    None,
    /// These names, in the order of the fields. The first line that is not empty is a row.
    Names(Vec<String>),
}

impl Header {
    /// Whether a line of the file names the columns.
    pub(crate) fn is_first_line(&self) -> bool {
        matches!(self, Self::FirstLine | Self::AnyFirstLine)
    }
}

/// The character around quoted fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// No quoting: every byte except delimiter and line end is text.
    None,
    /// This ASCII character.
    Char(u8),
}

impl Quote {
    /// The quoting byte, if there is one.
    pub fn byte(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Char(byte) => Some(byte),
        }
    }
}

/// The limits of a file, which bound the gate's memory and time. Each field states its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest field in bytes of its text, without quotes: 1 MiB.
    pub field_bytes: usize,
    /// The longest record in bytes of the decoded file, without its line end: 4 MiB.
    pub record_bytes: usize,
    /// The most columns: 4096.
    pub columns: usize,
    /// Bytes from the start of a record within which its end is searched: 16 MiB. This bounds the gate's memory. A quote
    /// that is not closed by then counts as never closed: it costs its line, not the rest of the file. The price is that the lines of
    /// a longer quoted field are read as rows.
    pub lookahead_bytes: usize,
    /// The most unpacked bytes per packed byte: 100.
    pub unpacked_ratio: u64,
    /// The unpacked bytes that are always allowed, because small regular files pack better: 8 MiB.
    pub unpacked_floor: u64,
    /// The most unpacked bytes of any file: 64 GiB.
    pub unpacked_bytes: u64,
    /// The largest window of a zstd archive, which takes as much memory: 128 MiB. It counts as the next lower power of two.
    pub max_window: u64,
    /// The number of rejects to keep; further ones are only counted: 1000.
    pub rejects_kept: usize,
    /// The most bytes of a reject's raw text: 1 KiB.
    pub raw_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            field_bytes: 1 << 20,
            record_bytes: 4 << 20,
            columns: 4096,
            lookahead_bytes: 16 << 20,
            unpacked_ratio: 100,
            unpacked_floor: 8 << 20,
            unpacked_bytes: 64 << 30,
            max_window: 128 << 20,
            rejects_kept: 1000,
            raw_bytes: 1 << 10,
        }
    }
}

impl Settings {
    /// # Errors
    /// [`Error::Settings`] if the header or the comment cannot work for any file.
    pub(crate) fn check_lines(&self) -> Result<(), Error> {
        let has_line_end = |text: &str| text.contains(['\r', '\n']);
        if self.comment.as_deref().is_some_and(|comment| comment.is_empty() || has_line_end(comment)) {
            return Err(Error::Settings("comment cannot be used: it must not be empty or contain a line end".into()));
        }
        match &self.header {
            Header::Names(names) if names.iter().all(|name| name.trim().is_empty()) => {
                Err(Error::Settings("header cannot be used: list the names of the columns".into()))
            }
            Header::Names(names) if names.len() > self.limits.columns => Err(Error::Settings(format!(
                "header lists {} columns where {} are the limit: raise `max_columns`",
                names.len(),
                self.limits.columns
            ))),
            _ => Ok(()),
        }
    }
}
