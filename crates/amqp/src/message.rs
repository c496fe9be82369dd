//! A message as programs see it.

use std::collections::BTreeMap;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString, ShortString},
};

/// Headers of a message that are texts or integers. Others are not kept.
pub type Headers = BTreeMap<String, String>;

/// A message. It is stored on the disk of the broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender's id, the same when it is sent again.
    pub id: Option<String>,
    /// Media type of the body.
    pub content_type: Option<String>,
    /// Content encoding of the body, see [`Message::packing`].
    pub content_encoding: Option<String>,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// Delivery mode of a message that outlives a restart of the broker.
const PERSISTENT: u8 = 2;
/// Most bytes of an id: more does not fit into the protocol.
const MAX_ID_BYTES: usize = 255;

impl Message {
    /// The packing of the body; `None` if it has none. Some producers write the charset of the text in its place.
    #[must_use]
    pub fn packing(&self) -> Option<&str> {
        self.content_encoding.as_deref().filter(|encoding| !matches!(*encoding, "" | "identity" | "utf-8" | "UTF-8"))
    }

    /// The properties to publish it with.
    pub(crate) fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        for (name, value) in &self.headers {
            headers.insert(short(name), AMQPValue::LongString(LongString::from(value.as_str())));
        }
        let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
        if let Some(id) = &self.id {
            properties = properties.with_message_id(short(id));
        }
        if let Some(content_type) = &self.content_type {
            properties = properties.with_content_type(short(content_type));
        }
        if let Some(encoding) = &self.content_encoding {
            properties = properties.with_content_encoding(short(encoding));
        }
        properties
    }

    pub(crate) fn received(properties: &BasicProperties, body: Vec<u8>) -> Self {
        let text = |text: &Option<ShortString>| text.as_ref().map(|text| text.as_str().to_owned());
        let headers = properties.headers().iter().flat_map(FieldTable::inner);
        let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), header(value)?)));
        Self {
            id: text(properties.message_id()).filter(|id| !id.is_empty()),
            content_type: text(properties.content_type()),
            content_encoding: text(properties.content_encoding()),
            headers: headers.collect(),
            body,
        }
    }
}

/// A text of at most 255 bytes, cut between two characters.
fn short(text: &str) -> ShortString {
    let end = (0..=text.len().min(MAX_ID_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    ShortString::from(&text[..end])
}

fn header(value: &AMQPValue) -> Option<String> {
    Some(match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok()?,
        AMQPValue::ShortString(text) => text.as_str().to_owned(),
        AMQPValue::ShortShortInt(number) => number.to_string(),
        AMQPValue::ShortShortUInt(number) => number.to_string(),
        AMQPValue::ShortInt(number) => number.to_string(),
        AMQPValue::ShortUInt(number) => number.to_string(),
        AMQPValue::LongInt(number) => number.to_string(),
        AMQPValue::LongUInt(number) => number.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let message = Message {
            id: Some("a1".into()),
            content_type: Some("text/csv".into()),
            content_encoding: Some("gzip".into()),
            headers: [("path".to_owned(), "dir/é.csv".to_owned())].into(),
            body: vec![1, 2],
        };
        assert_eq!(Message::received(&message.properties(), message.body.clone()), message);
        assert_eq!(Message::received(&Message::default().properties(), Vec::new()), Message::default());
    }

    #[test]
    fn a_charset_is_no_packing() {
        let packing = |encoding: &str| {
            let message = Message { content_encoding: Some(encoding.to_owned()), ..Message::default() };
            message.packing().map(str::to_owned)
        };
        for none in ["", "identity", "utf-8", "UTF-8"] {
            assert_eq!(packing(none), None, "{none}");
        }
        assert_eq!((packing("gzip").as_deref(), Message::default().packing()), (Some("gzip"), None));
    }

    #[test]
    fn integers_are_headers_and_a_long_name_is_cut_between_characters() {
        let mut table = FieldTable::default();
        table.insert("x-sequence".into(), AMQPValue::LongLongInt(-7));
        table.insert("x-list".into(), AMQPValue::FieldTable(FieldTable::default()));
        let received = Message::received(&BasicProperties::default().with_headers(table), Vec::new());
        assert_eq!(received.headers, [("x-sequence".to_owned(), "-7".to_owned())].into());
        assert_eq!(short(&"é".repeat(200)).as_str(), "é".repeat(127));
    }
}
