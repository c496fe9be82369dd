//! The members of a body that corrects a product: columns of the catalog, of which only the engine knows all.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use crate::http::server::{error::ApiError, input};

/// Columns with their texts; `None` for null. Each stands there once.
#[derive(Debug, PartialEq)]
pub(crate) struct Members(pub(crate) Vec<(String, Option<String>)>);

impl Members {
    /// The texts as their columns have them.
    ///
    /// # Errors
    /// A text is too long, or has a NUL byte in it.
    pub(crate) fn checked(self) -> Result<Vec<(String, Option<String>)>, ApiError> {
        let checked = |(name, text): (String, Option<String>)| {
            let text = text.map(|text| input::text_of(&name, &text)).transpose()?;
            Ok((name, text))
        };
        self.0.into_iter().map(checked).collect()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Columns)
    }
}

struct Columns;

impl<'de> Visitor<'de> for Columns {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members: Vec<(String, Option<String>)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            if name == "sku" {
                return Err(A::Error::custom("`sku` cannot be changed; it is the one in the path"));
            }
            let text = match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text),
                other => {
                    let kind = match other {
                        serde_json::Value::Number(_) => "a number: put it in quotes",
                        serde_json::Value::Bool(_) => "a boolean",
                        serde_json::Value::Array(_) => "a list",
                        _ => "an object",
                    };
                    return Err(A::Error::custom(format!(
                        "`{name}` must be a column of the catalog with a text or null, not {kind}"
                    )));
                }
            };
            if members.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            members.push((name, text));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_texts_or_null() {
        let read = |json: &str| serde_json::from_str::<Members>(json).map_err(|why| why.to_string());
        let members = read(r#"{"name":"a","price":null}"#).unwrap();
        assert_eq!(members.0, [("name".to_owned(), Some("a".to_owned())), ("price".to_owned(), None)]);
        for (wrong, part) in [
            (
                r#"{"price":9.9}"#,
                "`price` must be a column of the catalog with a text or null, not a number: put it in quotes",
            ),
            (r#"{"price":["a"]}"#, "a list"),
            (r#"{"price":"a","price":"b"}"#, "duplicate field `price`"),
            ("[]", "an object of texts"),
        ] {
            let why = read(wrong).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
