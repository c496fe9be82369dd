//! The texts of own columns as the tables hold them: a JSON object by name, without the empty ones; null if there is none.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{DeserializeSeed, MapAccess, Visitor},
};

use crate::Error;

/// Appends the texts that are not empty to `out`, and returns true; false if all are.
pub fn write_own<'n, 't>(out: &mut String, texts: impl IntoIterator<Item = (&'n str, &'t str)>) -> bool {
    write(out, texts.into_iter().filter(|(_, text)| !text.is_empty()))
}

/// The texts of an edit, in which an empty one counts; `None` if there is none.
#[must_use]
pub fn own_edits<'n, 't>(texts: impl IntoIterator<Item = (&'n str, &'t str)>) -> Option<String> {
    let mut out = String::new();
    write(&mut out, texts.into_iter()).then_some(out)
}

fn write<'n, 't>(out: &mut String, texts: impl Iterator<Item = (&'n str, &'t str)>) -> bool {
    let start = out.len();
    for (name, text) in texts {
        out.push(if out.len() == start { '{' } else { ',' });
        // A name needs no escapes.
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        push_escaped(out, text);
    }
    let is_empty = out.len() == start;
    if !is_empty {
        out.push('}');
    }
    !is_empty
}

/// Appends a text as JSON has it (RFC 8259, section 7).
fn push_escaped(out: &mut String, text: &str) {
    out.push('"');
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else if let Ok(escaped) = serde_json::to_string(text) {
        // A text can always be written.
        out.push_str(&escaped[1..escaped.len() - 1]);
    }
    out.push('"');
}

/// Calls `take` with each name and text of an object that [`write_own`] has written.
///
/// # Errors
/// [`Error::Corrupt`] if it is no such object.
pub fn read_own(json: Option<&str>, mut take: impl FnMut(&str, String)) -> Result<(), Error> {
    let Some(json) = json else { return Ok(()) };
    let read = serde_json::Deserializer::from_str(json).deserialize_map(Texts(&mut take));
    read.map_err(|why| Error::Corrupt { what: format!("the own columns {json:?} cannot be read: {why}") })
}

struct Texts<'f, F>(&'f mut F);

impl<'de, F: FnMut(&str, String)> Visitor<'de> for Texts<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, text)) = map.next_entry_seed(Name, std::marker::PhantomData::<String>)? {
            (self.0)(name, text);
        }
        Ok(())
    }
}

/// A name, borrowed: it never has to be unescaped.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = &'de str;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<&'de str, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        let texts = [("price", "9,99 €"), ("brand", ""), ("note", "\"x\"\n\u{1}\\")];
        let mut json = "before".to_owned();
        assert!(write_own(&mut json, texts));
        let json = json.strip_prefix("before").unwrap();
        let mut read = Vec::new();
        read_own(Some(json), |name, text| read.push((name.to_owned(), text))).unwrap();
        assert_eq!(read, [("price".into(), "9,99 €".into()), ("note".into(), "\"x\"\n\u{1}\\".into())]);
        assert!(!write_own(&mut String::new(), [("brand", "")]));
        assert_eq!(own_edits([("brand", "")]).as_deref(), Some(r#"{"brand":""}"#));
        assert_eq!(own_edits([]), None);
        read_own(None, |_, _| unreachable!()).unwrap();
        for wrong in ["", "[]", r#"{"a":1}"#] {
            assert!(read_own(Some(wrong), |_, _| ()).is_err(), "{wrong}");
        }
    }
}
