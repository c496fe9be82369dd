//! The address of a broker.

use std::{fmt, str::FromStr};

use lapin::uri::AMQPUri;

/// Seconds between two signs of life. A peer that is silent for twice as long counts as gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// The address of a broker, `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` with TLS. It is printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(AMQPUri);

impl BrokerUrl {
    pub(crate) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl FromStr for BrokerUrl {
    type Err = String;

    /// Parses an address. The error repeats no part of it, because it may hold a password.
    fn from_str(text: &str) -> Result<Self, String> {
        const FIX: &str = "write amqp://USER:PASSWORD@HOST:5672, or amqps:// for TLS";
        if !text.starts_with("amqp://") && !text.starts_with("amqps://") {
            return Err(format!("it does not start with amqp:// or amqps://; {FIX}"));
        }
        let mut uri: AMQPUri = text.trim_end_matches('/').parse().map_err(|why| format!("{why}; {FIX}"))?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self(uri))
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        write!(f, "{scheme}://{}:{}", authority.host, authority.port)?;
        if vhost == "/" { Ok(()) } else { write!(f, "/{vhost}") }
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_printed_without_its_password() {
        let check = |text: &str, expect: &str| {
            let url: BrokerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), expect);
            assert!(!format!("{url:?}").contains("secret"), "{url:?}");
        };
        check("amqp://guest:secret@127.0.0.1:5672", "amqp://127.0.0.1:5672");
        check("amqp://guest:secret@127.0.0.1:5672/", "amqp://127.0.0.1:5672");
        check("amqp://broker", "amqp://broker:5672");
        check("amqps://u:secret@broker/shop", "amqps://broker:5671/shop");
    }

    #[test]
    fn another_address_is_refused_without_repeating_it() {
        for text in ["", "127.0.0.1:5672", "http://u:secret@broker", "amqp://u:secret@broker:port"] {
            let why = text.parse::<BrokerUrl>().unwrap_err();
            assert!(why.contains("write amqp://") && !why.contains("secret"), "{why}");
        }
    }
}
