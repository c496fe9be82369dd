//! The settings of a format as flags of `inspect`.

use clap::Args;
use serde::de::DeserializeOwned;
use tributary_protocol::{Escapes, FormatSpec, HeaderSpec, Ragged, Sheet};

/// Settings of a format; `docs/reference/formats.md` describes them. What is not set is detected or has its default.
#[derive(Args, Clone, Debug, Default)]
pub struct FormatFlags {
    /// Sheet of an Excel workbook: its number from 1, or its name
    #[arg(long, value_name = "SHEET", value_parser = sheet)]
    pub sheet: Option<Sheet>,
    /// Encoding, such as windows-1252 [default: detected]
    #[arg(long)]
    pub encoding: Option<String>,
    /// Field delimiter, one or several characters; \t is a tab [default: detected]
    #[arg(long, value_name = "C", value_parser = delimiter)]
    pub delimiter: Option<String>,
    /// Quote character; empty for none [default: detected]
    #[arg(long, value_name = "C", value_parser = quote)]
    pub quote: Option<String>,
    /// Escape character [default: detected]
    #[arg(long, value_name = "C", value_parser = ascii)]
    pub escape: Option<String>,
    /// The treatment of the escape itself: dropped or kept [default: dropped]
    #[arg(long, value_name = "HOW", value_parser = word::<Escapes>)]
    pub escapes: Option<Escapes>,
    /// Read a quote inside a quoted field as text if neither a delimiter nor a line end follows it
    #[arg(long)]
    pub lenient_quotes: bool,
    /// Lines to skip before the header [default: detected]
    #[arg(long, value_name = "N")]
    pub skip_rows: Option<u64>,
    /// Lines to skip at the end [default: detected]
    #[arg(long, value_name = "N")]
    pub skip_footer: Option<u64>,
    /// Skip lines that start so
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Name of a column, for a file without a header; once for each column
    #[arg(long, value_name = "NAME", conflicts_with = "no_header")]
    pub header: Vec<String>,
    /// Treat the first line as a row and name the columns column_1, column_2, …
    #[arg(long)]
    pub no_header: bool,
    /// The treatment of rows that have too few or too many fields: reject, pad or trim [default: reject]
    #[arg(long, value_name = "HOW", value_parser = word::<Ragged>)]
    pub ragged: Option<Ragged>,
    /// Word that means an empty cell; repeatable
    #[arg(long, value_name = "WORD")]
    pub null: Vec<String>,
    /// Read ="x" and 'x as the text x
    #[arg(long)]
    pub text_cells: bool,
    /// Most columns [default: 4096]
    #[arg(long, value_name = "N")]
    pub max_columns: Option<u64>,
    /// Longest field [default: 1MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_field: Option<String>,
    /// Longest record [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_record: Option<String>,
    /// Most unpacked bytes per packed byte [default: 100]
    #[arg(long, value_name = "N")]
    pub max_ratio: Option<u64>,
    /// Largest window of a Zstandard archive [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    pub max_window: Option<String>,
}

impl FormatFlags {
    /// The flags as a format.
    pub(super) fn spec(&self) -> FormatSpec {
        let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
        FormatSpec {
            sheet: self.sheet.clone(),
            encoding: self.encoding.clone(),
            delimiter: self.delimiter.clone(),
            quote: self.quote.clone(),
            escape: self.escape.clone(),
            escapes: self.escapes,
            quotes: self.lenient_quotes.then_some(tributary_protocol::Quotes::Lenient),
            skip_rows: self.skip_rows,
            skip_footer: self.skip_footer,
            comment: self.comment.clone(),
            header: match self.no_header {
                true => Some(HeaderSpec::FirstLine(false)),
                false => list(&self.header).map(HeaderSpec::Names),
            },
            ragged: self.ragged,
            null: list(&self.null),
            text_cells: self.text_cells.then_some(true),
            max_columns: self.max_columns,
            max_field: self.max_field.clone(),
            max_record: self.max_record.clone(),
            max_ratio: self.max_ratio,
            max_window: self.max_window.clone(),
            ..FormatSpec::default()
        }
    }
}

fn sheet(text: &str) -> Result<Sheet, String> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true if text.is_empty() => Err("give a number or a name".to_owned()),
        true => text.parse().map(Sheet::Number).map_err(|_| "there are not so many sheets".to_owned()),
        false => Ok(Sheet::Name(text.to_owned())),
    }
}

fn delimiter(text: &str) -> Result<String, String> {
    match text {
        "" => Err("a delimiter has at least one character".to_owned()),
        text => Ok(text.replace("\\t", "\t")),
    }
}

fn quote(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { ascii(text) }
}

fn ascii(text: &str) -> Result<String, String> {
    let is_one = text.len() == 1 && text.is_ascii();
    if is_one { Ok(text.to_owned()) } else { Err("give one ASCII character".to_owned()) }
}

/// One of the words that a setting has in TOML.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|why| why.to_string())
}
