//! The own certificate of a server and its key. Other ones can be put into force without a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{
    files::{HalfPair, TlsFiles},
    pin::Pin,
};

/// Time before the end of a certificate in which a person should renew it.
const SOON: Duration = Duration::from_secs(14 * 86_400);

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

    /// The fault of the dates of the certificate in force, for people: clients refuse it, or will soon.
    #[must_use]
    pub fn date_fault(&self, now: SystemTime) -> Option<String> {
        let pair = self.current();
        let shown = self.certificate.display();
        let at = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch);
        if let Some(fault) = date_fault(pair.cert.first()?, at(now)?) {
            return Some(format!("the certificate {shown} {fault}, so clients refuse it; renew it"));
        }
        let soon = date_fault(pair.cert.first()?, at(now + SOON)?).is_some();
        soon.then(|| format!("the certificate {shown} expires within {} days; renew it", SOON.as_secs() / 86_400))
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
    let pair = |chain| CertifiedKey::from_der(chain, private.clone_key(), &provider);
    pair(chain.clone()).map_err(|error| PairError::Mismatch {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        why: match error {
            rustls::Error::InconsistentKeys(_) if chain.iter().any(|one| pair(vec![one.clone()]).is_ok()) => {
                "its certificate is not the first in the file; put it before those that signed it".to_owned()
            }
            rustls::Error::InconsistentKeys(_) => "it belongs to another certificate".to_owned(),
            error => error.to_string(),
        },
    })
}

/// Whether clients accept the dates of a certificate at a time, in words; none if they do, or if it cannot be read. Nobody has signed it
/// for a client that trusts nobody, but the dates are looked at first.
fn date_fault(certificate: &CertificateDer<'_>, at: UnixTime) -> Option<&'static str> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &RootCertStore::empty(), &[], at, algorithms) {
        Err(rustls::Error::InvalidCertificate(error)) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Some("has expired"),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Some("is not valid yet"),
            _ => None,
        },
        _ => None,
    }
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
    let text = fs::read(path).map_err(|source| PairError::Unreadable { path: path.to_owned(), source })?;
    // Behind the mark that some editors write, the first part would not be seen.
    Ok(text.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CertifiedKey as Made, KeyPair, date_time_ymd, generate_simple_self_signed};

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
    fn a_chain_begins_with_the_own_certificate() {
        let folder = folder();
        let text = |name: &str| fs::read(folder.path().join(name)).unwrap();
        let chain = |name: &str, parts: &[&[u8]]| fs::write(folder.path().join(name), parts.concat()).unwrap();
        chain("right", &[b"\xEF\xBB\xBF", &text("a.crt"), &text("b.crt")]);
        chain("wrong", &[&text("b.crt"), &text("a.crt")]);
        let read = |name: &str| PairInForce::read(&files(folder.path(), name, "a.key"));
        assert!(read("right").is_ok(), "whatever mark an editor wrote before it");
        let error = read("wrong").unwrap_err().to_string();
        assert!(error.contains("is not the first in the file; put it before"), "{error}");
    }

    #[test]
    fn a_certificate_that_expires_is_told_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 3, 1));
        let key = KeyPair::generate().unwrap();
        fs::write(folder.path().join("c"), params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(folder.path().join("k"), key.serialize_pem()).unwrap();
        let pair = PairInForce::read(&files(folder.path(), "c", "k")).unwrap().unwrap();
        let check = |(year, month, day), expect: Option<&str>| {
            let at = SystemTime::from(date_time_ymd(year, month, day));
            let found = pair.date_fault(at);
            assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expect.unwrap_or_default()));
        };
        check((2025, 12, 31), Some("is not valid yet, so clients refuse it"));
        check((2026, 2, 1), None);
        check((2026, 2, 20), Some("expires within 14 days; renew it"));
        check((2026, 3, 2), Some("has expired, so clients refuse it"));
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
