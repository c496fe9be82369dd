//! Settings for reading a file, chosen by the caller. For what was detected see [`crate::Dialect`].

/// Settings for reading a file. By default everything is detected, the first line is the header, and ragged rows are
/// rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A label of the WHATWG Encoding Standard such as `windows-1252`, or of a code page of DOS such as `cp437`;
    /// detected if none. Takes precedence over a byte order mark.
    pub encoding: Option<String>,
    /// One or several characters that separate fields; if none, one of `,` `;` tab `|` is detected.
    pub delimiter: Option<String>,
    /// The quote; `"` if none.
    pub quote: Option<Quote>,
    /// The byte that makes the next one plain text inside quotes. If none, only a doubled quote is special.
    pub escape: Option<u8>,
    /// Physical lines to skip before the header.
    pub skip_rows: u64,
    /// Whether the first non-empty line names the columns. Without a header the columns are `column_1` and so on, as
    /// many as the first good row has fields.
    pub header: bool,
    /// The treatment of rows with too few fields.
    pub ragged: Ragged,
    /// The limits of a file.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            quote: None,
            escape: None,
            skip_rows: 0,
            header: true,
            ragged: Ragged::default(),
            limits: Limits::default(),
        }
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

/// The treatment of a row with fewer fields than the header. A row with more fields is always a reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ragged {
    /// The row is a reject.
    #[default]
    Reject,
    /// The missing fields are empty.
    Pad,
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
