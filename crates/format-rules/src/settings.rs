//! Turns settings as typed into those of the CSV gate and of the report engine.

use std::{collections::BTreeMap, fmt};

use tributary_csv_gate::{FileReject, Header, Limits, OpWords, Quote, Settings, folded};
use tributary_protocol::{Escapes, FormatSpec, HeaderSpec, Op, Quotes, Sheet};
use tributary_report::{FileFormat, NumberFormat, NumberFormatError};

use crate::size;

/// A setting that cannot work for any file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// The key; none if it is not known.
    pub key: Option<&'static str>,
    /// The fault and how to fix it.
    pub reason: String,
}

impl std::error::Error for SettingError {}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) if !self.reason.contains(key) => write!(f, "{key}: {}", self.reason),
            _ => f.write_str(&self.reason),
        }
    }
}

impl From<NumberFormatError> for SettingError {
    fn from(NumberFormatError { key, reason }: NumberFormatError) -> Self {
        Self { key: Some(key), reason }
    }
}

impl From<SettingError> for FileReject {
    /// The settings of a master and a source, each fine alone, can contradict each other.
    fn from(error: SettingError) -> Self {
        Self::of_file(format!("the settings of its format cannot work: {error}"))
    }
}

/// The keys that the gate itself checks, and which its errors name.
const CHECKED_BY_GATE: [&str; 6] = ["encoding", "delimiter", "quote", "escape", "header", "comment"];

/// The gate's settings for a file with these.
///
/// # Errors
/// They cannot work for any file.
pub fn settings(spec: &FormatSpec) -> Result<Settings, SettingError> {
    check_sheet(spec)?;
    let default = Settings::default();
    let settings = Settings {
        sheet: spec.sheet.clone(),
        encoding: spec.encoding.clone(),
        delimiter: spec.delimiter.clone(),
        quote: spec.quote.as_deref().map(quote).transpose()?,
        quotes: spec.quotes.unwrap_or_default(),
        escape: spec.escape.as_deref().map(|text| one_byte("escape", text)).transpose()?,
        escapes: spec.escapes.unwrap_or_default(),
        skip_rows: spec.skip_rows.unwrap_or_default(),
        skip_footer: spec.skip_footer.unwrap_or_default(),
        header: header(spec.header.as_ref()),
        comment: spec.comment.clone(),
        ragged: spec.ragged.unwrap_or_default(),
        null: spec.null.clone().unwrap_or_default(),
        text_cells: spec.text_cells.unwrap_or_default(),
        limits: limits(spec, default.limits)?,
    };
    settings.check().map_err(|error| {
        let reason = error.to_string();
        SettingError { key: CHECKED_BY_GATE.into_iter().find(|key| reason.contains(key)), reason }
    })?;
    Ok(settings)
}

/// All that a report needs to read a file with these.
///
/// # Errors
/// They cannot work for any file.
pub fn file_format(spec: &FormatSpec) -> Result<FileFormat, SettingError> {
    Ok(FileFormat { settings: settings(spec)?, numbers: NumberFormat::new(spec)? })
}

/// Refuses what one rule cannot mean. A master and a source may well set the parts of it, each for the other's lack.
///
/// # Errors
/// A key says nothing, or two contradict each other.
pub(crate) fn check_rule(spec: &FormatSpec) -> Result<(), SettingError> {
    let has_no_quotes = spec.quote.as_deref() == Some("");
    let error = |key, reason: &str| Err(SettingError { key: Some(key), reason: reason.to_owned() });
    if has_no_quotes && spec.quotes == Some(Quotes::Lenient) {
        return error(
            "quotes",
            "quotes = \"lenient\" means nothing where quote = \"\" takes all quotes for text: leave one out",
        );
    }
    if has_no_quotes && spec.escapes == Some(Escapes::Kept) {
        return error(
            "escapes",
            "escapes = \"kept\" protects quotes, and quote = \"\" takes all of them for text: leave one out",
        );
    }
    check_op(spec.op.iter().flatten())
}

