//! The flags that name the own certificate of a server.

use std::path::{Path, PathBuf};

use clap::Args;

/// The files of a server's certificate and key; a program flattens them into its own flags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct TlsFiles {
    /// PEM file of this server's certificate and those that signed it: it speaks TLS then, and nothing else. Needs --tls-key
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's key, without a password
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// Wrong usage: a certificate without a key, or a key without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is given without `{missing}`: TLS needs both (--tls-cert and --tls-key, or tls_cert and tls_key)")]
pub struct HalfPair {
    given: &'static str,
    missing: &'static str,
}

impl TlsFiles {
    /// Returns both files, or none.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn both(&self) -> Result<Option<(&Path, &Path)>, HalfPair> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(HalfPair { given: "tls_cert", missing: "tls_key" }),
            (None, Some(_)) => Err(HalfPair { given: "tls_key", missing: "tls_cert" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_needs_its_key() {
        let files = |certificate: Option<&str>, key: Option<&str>| TlsFiles {
            tls_cert: certificate.map(PathBuf::from),
            tls_key: key.map(PathBuf::from),
        };
        assert_eq!(files(None, None).both(), Ok(None));
        assert_eq!(files(Some("c"), Some("k")).both(), Ok(Some((Path::new("c"), Path::new("k")))));
        assert!(files(Some("c"), None).both().unwrap_err().to_string().contains("without `tls_key`"));
        assert!(files(None, Some("k")).both().unwrap_err().to_string().contains("without `tls_cert`"));
    }
}
