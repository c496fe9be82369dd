//! The files of secrets: the own certificate of the master, and whom it trusts.

use std::path::Path;

use toml::Spanned;
use tributary_tls::{Pin, TlsFiles, Trust};
use url::Url;

use crate::ConfigError;

/// The files of the own certificate: flags over those of the configuration file.
pub(super) fn files(args: &TlsFiles, file: TlsFiles) -> Result<TlsFiles, ConfigError> {
    let files =
        TlsFiles { tls_cert: args.tls_cert.clone().or(file.tls_cert), tls_key: args.tls_key.clone().or(file.tls_key) };
    files.both().map_err(|half| ConfigError(half.to_string()))?;
    Ok(files)
}

/// Returns whom to trust at the other end of `url`: the authorities of a file, or one certificate. An error comes with its place.
pub(super) fn trust(
    url: &Url,
    ca_file: Option<&Spanned<String>>,
    pin: Option<&Spanned<String>>,
    beside: impl Fn(&str) -> std::path::PathBuf,
) -> Result<Trust, (usize, String)> {
    let Some(setting) = ca_file.or(pin) else { return Ok(Trust::default()) };
    let at = |why: String| (setting.span().start, why);
    if url.scheme() != "https" {
        return Err(at("a certificate is checked only over TLS; write https:// in place of http://".to_owned()));
    }
    let trust = match (ca_file, pin) {
        (Some(_), Some(_)) => {
            return Err(at("`pin` names the only certificate that counts; leave `ca_file` out".to_owned()));
        }
        (Some(file), None) => read(&beside(file.get_ref())).map_err(at)?,
        (None, pin) => {
            let pin = pin.map(|pin| pin.get_ref().parse::<Pin>()).transpose().map_err(at)?;
            pin.map(Trust::pinned).unwrap_or_default()
        }
    };
    Ok(trust)
}

/// Reads a file of authorities, and checks that a client can use them.
fn read(file: &Path) -> Result<Trust, String> {
    let trust = Trust::read(file)?;
    trust.client().map_err(|why| format!("{} cannot be used: {why}", file.display()))?;
    Ok(trust)
}

/// An error with its causes.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}
