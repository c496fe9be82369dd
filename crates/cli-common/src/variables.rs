//! Environment variables of the flags that both servers have: one environment file serves both.

use std::env;

use clap::Command;

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The program `master`.
    Master,
    /// The program `data-source`.
    Source,
}

/// The variables of a flag that both servers have.
struct Shared {
    flag: &'static str,
    master: &'static str,
    source: &'static str,
    /// The older name, which means both servers.
    older: Option<&'static str>,
}

const SHARED: [Shared; 7] = [
    Shared {
        flag: "listen",
        master: "TRIBUTARY_MASTER_LISTEN",
        source: "TRIBUTARY_SOURCE_LISTEN",
        older: Some("TRIBUTARY_LISTEN"),
    },
    Shared {
        flag: "allowed_hosts",
        master: "TRIBUTARY_MASTER_ALLOWED_HOSTS",
        source: "TRIBUTARY_SOURCE_ALLOWED_HOSTS",
        older: Some("TRIBUTARY_ALLOWED_HOSTS"),
    },
    Shared {
        flag: "token_file",
        master: "TRIBUTARY_MASTER_TOKEN_FILE",
        source: "TRIBUTARY_SOURCE_TOKEN_FILE",
        older: Some("TRIBUTARY_TOKEN_FILE"),
    },
    Shared {
        flag: "allow_anonymous",
        master: "TRIBUTARY_MASTER_ALLOW_ANONYMOUS",
        source: "TRIBUTARY_SOURCE_ALLOW_ANONYMOUS",
        older: Some("TRIBUTARY_ALLOW_ANONYMOUS"),
    },
    Shared { flag: "patience", master: "TRIBUTARY_MASTER_PATIENCE", source: "TRIBUTARY_SOURCE_PATIENCE", older: None },
    Shared { flag: "tls_cert", master: "TRIBUTARY_MASTER_TLS_CERT", source: "TRIBUTARY_SOURCE_TLS_CERT", older: None },
    Shared { flag: "tls_key", master: "TRIBUTARY_MASTER_TLS_KEY", source: "TRIBUTARY_SOURCE_TLS_KEY", older: None },
];

/// Gives the flags that both servers have the variables of this one. The older name counts where only that is set.
#[must_use]
pub fn with_variables(command: Command, server: Server) -> Command {
    SHARED.iter().fold(command, |command, shared| {
        let own = if server == Server::Master { shared.master } else { shared.source };
        let is_set = |name: &&str| env::var_os(name).is_some();
        let older = shared.older.filter(is_set).filter(|_| !is_set(&own));
        command.mut_arg(shared.flag, |flag| flag.env(older.unwrap_or(own)))
    })
}
