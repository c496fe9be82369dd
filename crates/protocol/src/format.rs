//! `[[format]]`: how some files are to be read. Owners of folders and of masters write it in TOML; a manifest announces it and a
//! request for a partial carries it in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// The settings of some files, as typed. A setting that is missing is detected or has its default; `docs/reference/formats.md`
/// describes each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormatSpec {
    /// Patterns of paths. Without any, the settings are for every file.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub files: Vec<String>,
    /// The sheet of an Excel workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
    /// A label of the WHATWG Encoding Standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// One or several characters between fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// The character around fields; empty if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The character that makes the next one plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<String>,
    /// The treatment of `escape` itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escapes: Option<Escapes>,
    /// Lines before the header that are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_rows: Option<u64>,
    /// Lines at the end of the file that are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_footer: Option<u64>,
    /// Lines that start so are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The names of the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderSpec>,
    /// The treatment of rows of another length than the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ragged: Option<Ragged>,
    /// The treatment of quotes inside quoted fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<Quotes>,
    /// Words that mean an empty cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<Vec<String>>,
    /// Whether `="x"` and `'x` are the text x.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_cells: Option<bool>,
    /// The decimal sign of numbers, `.` or `,`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<String>,
    /// The character between groups of three digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<String>,
    /// Signs and names in front of numbers or behind them, such as `$` or `EUR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Vec<String>>,
    /// The form of negative numbers beside a minus in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative: Option<Negative>,
    /// Whether `5%` is 0.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<bool>,
    /// Most columns of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_columns: Option<u64>,
    /// Longest field, such as `4MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_field: Option<String>,
    /// Longest record, such as `16MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_record: Option<String>,
    /// Most unpacked bytes per packed byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ratio: Option<u64>,
    /// Largest window of a Zstandard archive, such as `512MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_window: Option<String>,
    /// Meanings of the values of the column `op`, compared trimmed and in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<BTreeMap<String, Op>>,
    /// Columns of the catalog whose empty cells inherit from the rows above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_down: Option<Vec<String>>,
    /// Order of the files, of which the last one wins. It does not change how a file is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// Hex digits of a digest: enough to tell the settings of one file apart over the years.
const DIGEST_DIGITS: usize = 16;

impl FormatSpec {
    /// A digest of the settings that decide how a file is read, so without `files` and `order`; `None` if all are missing.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        let settings = Self { files: Vec::new(), order: None, ..self.clone() };
        // A struct of texts and numbers can always be written.
        let text = serde_json::to_string(&settings).ok().filter(|_| settings != Self::default())?;
        Some(blake3::hash(text.as_bytes()).to_hex()[..DIGEST_DIGITS].to_owned())
    }

    /// These settings, and those of `other` where they are missing. `files` stay as they are.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            files: self.files,
            sheet: self.sheet.or(other.sheet),
            encoding: self.encoding.or(other.encoding),
            delimiter: self.delimiter.or(other.delimiter),
            quote: self.quote.or(other.quote),
            escape: self.escape.or(other.escape),
            escapes: self.escapes.or(other.escapes),
            skip_rows: self.skip_rows.or(other.skip_rows),
            skip_footer: self.skip_footer.or(other.skip_footer),
            comment: self.comment.or(other.comment),
            header: self.header.or(other.header),
            ragged: self.ragged.or(other.ragged),
            quotes: self.quotes.or(other.quotes),
            null: self.null.or(other.null),
            text_cells: self.text_cells.or(other.text_cells),
            decimal: self.decimal.or(other.decimal),
            thousands: self.thousands.or(other.thousands),
            currency: self.currency.or(other.currency),
            negative: self.negative.or(other.negative),
            percent: self.percent.or(other.percent),
            max_columns: self.max_columns.or(other.max_columns),
            max_field: self.max_field.or(other.max_field),
            max_record: self.max_record.or(other.max_record),
            max_ratio: self.max_ratio.or(other.max_ratio),
            max_window: self.max_window.or(other.max_window),
            op: self.op.or(other.op),
            fill_down: self.fill_down.or(other.fill_down),
            order: self.order.or(other.order),
        }
    }
}

/// The source of the names of columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a list of column names, or false for a file without a header")]
pub enum HeaderSpec {
    /// Whether the first line names them. If it does not, they are `column_1` and so on.
    FirstLine(bool),
    /// Those of a file without a header.
    Names(Vec<String>),
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a sheet, or its number from 1")]
pub enum Sheet {
    /// By its position, counted from 1.
    Number(u32),
    /// By its name.
    Name(String),
}

/// The order of the files of a source, of which the last one wins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// By path, byte by byte.
    #[default]
    Path,
    /// By path, with numbers as numbers: `delta-2` before `delta-10`.
    Natural,
    /// By the time of the last change.
    Modified,
}

