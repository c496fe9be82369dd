//! The address of a broker.

use std::{fmt, path::Path, str::FromStr};

use lapin::uri::{AMQPScheme, AMQPUri};

use tributary_tls::Trust;

/// Seconds between two signs of life. A peer that is silent for twice as long counts as gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// The address of a broker, `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` with TLS. It is printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    uri: AMQPUri,
    trust: Trust,
}

impl BrokerUrl {
    /// Trusts the authorities of a PEM file too, besides those of this machine.
    ///
    /// # Errors
    /// The file cannot be read or has no certificate; the address is not encrypted, so that nobody would ask for one.
    pub fn trusting(self, ca_file: &Path) -> Result<Self, String> {
        if !self.is_encrypted() {
            return Err("a certificate is checked only over TLS; write amqps:// in place of amqp://".to_owned());
        }
        Ok(Self { trust: Trust::read(ca_file)?, ..self })
    }

    /// Whether what is sent is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    pub(crate) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    pub(crate) fn trust(&self) -> Trust {
        self.trust.clone()
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
        Ok(Self { uri, trust: Trust::default() })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
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
    fn a_file_of_authorities_must_have_one_and_needs_tls() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = |text: &str| text.parse::<BrokerUrl>().unwrap();
        let check = |text: &str, expect: &str| {
            let why = url(text).trusting(file.path()).unwrap_err();
            assert!(why.contains(expect), "{why}");
        };
        check("amqp://broker", "write amqps://");
        check("amqps://broker", "has no certificate");
        std::fs::write(file.path(), "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n").unwrap();
        check("amqps://broker", "is not a PEM file");
        let why = url("amqps://broker").trusting(Path::new("/none")).unwrap_err();
        assert!(why.contains("failed to read /none"), "{why}");
    }

    #[test]
    fn another_address_is_refused_without_repeating_it() {
        for text in ["", "127.0.0.1:5672", "http://u:secret@broker", "amqp://u:secret@broker:port"] {
            let why = text.parse::<BrokerUrl>().unwrap_err();
            assert!(why.contains("write amqp://") && !why.contains("secret"), "{why}");
        }
    }
}