/// Words count trimmed and in any case, so each may be listed once, and `upsert` and `delete` mean themselves.
fn check_op<'a>(words: impl Iterator<Item = (&'a String, &'a Op)>) -> Result<(), SettingError> {
    let error = |reason| Err(SettingError { key: Some("op"), reason });
    let mut known = BTreeMap::from([("upsert".to_owned(), Op::Upsert), ("delete".to_owned(), Op::Delete)]);
    for (word, op) in words {
        match known.insert(folded(word), *op) {
            Some(other) if other != *op && ["upsert", "delete"].contains(&folded(word).as_str()) => {
                return error(format!("op: `{word}` has its meaning already: leave it out"));
            }
            Some(other) if other != *op => {
                return error(format!("op: `{word}` has two meanings, because words count in any case: leave one out"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The words of the column `op`.
#[must_use]
pub fn op_words(spec: &FormatSpec) -> OpWords {
    spec.op.iter().flatten().map(|(word, op)| (folded(word), *op)).collect()
}

/// A sheet has cells, so the settings by which a text is cut into cells would mean nothing.
fn check_sheet(spec: &FormatSpec) -> Result<(), SettingError> {
    let error = |key, reason: String| Err(SettingError { key: Some(key), reason });
    match &spec.sheet {
        None => return Ok(()),
        Some(Sheet::Number(0)) => return error("sheet", "sheet = 0 is none: sheets are counted from 1".to_owned()),
        Some(Sheet::Name(name)) if name.is_empty() => {
            return error("sheet", "sheet = \"\" is none: give its name, or its number from 1".to_owned());
        }
        Some(_) => {}
    }
    let set = [
        ("encoding", spec.encoding.is_some()),
        ("delimiter", spec.delimiter.is_some()),
        ("quote", spec.quote.is_some()),
        ("quotes", spec.quotes.is_some()),
        ("escape", spec.escape.is_some()),
        ("escapes", spec.escapes.is_some()),
        ("ragged", spec.ragged.is_some()),
        ("max_ratio", spec.max_ratio.is_some()),
        ("max_window", spec.max_window.is_some()),
    ];
    match set.into_iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => error(key, format!("{key} means nothing for a workbook: leave it out, or leave out sheet")),
        None => Ok(()),
    }
}

fn header(spec: Option<&HeaderSpec>) -> Header {
    match spec {
        None | Some(HeaderSpec::FirstLine(true)) => Header::FirstLine,
        Some(HeaderSpec::FirstLine(false)) => Header::None,
        Some(HeaderSpec::Names(names)) => Header::Names(names.clone()),
    }
}

fn quote(text: &str) -> Result<Quote, SettingError> {
    if text.is_empty() { Ok(Quote::None) } else { one_byte("quote", text).map(Quote::Char) }
}

fn one_byte(key: &'static str, text: &str) -> Result<u8, SettingError> {
    match *text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(byte),
        _ => Err(SettingError {
            key: Some(key),
            reason: format!("`{text}` cannot be the {key}: write one ASCII character"),
        }),
    }
}

fn limits(spec: &FormatSpec, default: Limits) -> Result<Limits, SettingError> {
    let bytes = |key: &'static str, text: &Option<String>| {
        let bytes = text.as_deref().map(size).transpose().map_err(|reason| SettingError { key: Some(key), reason })?;
        at_least_one(key, bytes)
    };
    let or = |bytes: Option<u64>, default: usize| {
        bytes.map_or(default, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    let field_bytes = or(bytes("max_field", &spec.max_field)?, default.field_bytes);
    let record_bytes = default.record_bytes.max(field_bytes.saturating_mul(4));
    let record_bytes = or(bytes("max_record", &spec.max_record)?, record_bytes);
    Ok(Limits {
        field_bytes,
        record_bytes,
        columns: or(at_least_one("max_columns", spec.max_columns)?, default.columns),
        lookahead_bytes: default.lookahead_bytes.max(record_bytes.saturating_mul(4)),
        unpacked_ratio: at_least_one("max_ratio", spec.max_ratio)?.unwrap_or(default.unpacked_ratio),
        max_window: bytes("max_window", &spec.max_window)?.unwrap_or(default.max_window),
        ..default
    })
}

fn at_least_one(key: &'static str, limit: Option<u64>) -> Result<Option<u64>, SettingError> {
    match limit {
        Some(0) => Err(SettingError { key: Some(key), reason: format!("{key} = 0 lets no file through: raise it") }),
        limit => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_name_their_key() {
        let check = |spec: FormatSpec, key: &'static str, word: &str| {
            let error = file_format(&spec).unwrap_err();
            assert_eq!(error.key, Some(key), "{error}");
            assert!(error.to_string().contains(word), "{error} lacks {word}");
        };
        let text = |text: &str| Some(text.to_owned());
        let spec = FormatSpec::default;
        check(FormatSpec { encoding: text("klingon"), ..spec() }, "encoding", "klingon");
        check(FormatSpec { delimiter: text(""), ..spec() }, "delimiter", "\"\"");
        check(FormatSpec { quote: text("''"), ..spec() }, "quote", "one ASCII character");
        check(FormatSpec { escape: text("é"), ..spec() }, "escape", "one ASCII character");
        check(FormatSpec { thousands: text("."), ..spec() }, "thousands", "set decimal = \",\"");
        check(FormatSpec { max_field: text("4"), ..spec() }, "max_field", "not a size");
        check(FormatSpec { max_window: text("1"), ..spec() }, "max_window", "not a size");
        check(FormatSpec { max_record: text("many"), ..spec() }, "max_record", "max_record: `many` is not a size");
        check(FormatSpec { thousands: text("ab"), ..spec() }, "thousands", "thousands");
        check(FormatSpec { max_columns: Some(0), ..spec() }, "max_columns", "raise it");
        check(FormatSpec { max_ratio: Some(0), ..spec() }, "max_ratio", "raise it");
        check(FormatSpec { max_field: text("0B"), ..spec() }, "max_field", "raise it");
        check(FormatSpec { max_record: text("0 MiB"), ..spec() }, "max_record", "raise it");
        check(FormatSpec { max_window: text("0B"), ..spec() }, "max_window", "raise it");
    }

    /// The other word won, `upsert = "delete"` hid every row, and what meant nothing was taken.
    #[test]
    fn a_rule_that_contradicts_itself_is_refused() {
        let check = |toml: &str, expect: Option<(&'static str, &str)>| {
            let spec: FormatSpec = toml::from_str(toml).unwrap();
            let error = check_rule(&spec).err();
            assert_eq!(error.as_ref().and_then(|error| error.key), expect.map(|(key, _)| key), "{toml}");
            let reason = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(reason.contains(expect.map_or("", |(_, word)| word)), "{toml}: {reason}");
        };
        check("op = { I = \"upsert\", i = \"delete\" }", Some(("op", "`i` has two meanings")));
        check("op = { I = \"upsert\", \" i\" = \"delete\" }", Some(("op", "two meanings")));
        check("op = { Upsert = \"delete\" }", Some(("op", "`Upsert` has its meaning already")));
        check("op = { DELETE = \"upsert\" }", Some(("op", "`DELETE` has its meaning already")));
        check("op = { I = \"upsert\", i = \"upsert\", Delete = \"delete\", \"\" = \"delete\" }", None);
        check("quote = \"\"\nquotes = \"lenient\"", Some(("quotes", "leave one out")));
        check("quote = \"\"\nescapes = \"kept\"", Some(("escapes", "leave one out")));
        check("quote = \"\"\nquotes = \"strict\"\nescapes = \"dropped\"", None);
    }

    #[test]
    fn a_sheet_takes_no_setting_of_text() {
        let sheet = |sheet| FormatSpec { sheet: Some(sheet), ..FormatSpec::default() };
        let of_text = FormatSpec { delimiter: Some(";".into()), ..sheet(Sheet::Number(1)) };
        let error = settings(&of_text).unwrap_err();
        assert_eq!(error.key, Some("delimiter"));
        assert!(error.reason.contains("means nothing for a workbook"), "{error}");
        assert_eq!(settings(&sheet(Sheet::Number(0))).unwrap_err().key, Some("sheet"));
        assert_eq!(settings(&sheet(Sheet::Name(String::new()))).unwrap_err().key, Some("sheet"));
        let usual =
            FormatSpec { skip_rows: Some(2), null: Some(vec!["-".into()]), ..sheet(Sheet::Name("Prices".into())) };
        assert_eq!(settings(&usual).unwrap().sheet, Some(Sheet::Name("Prices".into())));
    }

    #[test]
    fn a_larger_field_makes_room_for_its_record() {
        let spec = FormatSpec { max_field: Some("64MiB".into()), ..FormatSpec::default() };
        let Limits { field_bytes, record_bytes, lookahead_bytes, .. } = settings(&spec).unwrap().limits;
        assert_eq!((field_bytes, record_bytes, lookahead_bytes), (64 << 20, 256 << 20, 1 << 30));
        assert_eq!(settings(&FormatSpec::default()).unwrap().limits, Limits::default());
    }
}
