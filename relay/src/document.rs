//! A message as a document.

use bytes::Bytes;
use tributary_amqp::Message;

use crate::unpack::Packing;

/// The header that names the file.
const PATH: &str = "path";
/// The header that says which document of a path is newer.
const SEQUENCE: &str = "x-sequence";
/// Media types that a CSV document may have. Many producers say nothing, or no more than that it is text or bytes.
const MEDIA_TYPES: [&str; 6] = [
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/vnd.ms-excel",
    "application/octet-stream",
];

/// A document that a message brought.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) path: String,
    /// The id of the message. Without one a message that is delivered twice is stored twice.
    pub(crate) message: Option<String>,
    pub(crate) sequence: Option<i64>,
    pub(crate) packing: Option<Packing>,
    pub(crate) body: Bytes,
}

impl Document {
    /// Reads a message. What it says of the file is checked by the master.
    ///
    /// # Errors
    /// The reason why it can never be used.
    pub(crate) fn of(message: &Message, body: Bytes) -> Result<Self, String> {
        let path = message.headers.get(PATH).ok_or("no header `path`, a text that names the file")?;
        check_path(path)?;
        let media_type = message.content_type.as_deref().unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !essence.is_empty() && !MEDIA_TYPES.contains(&essence.as_str()) {
            return Err(format!("its content-type is `{media_type}`; a document is text/csv"));
        }
        let sequence = message.headers.get(SEQUENCE).map(|text| {
            let number = text.trim().parse();
            number.map_err(|_| format!("its header `{SEQUENCE}` is `{text}`, not an integer of 64 bits"))
        });
        let packing = match message.packing() {
            None => None,
            Some("gzip") => Some(Packing::Gzip),
            Some("zstd") => Some(Packing::Zstd),
            Some(other) => return Err(format!("its content-encoding is `{other}`; gzip and zstd are unpacked")),
        };
        Ok(Self { path: path.clone(), message: message.id.clone(), sequence: sequence.transpose()?, packing, body })
    }
}

/// Checks the path of a document. A URL with such a step would be that of another route; the master checks the rest.
///
/// # Errors
/// The reason why it can never be used.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if path.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return Err(format!("its path `{path}` has an empty step, `.` or `..`; name the file relative to the folder"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&str, &str)], content_type: &str, encoding: &str) -> Result<Document, String> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let message = Message {
            id: some("m1"),
            content_type: some(content_type),
            content_encoding: some(encoding),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
        };
        Document::of(&message, Bytes::from_static(b"sku,name\n"))
    }

    #[test]
    fn a_message_with_a_path_is_a_document() {
        let document = of(&[("path", "a/b.csv"), ("x-sequence", "-3")], "text/csv; charset=utf-8", "gzip").unwrap();
        assert_eq!((document.path.as_str(), document.sequence), ("a/b.csv", Some(-3)));
        assert_eq!((document.packing, document.message.as_deref()), (Some(Packing::Gzip), Some("m1")));
        let document = of(&[("path", "a.csv")], "", "").unwrap();
        assert_eq!((document.packing, document.sequence), (None, None));
    }

    #[test]
    fn what_can_never_be_used_has_a_reason() {
        let check = |headers, content_type, encoding, expect: &str| {
            let why = of(headers, content_type, encoding).unwrap_err();
            assert!(why.contains(expect), "{why}");
        };
        check(&[], "text/csv", "", "no header `path`");
        for path in ["", "/a.csv", "a//b.csv", "../a.csv", "a/./b.csv", "a/..", "a/"] {
            let why = of(&[("path", path)], "text/csv", "").unwrap_err();
            assert!(why.contains("has an empty step"), "{path}: {why}");
        }
        check(&[("path", "a.csv")], "application/json", "", "`application/json`; a document is text/csv");
        check(&[("path", "a.csv")], "text/csv", "br", "`br`; gzip and zstd");
        check(&[("path", "a.csv"), ("x-sequence", "1.5")], "", "", "`1.5`, not an integer");
    }
}
