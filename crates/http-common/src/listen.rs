//! Who may connect, and how a server begins and ends: the rule that only this machine is let in unasked, the ready line,
//! the signals.

use std::{
    fs,
    io::{self, Write},
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, builder::FalseyValueParser};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::Token;

/// Who is let in, to be flattened into a program's own options.
#[derive(Debug, Clone, Default, Args)]
pub struct Access {
    /// A file whose content every request must bring: `Authorization: Bearer`, or the password of Basic
    #[arg(long, env = "TRIBUTARY_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Listen on any address without a token
    #[arg(long, env = "TRIBUTARY_ALLOW_ANONYMOUS", value_parser = FalseyValueParser::new())]
    pub allow_anonymous: bool,
}

/// Wrong usage: the server would be open to others than this machine, and nothing keeps them out.
#[derive(Debug, thiserror::Error)]
#[error(
    "listening on `{listen}` lets other machines in: give `--token-file FILE`, or `--allow-anonymous` if anyone may come"
)]
pub struct OpenToAll {
    /// The address as typed.
    pub listen: String,
}

impl Access {
    /// The token that requests must bring, if any.
    ///
    /// # Errors
    /// When the token file cannot be read or holds no token.
    pub fn token(&self) -> anyhow::Result<Option<Token>> {
        self.token_file.as_deref().map(read_token).transpose()
    }
}

fn read_token(path: &Path) -> anyhow::Result<Token> {
    let content =
        fs::read_to_string(path).with_context(|| format!("failed to read the token file `{}`", path.display()))?;
    Token::new(&content).with_context(|| {
        format!(
            "the token file `{}` holds no token: one line of letters, digits and signs, without blanks",
            path.display()
        )
    })
}

/// Checks that an address is one to listen on: HOST:PORT.
///
/// # Errors
/// It is not; the text says what to write.
pub fn host_and_port(typed: &str) -> Result<String, String> {
    let port = typed.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(typed.to_owned()),
        _ => Err(format!("`{typed}` is no address; write HOST:PORT, such as 127.0.0.1:5000")),
    }
}

/// Binds `listen`, as HOST:PORT.
///
/// # Errors
/// [`OpenToAll`] when others than this machine could connect and neither a token nor `--allow-anonymous` is
/// given; any other when the address cannot be had.
pub fn bind(listen: &str, access: &Access) -> anyhow::Result<TcpListener> {
    let failed = || format!("failed to listen on `{listen}`");
    let addresses: Vec<SocketAddr> = listen.to_socket_addrs().with_context(failed)?.collect();
    let is_protected = access.token_file.is_some() || access.allow_anonymous;
    if !is_protected && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(OpenToAll { listen: listen.to_owned() }.into());
    }
    TcpListener::bind(&addresses[..]).with_context(failed)
}

/// Prints the only line that a server prints on stdout. A reader that has gone away is no error.
pub fn announce(address: SocketAddr) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "listening on http://{address}").and_then(|()| stdout.flush());
}

/// A token that SIGTERM or SIGINT cancels. Must be called inside a runtime.
///
/// # Errors
/// When the system gives no signals.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(shutdown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_open_without_a_token() {
        let open = |listen: &str, token_file: Option<&str>, allow_anonymous: bool| {
            let access = Access { token_file: token_file.map(PathBuf::from), allow_anonymous };
            bind(listen, &access).err().map(|error| error.is::<OpenToAll>())
        };
        assert_eq!(open("0.0.0.0:0", None, false), Some(true));
        assert_eq!(open("0.0.0.0:0", None, true), None);
        assert_eq!(open("0.0.0.0:0", Some("t"), false), None);
        assert_eq!(open("localhost:0", None, false), None);
        assert_eq!(open("no.such.host.invalid:0", None, false), Some(false));
    }
}
