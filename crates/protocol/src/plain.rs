//! `POST /plain`: asks whether programs that know nothing of this protocol read a file as the source does, and the JSON lines of the answer.

use serde::{Deserialize, Serialize};

use crate::{
    FormatSpec,
    bounds::{self, MAX_GROUP_TEXTS, MAX_TEXT_BYTES},
};

/// Most notes on a file that are kept.
const MAX_NOTES: usize = 20;

/// The body of `POST /plain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskPlain {
    /// Path of the file in the manifest.
    pub path: String,
    /// Hash of the file in the manifest; a file with other content is refused.
    pub hash: String,
    /// Format of partials that the caller understands. A source with another one reads files otherwise, and refuses.
    pub format: String,
    /// The format of the file. Left out where the source's own settings count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<FormatSpec>,
}

/// One line of the answer to `POST /plain`. A line of progress is sent at least every second. The last line is any other one; without
/// it the answer is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlainLine {
    /// Progress of reading.
    Progress {
        /// Bytes read.
        bytes: u64,
    },
    /// Any CSV reader reads the file alike.
    Plain(PlainFile),
    /// Readers may disagree about it.
    NotPlain {
        /// The first reason.
        #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
        reason: String,
    },
    /// The file changed meanwhile.
    Changed,
    /// The source could not read it.
    Failed {
        /// The reason.
        #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
        detail: String,
    },
}

/// A file that any CSV reader reads alike: UTF-8, a row on each line, quotes by RFC 4180, no rejects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainFile {
    /// The delimiter.
    pub delimiter: char,
    /// Whether the first line names the columns. If not, it is a row.
    pub header: bool,
    /// Rows.
    pub rows: u64,
    /// The columns, in order.
    #[serde(deserialize_with = "bounds::few::<_, PlainColumn, MAX_GROUP_TEXTS>")]
    pub columns: Vec<PlainColumn>,
    /// Format of the file, in a few words for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::cut_optional::<_, MAX_TEXT_BYTES>"
    )]
    pub format: Option<String>,
    /// Texts for people on how the file was read.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::cut_texts::<_, MAX_NOTES, MAX_TEXT_BYTES>"
    )]
    pub notes: Vec<String>,
}

/// Facts about all cells of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainColumn {
    /// Name, trimmed; the position where the file has no header.
    pub name: String,
    /// Cells without text, quoted or not.
    pub empty: u64,
    /// Cells with white space at an end.
    pub padded: u64,
    /// Cells that are neither empty nor a number such as `-12.50`.
    pub texts: u64,
    /// The most digits before the point of a number, without zeros at its start.
    pub whole: u32,
    /// The most digits behind the point of a number.
    pub fraction: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_json() {
        let check = |line: PlainLine, json: &str| {
            assert_eq!(serde_json::to_string(&line).unwrap(), json);
            assert_eq!(serde_json::from_str::<PlainLine>(json).unwrap(), line);
        };
        check(PlainLine::Progress { bytes: 7 }, r#"{"progress":{"bytes":7}}"#);
        check(PlainLine::Changed, r#""changed""#);
        check(PlainLine::NotPlain { reason: "r".into() }, r#"{"not_plain":{"reason":"r"}}"#);
        let column = PlainColumn { name: "a".into(), empty: 1, padded: 0, texts: 2, whole: 3, fraction: 4 };
        let (format, notes) = (Some("CSV".to_owned()), Vec::new());
        let file = PlainFile { delimiter: ',', header: true, rows: 3, columns: vec![column], format, notes };
        check(
            PlainLine::Plain(file),
            r#"{"plain":{"delimiter":",","header":true,"rows":3,"columns":[{"name":"a","empty":1,"padded":0,"texts":2,"whole":3,"fraction":4}],"format":"CSV"}}"#,
        );
    }

    #[test]
    fn a_member_that_nobody_knows_is_refused() {
        assert!(serde_json::from_str::<AskPlain>(r#"{"path":"a","hash":"h","format":"1","columns":["a"]}"#).is_err());
    }
}
