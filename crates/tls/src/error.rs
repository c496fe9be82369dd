//! Errors of TLS in words for people.

use std::{error::Error, io};

use rustls::{CertificateError, Error as TlsError, pki_types::ServerName};

/// Why a client does not talk to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustFault {
    /// Nobody that the client trusts has signed the certificate.
    UnknownIssuer,
    /// The certificate cannot be trusted for another reason, in words.
    Certificate(String),
    /// The server does not speak TLS.
    NoTls,
}

/// Finds an error of TLS among the causes of an error. `None`: there is none, or the network is at fault.
#[must_use]
pub fn trust_fault(error: &(dyn Error + 'static)) -> Option<TrustFault> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let found = error.downcast_ref::<TlsError>().map(fault);
        if let Some(found) = found.or_else(|| inner.map(|inner| trust_fault(inner))) {
            return found;
        }
        next = error.source();
    }
    None
}

fn fault(error: &TlsError) -> Option<TrustFault> {
    match error {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => Some(TrustFault::UnknownIssuer),
        TlsError::InvalidCertificate(why) => Some(TrustFault::Certificate(words(why))),
        TlsError::InvalidMessage(_) => Some(TrustFault::NoTls),
        _ => None,
    }
}

fn words(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        CertificateError::NotValidForName => "it is not for this name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| name_in(name)).collect();
            let but = if names.is_empty() { String::new() } else { format!(", but for {}", names.join(", ")) };
            format!("it is not for this name, `{}`{but}", plain(expected))
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::Other(other) if other.0.to_string().contains("CaUsedAsEndEntity") => {
            "it is an authority's own certificate, which no server may use, unless it is pinned".to_owned()
        }
        CertificateError::Other(other) => other.0.to_string(),
        other => other.to_string(),
    }
}

fn plain(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

/// The name in the debug form that the library gives, such as `DnsName("north")`.
fn name_in(debug: &str) -> &str {
    debug.split('"').nth(1).unwrap_or(debug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_below_others() {
        let unknown = || TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        let nested = io::Error::other(io::Error::other(unknown()));
        assert_eq!(trust_fault(&nested), Some(TrustFault::UnknownIssuer));
        assert_eq!(trust_fault(&io::Error::other("cut")), None);
        let name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("north").unwrap(),
            presented: vec!["DnsName(\"south\")".to_owned()],
        };
        let expect = "it is not for this name, `north`, but for south";
        let found = trust_fault(&TlsError::InvalidCertificate(name));
        assert_eq!(found, Some(TrustFault::Certificate(expect.to_owned())));
    }
}
