//! The flags that say which certificates a client trusts.

use std::path::PathBuf;

use clap::Args;

use crate::{Pin, Trust};

/// The certificates that prove who an `https` server is; a client of a master flattens them into its own flags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct TrustFlags {
    /// PEM file of authorities that may have signed the certificate of an https master, besides those of this machine
    #[arg(long, env = "TRIBUTARY_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The only certificate that an https master may have, whoever signed it: sha256: and 64 hex digits
    #[arg(long, env = "TRIBUTARY_PIN", value_name = "HASH")]
    pub pin: Option<Pin>,
}

impl TrustFlags {
    /// Reads them. `is_tls` says that the address begins with `https://`.
    ///
    /// # Errors
    /// As of [`Trust::chosen`].
    pub fn trust(&self, is_tls: bool) -> Result<Trust, String> {
        Trust::chosen(is_tls, self.ca_file.as_deref(), self.pin)
    }
}
