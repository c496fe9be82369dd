//! `[amqp]`: the RabbitMQ broker of the master, and its queues.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;
use url::Url;

/// The broker of the master, and its queues.
#[derive(Debug, Clone, PartialEq)]
pub struct AmqpConfig {
    /// The address of the broker. Default: none, so that the master has none.
    pub url: Option<AmqpUrl>,
    /// A PEM file of authorities that may sign the broker's certificate, besides those of this machine. Default: none.
    pub ca_file: Option<PathBuf>,
    /// The queue of operations, which become edits. Default: `tributary.operations`.
    pub operations_queue: String,
    /// The queue of documents, of which relays take care. The master only shows how full it is. Default: `tributary.documents`.
    pub documents_queue: String,
    /// The exchange to which events are published. Default: none.
    pub results_exchange: Option<String>,
    /// Most messages of operations in hand at a time. Default: 8,000, which is two large batches.
    pub prefetch: u16,
}

/// `[amqp]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmqpAsTyped {
    pub(super) url: Option<Spanned<String>>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) operations_queue: Option<Spanned<String>>,
    pub(super) documents_queue: Option<Spanned<String>>,
    pub(super) results_exchange: Option<Spanned<String>>,
    pub(super) prefetch: Option<Spanned<u16>>,
}

impl Default for AmqpConfig {
    fn default() -> Self {
        Self {
            url: None,
            ca_file: None,
            operations_queue: "tributary.operations".to_owned(),
            documents_queue: "tributary.documents".to_owned(),
            results_exchange: None,
            prefetch: 8_000,
        }
    }
}

/// The address of a broker, `amqp://USER:PASSWORD@HOST:PORT/VHOST` or `amqps://…`. It is printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(String);

impl AmqpUrl {
    /// The address with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = Url::parse(&self.0).map_err(|_| fmt::Error)?;
        // Both succeed on every URL with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}

/// Parses an address. The error repeats no part of it, because it may hold a password.
pub(super) fn amqp_url(text: &str) -> Result<AmqpUrl, String> {
    const FIX: &str = "write amqp://USER:PASSWORD@HOST:5672, or amqps:// for TLS";
    let url = Url::parse(text).map_err(|why| format!("this is not a URL ({why}); {FIX}"))?;
    if !matches!(url.scheme(), "amqp" | "amqps") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("this is not the address of a broker; {FIX}"));
    }
    Ok(AmqpUrl(text.to_owned()))
}

/// Parses the name of a queue or an exchange.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
        return Err("a queue or an exchange has a name of 1 to 255 bytes without control characters".to_owned());
    }
    if text.starts_with("amq.") {
        return Err(format!("`{text}`: names that begin with `amq.` belong to the broker"));
    }
    Ok(text.to_owned())
}

/// Checks the number of messages in hand.
pub(super) fn prefetch(number: &u16) -> Result<u16, String> {
    match number {
        0 => Err("`prefetch` must not be 0, which means any number; write for example 8000".to_owned()),
        number => Ok(*number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_printed_without_its_password() {
        let url = amqp_url("amqps://shop:secret@broker:5671/vhost").unwrap();
        assert_eq!(url.to_string(), "amqps://broker:5671/vhost");
        assert_eq!(format!("{url:?}"), "AmqpUrl(amqps://broker:5671/vhost)");
        assert_eq!(url.expose(), "amqps://shop:secret@broker:5671/vhost");
        for text in ["", "broker", "http://u:secret@broker", "amqp://", "amqp:u:secret"] {
            let why = amqp_url(text).unwrap_err();
            assert!(why.contains("write amqp://") && !why.contains("secret"), "{text}: {why}");
        }
    }

    #[test]
    fn names_and_the_prefetch_are_checked() {
        assert_eq!(name("shop.operations").unwrap(), "shop.operations");
        for text in ["", "amq.topic", "a\nb"] {
            name(text).unwrap_err();
        }
        assert_eq!(prefetch(&1), Ok(1));
        prefetch(&0).unwrap_err();
    }
}
