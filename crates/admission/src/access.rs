//! The flags that say who may connect, and the rule that only this machine may connect without a token.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, builder::FalseyValueParser};

use crate::{TokenFileError, tokens::Tokens};

/// Options that say who may connect; a program flattens them into its own.
#[derive(Debug, Clone, Default, Args)]
pub struct Access {
    /// File with the tokens of which requests must send one, as `Authorization: Bearer` or as the password of Basic
    #[arg(long, env = "TRIBUTARY_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Listen on any address without a token
    #[arg(long, env = "TRIBUTARY_ALLOW_ANONYMOUS", value_parser = FalseyValueParser::new())]
    pub allow_anonymous: bool,
}

/// Wrong usage: other machines could connect, and neither a token nor `--allow-anonymous` is given.
#[derive(Debug, thiserror::Error)]
#[error(
    "listening on `{listen}` lets other machines connect: give `--token-file FILE`, or `--allow-anonymous` to let \
     everyone in"
)]
pub struct OpenToAll {
    /// The address as typed.
    pub listen: String,
}

impl Access {
    /// Reads the tokens of which requests must bring one, if there are any.
    ///
    /// # Errors
    /// The token file cannot be used.
    pub fn tokens(&self) -> Result<Option<Tokens>, TokenFileError> {
        self.token_file.as_deref().map(Tokens::read).transpose()
    }

    /// Checks that these addresses may be listened on: other machines may connect only with a token or `--allow-anonymous`.
    ///
    /// # Errors
    /// [`OpenToAll`], which names `listen`, the address as typed.
    pub fn check_exposure(&self, listen: &str, addresses: &[SocketAddr]) -> Result<(), OpenToAll> {
        let is_protected = self.token_file.is_some() || self.allow_anonymous;
        if is_protected || addresses.iter().all(|address| address.ip().is_loopback()) {
            return Ok(());
        }
        Err(OpenToAll { listen: listen.to_owned() })
    }
}

/// Checks that a listening address has the form HOST:PORT.
///
/// # Errors
/// It does not; the text shows the form.
pub fn host_and_port(typed: &str) -> Result<String, String> {
    let port = typed.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(typed.to_owned()),
        _ => Err(format!("`{typed}` is not an address; write HOST:PORT, such as 127.0.0.1:5000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_open_without_a_token() {
        let is_refused = |address: &str, token_file: Option<&str>, allow_anonymous: bool| {
            let access = Access { token_file: token_file.map(PathBuf::from), allow_anonymous };
            access.check_exposure(address, &[address.parse().unwrap()]).is_err()
        };
        assert!(is_refused("0.0.0.0:0", None, false));
        assert!(is_refused("[::]:0", None, false));
        assert!(!is_refused("0.0.0.0:0", None, true));
        assert!(!is_refused("0.0.0.0:0", Some("t"), false));
        assert!(!is_refused("127.0.0.1:0", None, false));
        assert!(!is_refused("[::1]:0", None, false));
    }

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for typed in ["127.0.0.1:5000", "[::1]:0", "localhost:65535"] {
            assert_eq!(host_and_port(typed).as_deref(), Ok(typed));
        }
        for typed in ["", "5000", ":5000", "h:99999", "h:", "h"] {
            assert!(host_and_port(typed).unwrap_err().contains("HOST:PORT"), "{typed}");
        }
    }
}
