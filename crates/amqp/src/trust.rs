//! Whom to trust: the authorities of this machine, and those of a file.

use std::{fs, io, path::Path, sync::Arc};

use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Authorities whose signature proves who a broker is, besides those of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust(Arc<[CertificateDer<'static>]>);

impl Trust {
    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// It cannot be read, or has no certificate.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read(file).map_err(|why| format!("failed to read {}: {why}", file.display()))?;
        let certificates: Result<Arc<[_]>, _> = CertificateDer::pem_slice_iter(&text).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(Self(certificates)),
            Ok(_) => Err(format!(
                "{} has no certificate; it must be a PEM file with `-----BEGIN CERTIFICATE-----`",
                file.display()
            )),
            Err(why) => Err(format!("{} is not a PEM file: {why}", file.display())),
        }
    }

    /// Encrypts a connection, once the certificate of its other end is signed by an authority and names this host.
    ///
    /// # Errors
    /// The certificate is not trusted; the other end speaks no TLS.
    pub(crate) async fn encrypt(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::new(self.client().map_err(io::Error::other)?)).connect(name, stream).await
    }

    fn client(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.0.iter().cloned(), Arc::clone(&provider))?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        // "Dangerous" is only that any verifier may be named. This one checks chain, name and time.
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }
}
