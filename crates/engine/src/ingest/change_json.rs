//! The JSON of a change in the table `product_changes`: `{"name":["before","after"]}`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Bytes of the JSON of one change. Longer texts are left out: the log must not outgrow what it tells of.
const MAX_BYTES: usize = 256 << 10;

/// A value before or after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ChangedValue {
    /// The flag `hidden` or `stands` of an edit.
    Flag(bool),
    /// A text; `None` if the product is not shown, or if the edit sets none.
    Text(Option<String>),
}

/// Values before and after, by column; `None` for those that are too long to be kept.
pub(crate) type Changes = BTreeMap<String, Option<(ChangedValue, ChangedValue)>>;

/// Writes the JSON of a change.
#[derive(Debug, Default)]
pub(crate) struct ChangeJson {
    json: Vec<u8>,
    columns: Vec<String>,
}

impl ChangeJson {
    /// Adds a column, or a flag of an edit.
    pub(crate) fn push<T: Serialize>(&mut self, column: &str, before: T, after: T) {
        self.json.push(if self.columns.is_empty() { b'{' } else { b',' });
        self.columns.push(column.to_owned());
        // Names need no escapes, and what is written to memory can always be written.
        self.json.extend_from_slice(format!("\"{column}\":").as_bytes());
        serde_json::to_writer(&mut self.json, &(before, after)).expect("texts and flags are JSON");
    }

    /// The JSON; `None` if nothing has changed.
    pub(crate) fn finish(mut self) -> Option<String> {
        if self.columns.is_empty() {
            return None;
        }
        if self.json.len() > MAX_BYTES {
            let columns: BTreeMap<_, Option<()>> = self.columns.iter().map(|column| (column, None)).collect();
            return serde_json::to_string(&columns).ok();
        }
        self.json.push(b'}');
        String::from_utf8(self.json).ok()
    }
}

/// Reads what [`ChangeJson`] has written.
///
/// # Errors
/// It is something else: the row is damaged, or of a later program.
pub(crate) fn read_changes(json: &str) -> Result<Changes> {
    serde_json::from_str(json).with_context(|| format!("a change of a product cannot be read: {json:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ChangedValue {
        ChangedValue::Text(Some(text.to_owned()))
    }

    #[test]
    fn changes_come_back_as_they_were() {
        assert_eq!(ChangeJson::default().finish(), None);
        let mut json = ChangeJson::default();
        json.push("name", Some("a"), Some("\"é\n"));
        json.push("price", None, Some("1"));
        json.push("hidden", false, true);
        let json = json.finish().unwrap();
        assert_eq!(json, r#"{"name":["a","\"é\n"],"price":[null,"1"],"hidden":[false,true]}"#);
        let changes = read_changes(&json).unwrap();
        assert_eq!(changes["name"], Some((text("a"), text("\"é\n"))));
        assert_eq!(changes["price"], Some((ChangedValue::Text(None), text("1"))));
        assert_eq!(changes["hidden"], Some((ChangedValue::Flag(false), ChangedValue::Flag(true))));
        assert!(read_changes("[]").is_err());
    }

    #[test]
    fn texts_that_are_too_long_are_left_out() {
        let mut json = ChangeJson::default();
        json.push("name", Some("a"), Some("b"));
        json.push("description", Some(""), Some(&*"x".repeat(MAX_BYTES)));
        let json = json.finish().unwrap();
        assert_eq!(json, r#"{"description":null,"name":null}"#);
        assert_eq!(read_changes(&json).unwrap()["name"], None);
    }
}
