//! Turns settings as typed into those of the CSV gate and of the report engine.

use tributary_csv_gate::{FileReject, Header, Limits, OpWords, Quote, Settings, folded};
use tributary_protocol::{FormatSpec, Sheet};
use tributary_report::{FileFormat, NumberFormat, NumberFormatError};

use crate::size;

/// A setting that cannot work for any file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SettingError {
    /// The key; none if it is not known.
    pub key: Option<&'static str>,
    /// The fault and how to fix it.
    pub reason: String,
}

impl From<NumberFormatError> for SettingError {
    fn from(NumberFormatError { key, reason }: NumberFormatError) -> Self {
        Self { key: Some(key), reason }
    }
}

impl From<SettingError> for FileReject {
    /// The settings of a master and a source, each fine alone, can contradict each other.
    fn from(error: SettingError) -> Self {
        Self { line: 0, reason: format!("the settings of its format cannot work: {error}"), raw: String::new() }
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
        header: spec.header.clone().map_or(Header::FirstLine, Header::Names),
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
        text.as_deref().map(size).transpose().map_err(|reason| SettingError { key: Some(key), reason })
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
        columns: or(spec.max_columns, default.columns),
        lookahead_bytes: default.lookahead_bytes.max(record_bytes.saturating_mul(4)),
        unpacked_ratio: spec.max_ratio.unwrap_or(default.unpacked_ratio),
        max_window: bytes("max_window", &spec.max_window)?.unwrap_or(default.max_window),
        ..default
    })
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
        check(FormatSpec { max_record: text("many"), ..spec() }, "max_record", "not a size");
    }

    #[test]
    fn a_sheet_takes_no_setting_of_text() {
        let sheet = |sheet| FormatSpec { sheet: Some(sheet), ..FormatSpec::default() };
        let of_text = FormatSpec { delimiter: Some(";".into()), ..sheet(Sheet::Number(1)) };
        let error = settings(&of_text).unwrap_err();
        assert_eq!(error.key, Some("delimiter"));
        assert!(error.reason.contains("means nothing for a workbook"), "{error}");
        assert_eq!(settings(&sheet(Sheet::Number(0))).unwrap_err().key, Some("sheet"));
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
