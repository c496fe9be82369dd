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
    /// Trusts the authorities of a PEM file too.
    ///
    /// # Errors
    /// It cannot be read, or has no certificate.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read(file).map_err(|why| format!("failed to read {}: {why}", file.display()))?;
        let certificates: Result<Arc<[_]>, _> = CertificateDer::pem_slice_iter(&text).collect();
        match certificates {
            Ok(authorities) if !authorities.is_empty() => Ok(Self { authorities, pin: None }),
            Ok(_) => Err(format!(
                "{} has no certificate; it must be a PEM file with `-----BEGIN CERTIFICATE-----`",
                file.display()
            )),
            Err(why) => Err(format!("{} is not a PEM file: {why}", file.display())),
        }
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
