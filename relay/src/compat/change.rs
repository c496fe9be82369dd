//! A change of single rows: `{"operation": "add" | "delete", "data": {"name", …}}`.
//!
//! Each row is a document of its own, at a path made of its name and its content. So a repeated `add` replaces a document by the same
//! one, and `delete` takes back a folder: relays need no memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{Members, QUEUE, text};
use crate::{
    document::Document,
    master::{Master, Verdict},
};

/// Hex digits of a digest in a path: 128 bits, so that no two rows ever share one.
const DIGEST_DIGITS: usize = 32;

/// A change of the rows of one name.
#[derive(Debug)]
pub(crate) struct Change {
    /// The folder of all rows of that name; it ends in `/`.
    folder: String,
    /// The row to add. None deletes all rows of that name.
    row: Option<Document>,
}

impl Change {
    /// Reads a change.
    ///
    /// # Errors
    /// The reason why it can never be used.
    pub(super) fn of(members: &Members<'_>) -> Result<Self, String> {
        let operation = text(members, "operation")?;
        let data = members.get("data").ok_or("it has no member `data`")?;
        let data: Members = serde_json::from_str(data.get()).map_err(|_| "its member `data` is not an object")?;
        let row =
            data.into_iter().map(|(name, raw)| Ok((name, cell(raw)?))).collect::<Result<BTreeMap<_, _>, String>>()?;
        let name = row.get("name").ok_or("its member `data` has no `name`")?;
        let folder = format!("{QUEUE}/{}/", digest(name.as_bytes()));
        match operation.as_str() {
            "add" => {
                let csv = csv(&row);
                let path = format!("{folder}{}.csv", digest(&csv));
                let body = Bytes::from(csv);
                Ok(Self { folder, row: Some(Document { path, message: None, sequence: None, packing: None, body }) })
            }
            "delete" => Ok(Self { folder, row: None }),
            other => Err(format!("its operation is `{other}`; `add` and `delete` are done")),
        }
    }

    /// The folder that it changes.
    pub(crate) fn key(&self) -> &str {
        &self.folder
    }

    /// Adds the row, or deletes all rows of the name.
    pub(crate) async fn run(&self, master: &Master) -> Verdict {
        match &self.row {
            Some(row) => master.put(row).await,
            None => master.remove_below(&self.folder).await,
        }
    }
}

/// A value as a cell: a text as it is, null as nothing, anything else as it is written.
fn cell(raw: &RawValue) -> Result<String, String> {
    match raw.get() {
        "null" => Ok(String::new()),
        quoted if quoted.starts_with('"') => {
            serde_json::from_str(quoted).map_err(|error| format!("a text in its member `data` cannot be read: {error}"))
        }
        written => Ok(written.to_owned()),
    }
}

/// The row as a file of its own, by the order of its columns' names: the same row is always the same file.
fn csv(row: &BTreeMap<String, String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    for record in [row.keys().collect::<Vec<_>>(), row.values().collect()] {
        writer.write_record(record).expect("memory takes every write, and both records have the same length");
    }
    writer.into_inner().expect("memory takes every write")
}

fn digest(bytes: &[u8]) -> String {
    let mut digest = blake3::hash(bytes).to_hex().to_string();
    digest.truncate(DIGEST_DIGITS);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Result<Change, String> {
        Change::of(&serde_json::from_str(body).unwrap())
    }

    fn added(data: &str) -> (String, Document) {
        let change = of(&format!("{{\"operation\":\"add\",\"data\":{data}}}")).unwrap();
        let row = change.row.unwrap();
        assert!(row.path.starts_with(&change.folder) && row.path.ends_with(".csv"), "{}", row.path);
        (change.folder, row)
    }

    fn written(data: &str) -> String {
        String::from_utf8(added(data).1.body.to_vec()).unwrap()
    }

    #[test]
    fn a_row_is_a_file_with_its_members_as_header() {
        assert_eq!(
            written(r#"{"name":"Ann","age":30,"city":"Bath"}"#),
            "\"age\",\"city\",\"name\"\n\"30\",\"Bath\",\"Ann\"\n"
        );
        assert_eq!(
            written(r#"{"name":" a,\"b\"\n\u00e9","x":null,"y":1.50,"z":true}"#),
            "\"name\",\"x\",\"y\",\"z\"\n\" a,\"\"b\"\"\n\u{e9}\",\"\",\"1.50\",\"true\"\n"
        );
    }

    #[test]
    fn rows_are_told_apart_by_all_their_members_and_grouped_by_name() {
        let (folder, ann) = added(r#"{"name":"Ann","age":"30"}"#);
        assert_eq!(folder.len(), "csv_tasks/".len() + DIGEST_DIGITS + 1);
        assert_eq!(added(r#"{"age":30,"name":"Ann"}"#).1.path, ann.path, "the same row in another spelling");
        for other in [r#"{"name":"Ann","age":"31"}"#, r#"{"name":"Ann"}"#, r#"{"name":"Ann","age":"30","city":""}"#] {
            let (same, row) = added(other);
            assert!(same == folder && row.path != ann.path, "{other}");
        }
        assert_ne!(added(r#"{"name":"ann","age":"30"}"#).0, folder);
        let delete = of(r#"{"operation":"delete","data":{"name":"Ann"}}"#).unwrap();
        assert_eq!((delete.key(), delete.row.is_none()), (folder.as_str(), true));
    }

    #[test]
    fn what_can_never_be_used_has_a_reason() {
        let check = |body: &str, expect: &str| {
            let why = of(body).unwrap_err();
            assert!(why.contains(expect), "{body}: {why}");
        };
        check(r#"{"operation":1,"data":{"name":"a"}}"#, "`operation` is not a text");
        check(r#"{"operation":"update","data":{"name":"a"}}"#, "its operation is `update`");
        check(r#"{"operation":"add"}"#, "no member `data`");
        check(r#"{"operation":"add","data":[]}"#, "`data` is not an object");
        check(r#"{"operation":"delete","data":{"age":"1"}}"#, "has no `name`");
        check(r#"{"operation":"add","data":{"name":"\ud800"}}"#, "cannot be read");
    }
}
