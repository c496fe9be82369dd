//! What a caller may say about how a file is to be read. Not what was found: that is [`crate::Dialect`].

/// How to read a file. By default everything is detected, the first line is the header, and ragged rows are rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A label of the WHATWG Encoding Standard such as `windows-1252`; none: detected. It beats a byte order mark.
    pub encoding: Option<String>,
    /// One or several characters that part fields; none: one of `,` `;` tab `|`, detected.
    pub delimiter: Option<String>,
    /// The quote; none: `"`.
    pub quote: Option<Quote>,
    /// Inside quotes, this byte makes the next one plain text; none: only a doubled quote is special.
    pub escape: Option<u8>,
    /// Physical lines to pass over before the header.
    pub skip_rows: u64,
    /// Whether the first line that is not empty names the columns. Without a header they are `column_1` and so on, as
    /// many as the first good row has.
    pub header: bool,
    /// What becomes of rows with too few fields.
    pub ragged: Ragged,
    /// What a file may cost.
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

/// The character that quotes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// No quoting: every byte but delimiter and line end is text.
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

/// What becomes of a row with fewer fields than the header. A row with more is always a reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ragged {
    /// It is a reject.
    #[default]
    Reject,
    /// The fields it lacks are empty.
    Pad,
}

/// What a file may cost. The defaults are those of DESIGN.md section 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest field in bytes of its text, quotes left out: 1 MiB.
    pub field_bytes: usize,
    /// Longest record in bytes as it stands in the decoded file, line end left out: 4 MiB.
    pub record_bytes: usize,
    /// Most columns: 4096.
    pub columns: usize,
    /// How far, in bytes from the start of a record, its end is looked for: 16 MiB. This bounds the memory of the gate.
    pub lookahead_bytes: usize,
    /// How many times its packed size a packed file may be unpacked: 100.
    pub unpacked_ratio: u64,
    /// Unpacked bytes that are fine whatever the ratio, because small regular files pack better: 8 MiB.
    pub unpacked_floor: u64,
    /// Most unpacked bytes of any file: 64 GiB.
    pub unpacked_bytes: u64,
    /// How many rejects are kept whole; the others are only counted: 1000.
    pub rejects_kept: usize,
    /// Most bytes of a reject's raw text: 1 KiB.
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
            rejects_kept: 1000,
            raw_bytes: 1 << 10,
        }
    }
}
