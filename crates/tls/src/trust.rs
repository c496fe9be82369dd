//! The trust of a client: the authorities of this machine, those of a file, or one pinned certificate.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig,
    client::danger::ServerCertVerifier,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::pin::{Pin, PinVerifier};

/// The certificates that prove who a server is. The default: those that an authority of this machine has signed, for the server's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Authorities besides those of this machine.
    authorities: Arc<[CertificateDer<'static>]>,
    /// The only certificate that counts, if there is one.
    pin: Option<Pin>,
}

impl Trust {
    /// Trusts what the two settings of an address name, or the authorities of this machine. `is_tls` says that it begins with `https://`.
    ///
    /// # Errors
    /// The address is not encrypted, so nobody would ask for a certificate; both are named; as of [`Self::read`].
    pub fn chosen(is_tls: bool, ca_file: Option<&Path>, pin: Option<Pin>) -> Result<Self, String> {
        match (ca_file, pin) {
            (None, None) => Ok(Self::default()),
            _ if !is_tls => {
                Err("a certificate is checked only over TLS; write https:// in place of http://".to_owned())
            }
            (Some(_), Some(_)) => Err("`pin` names the only certificate that counts; leave `ca_file` out".to_owned()),
            (Some(file), None) => Self::read(file),
            (None, Some(pin)) => Ok(Self::pinned(pin)),
        }
    }

    /// Trusts the authorities of a PEM file too.
    ///
    /// # Errors
    /// It cannot be read, has no certificate, or one that no client can use.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read(file).map_err(|why| format!("failed to read {}: {why}", file.display()))?;
        let certificates: Result<Arc<[_]>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let authorities = certificates.map_err(|why| format!("{} is not a PEM file: {why}", file.display()))?;
        if authorities.is_empty() {
            let form = "it must be a PEM file with `-----BEGIN CERTIFICATE-----`";
            return Err(format!("{} has no certificate; {form}", file.display()));
        }
        let trust = Self { authorities, pin: None };
        trust.client().map_err(|why| format!("{} cannot be used: {why}", file.display()))?;
        Ok(trust)
    }

    /// Trusts one certificate, whoever signed it and whatever name and time it has.
    #[must_use]
    pub fn pinned(pin: Pin) -> Self {
        Self { pin: Some(pin), ..Self::default() }
    }

    /// Whether nothing but the authorities of this machine counts.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The settings of a client that trusts these.
    ///
    /// # Errors
    /// The authorities of this machine cannot be loaded, or one of the file is none.
    pub fn client(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self.pin {
            Some(pin) => Arc::new(PinVerifier { pin, provider: Arc::clone(&provider) }),
            None => Arc::new(Verifier::new_with_extra_roots(self.authorities.iter().cloned(), Arc::clone(&provider))?),
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        // "Dangerous" is only that any verifier may be named. Ours check chain, name and time, or the pin.
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        Ok(builder.with_no_client_auth())
    }
}