/// The treatment of a row of another length than the header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ragged {
    /// The row is a reject.
    #[default]
    Reject,
    /// Missing fields are empty; a row with more fields is a reject.
    Pad,
    /// Empty fields beyond the header are dropped; a row with fewer fields is a reject.
    Trim,
}

/// The treatment of the character `escape`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Escapes {
    /// It is dropped, and the next character is plain. Without quoting, `\n`, `\r` and `\t` are a line end, a carriage return and a
    /// tab.
    #[default]
    Dropped,
    /// It protects a quote and stays in the text, as PHP's `fputcsv` writes it. It is a backslash if none is set.
    Kept,
}

/// The treatment of a quote inside a quoted field that is not doubled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quotes {
    /// The field is not closed properly.
    #[default]
    Strict,
    /// The quote is text if neither a delimiter nor a line end follows it.
    Lenient,
}

/// The form of negative numbers. A minus in front is always one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Negative {
    /// Only the minus in front.
    #[default]
    Minus,
    /// Parentheses: `(5)` is -5.
    Parentheses,
    /// A minus behind the number: `5-` is -5.
    Trailing,
}

/// The effect of a row on its sku.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// The row offers its product.
    Upsert,
    /// The row takes its sku away.
    Delete,
}

/// A text, or a list of texts, as people type it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
pub enum OneOrMany {
    /// One text.
    One(String),
    /// A list, perhaps an empty one.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The texts as a list.
    #[must_use]
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::Many(texts) => texts.clone(),
        }
    }
}

pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    OneOrMany::deserialize(deserializer).map(|texts| texts.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_a_name_or_a_number() {
        let read = |json: &str| serde_json::from_str::<FormatSpec>(json);
        let (number, name) = (read(r#"{"sheet":1}"#).unwrap(), read(r#"{"sheet":"1"}"#).unwrap());
        assert_eq!((&number.sheet, &name.sheet), (&Some(Sheet::Number(1)), &Some(Sheet::Name("1".into()))));
        assert_ne!(number.digest(), name.digest());
        assert_eq!(serde_json::to_string(&number).unwrap(), r#"{"sheet":1}"#);
        assert_eq!(number.clone().or(name.clone()).sheet, number.sheet);
        assert_eq!(FormatSpec::default().or(name.clone()).sheet, name.sheet);
        for wrong in [r#"{"sheet":-1}"#, r#"{"sheet":1.5}"#, r#"{"sheet":true}"#] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("the name of a sheet, or its number from 1"), "{error}");
        }
    }

    #[test]
    fn a_header_is_a_list_of_names_or_none() {
        let read = |json: &str| serde_json::from_str::<FormatSpec>(json).map(|spec| spec.header);
        let names = HeaderSpec::Names(vec!["a".into()]);
        assert_eq!(read(r#"{"header":["a"]}"#).unwrap(), Some(names.clone()));
        assert_eq!(read(r#"{"header":false}"#).unwrap(), Some(HeaderSpec::FirstLine(false)));
        let spec = FormatSpec { header: Some(HeaderSpec::FirstLine(false)), ..FormatSpec::default() };
        assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"header":false}"#);
        // The digest of a list is part of stored readings.
        let spec = FormatSpec { header: Some(names), ..spec };
        assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"header":["a"]}"#);
        for wrong in [r#"{"header":"a"}"#, r#"{"header":0}"#] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("a list of column names, or false"), "{error}");
        }
    }

    #[test]
    fn json_holds_what_is_set_and_gives_it_back() {
        let typed = r#"{"files":"*.txt","quote":"","ragged":"trim","op":{"D":"delete"}}"#;
        let spec: FormatSpec = serde_json::from_str(typed).unwrap();
        assert_eq!((spec.files.as_slice(), spec.quote.as_deref()), (&["*.txt".to_owned()][..], Some("")));
        let written = serde_json::to_string(&spec).unwrap();
        assert_eq!(written, r#"{"files":["*.txt"],"quote":"","ragged":"trim","op":{"D":"delete"}}"#);
        assert_eq!(serde_json::from_str::<FormatSpec>(&written).unwrap(), spec);
        assert_eq!(FormatSpec::default().digest(), None);
        assert_eq!(FormatSpec { files: vec!["a".into()], ..FormatSpec::default() }.digest(), None);
        assert_eq!(spec.digest().unwrap().len(), DIGEST_DIGITS);
        assert_eq!(spec.digest(), FormatSpec { order: Some(Order::Natural), ..spec.clone() }.digest());
        assert_ne!(spec.digest(), FormatSpec { quote: None, ..spec }.digest());
        let wrong = serde_json::from_str::<FormatSpec>(r#"{"delimeter":";"}"#).unwrap_err().to_string();
        assert!(wrong.contains("`delimeter`") && wrong.contains("`delimiter`"), "{wrong}");
    }
}
