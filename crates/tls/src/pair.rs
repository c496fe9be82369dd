//! The own certificate of a server and its key. Other ones can be put into force without a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{
    files::{HalfPair, TlsFiles},
    pin::Pin,
};

/// A certificate or a key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// Only one of the two files is named.
    #[error(transparent)]
    Half(#[from] HalfPair),
    /// A file cannot be read.
    #[error("failed to read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The fault, and the fix.
        why: String,
    },
    /// The key does not sign for the certificate.
    #[error("the key `{}` cannot be used with the certificate `{}`: {why}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The fault.
        why: String,
    },
}

/// The certificate and the key in force; clones share them.
#[derive(Debug, Clone)]
pub struct PairInForce {
    certificate: PathBuf,
    key: PathBuf,
    pair: Arc<RwLock<Arc<CertifiedKey>>>,
}

impl PairInForce {
    /// Reads the files, if any are named.
    ///
    /// # Errors
    /// One is missing, cannot be read, or does not hold what it should.
    pub fn read(files: &TlsFiles) -> Result<Option<Self>, PairError> {
        let Some((certificate, key)) = files.both()? else { return Ok(None) };
        let pair = Arc::new(RwLock::new(Arc::new(read_pair(certificate, key)?)));
        Ok(Some(Self { certificate: certificate.to_owned(), key: key.to_owned(), pair }))
    }

    /// Reads the files again, and puts what they hold into force for every new connection.
    ///
    /// # Errors
    /// As of [`Self::read`]; then the old pair stays in force.
    pub fn renew(&self) -> Result<(), PairError> {
        let pair = read_pair(&self.certificate, &self.key)?;
        *self.pair.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
        Ok(())
    }

    /// The two files.
    #[must_use]
    pub fn files(&self) -> [&Path; 2] {
        [&self.certificate, &self.key]
    }

    /// The pin of the certificate in force.
    #[must_use]
    pub fn pin(&self) -> Option<Pin> {
        self.current().cert.first().map(Pin::of)
    }

    /// The settings of a server that speaks TLS 1.2 or 1.3 with this pair.
    ///
    /// # Errors
    /// The cryptography of this program knows none of them.
    pub fn server(&self) -> Result<ServerConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(builder.with_no_client_auth().with_cert_resolver(Arc::new(self.clone())))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.pair.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for PairInForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn read_pair(certificate: &Path, key: &Path) -> Result<CertifiedKey, PairError> {
    let (chain, private) = (read_chain(certificate)?, read_key(key)?);
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, private, &provider).map_err(|error| PairError::Mismatch {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        why: match error {
            rustls::Error::InconsistentKeys(_) => "it belongs to another certificate".to_owned(),
            error => error.to_string(),
        },
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let unusable = |why: String| PairError::Unusable { path: path.to_owned(), why };
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => {
            Err(unusable("has no certificate: it must be a PEM file with `-----BEGIN CERTIFICATE-----`".to_owned()))
        }
        Err(why) => Err(unusable(format!("is not a PEM file: {why}"))),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, PairError> {
    let text = read(path)?;
    let unusable = |why: &str| PairError::Unusable { path: path.to_owned(), why: why.to_owned() };
    // In both forms of such keys, PKCS #8 and older.
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        return Err(unusable(
            "is encrypted, and nobody is there to type its password: write it without, as with `openssl pkey -in OLD -out NEW`, and let \
             only this program's user read it",
        ));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| unusable("has no private key: it must be a PEM file with `-----BEGIN PRIVATE KEY-----`"))
}

fn read(path: &Path) -> Result<Vec<u8>, PairError> {
    fs::read(path).map_err(|source| PairError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey as Made, generate_simple_self_signed};

    use super::*;

    /// A folder with the pairs `a` and `b`, and files that are none.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            let Made { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            fs::write(folder.path().join(format!("{name}.crt")), cert.pem()).unwrap();
            fs::write(folder.path().join(format!("{name}.key")), signing_key.serialize_pem()).unwrap();
        }
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        fs::write(folder.path().join("encrypted.key"), encrypted).unwrap();
        let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        fs::write(folder.path().join("older.key"), older).unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        folder
    }

    fn files(folder: &Path, certificate: &str, key: &str) -> TlsFiles {
        TlsFiles { tls_cert: Some(folder.join(certificate)), tls_key: Some(folder.join(key)) }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = folder();
        let check = |certificate: &str, key: &str, expect: &[&str]| {
            let error = PairInForce::read(&files(folder.path(), certificate, key)).unwrap_err().to_string();
            assert!(expect.iter().all(|part| error.contains(part)), "{certificate} {key}: {error}");
        };
        check("none", "a.key", &["failed to read", "none"]);
        check("a.crt", "none", &["failed to read", "none"]);
        check("empty", "a.key", &["empty", "BEGIN CERTIFICATE"]);
        check("a.key", "a.key", &["a.key", "BEGIN CERTIFICATE"]);
        check("a.crt", "a.crt", &["a.crt", "BEGIN PRIVATE KEY"]);
        check("a.crt", "b.key", &["b.key", "a.crt", "another certificate"]);
        check("a.crt", "encrypted.key", &["encrypted.key", "is encrypted", "openssl pkey"]);
        check("a.crt", "older.key", &["older.key", "is encrypted"]);
        assert!(PairInForce::read(&TlsFiles::default()).unwrap().is_none());
    }

    #[test]
    fn another_pair_is_in_force_and_a_broken_one_is_not() {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        let pair = PairInForce::read(&files(folder.path(), "a.crt", "a.key")).unwrap().unwrap();
        let (first, shared) = (pair.pin(), pair.clone());
        fs::copy(path("b.crt"), path("a.crt")).unwrap();
        assert!(pair.renew().is_err(), "the key is still the old one");
        assert_eq!(shared.pin(), first);
        fs::copy(path("b.key"), path("a.key")).unwrap();
        pair.renew().unwrap();
        assert_ne!(shared.pin(), first);
        assert!(pair.server().is_ok());
    }
}
