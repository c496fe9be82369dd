//! A pinned certificate: it is known by its hash, whoever signed it and whatever name it has.

use std::{fmt, str::FromStr, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};

/// The form in which a pin is written.
const FORM: &str =
    "write sha256: and 64 hex digits, as `openssl x509 -in CERT -noout -fingerprint -sha256` prints them";

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of a certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not the hash of a certificate; {FORM}");
        let digits: String = text.strip_prefix("sha256:").ok_or_else(wrong)?.split(':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            // `+f` is a number for Rust.
            let pair = Some(&digits[2 * at..2 * at + 2]).filter(|pair| !pair.starts_with('+')).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A server whose certificate is another one than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("it is not the pinned one but {0}")]
pub(crate) struct OtherCertificate(Pin);

/// Trusts one certificate. The server must still prove that it has the key.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    pub(crate) pin: Pin,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Pin::of(certificate);
        if found == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let other = OtherError(Arc::new(OtherCertificate(found)));
        Err(Error::InvalidCertificate(CertificateError::Other(other)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_written_as_openssl_prints_it() {
        let plain = format!("sha256:{}", "0a".repeat(32));
        let colons = format!("sha256:{}", ["0A"; 32].join(":"));
        assert_eq!(plain.parse::<Pin>(), colons.parse());
        assert_eq!(plain.parse::<Pin>().unwrap().to_string(), plain);
        for wrong in [
            "",
            "sha256:",
            "0a",
            &plain[7..],
            &format!("{plain}0"),
            &plain.replace("0a", "+a"),
            &plain.replace("0a", "é"),
        ] {
            assert!(wrong.parse::<Pin>().unwrap_err().contains("sha256: and 64 hex digits"), "{wrong}");
        }
    }
}
