//! The files of secrets: the own certificate of the master, and whom it trusts. What errors show of an address that may hold a password.

use std::{borrow::Cow, path::PathBuf};

use toml::Spanned;
use tributary_tls::{TlsFiles, Trust};
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
    beside: impl Fn(&str) -> PathBuf,
) -> Result<Trust, (usize, String)> {
    let Some(setting) = ca_file.or(pin) else { return Ok(Trust::default()) };
    let at = |why: String| (setting.span().start, why);
    let pin = pin.map(|pin| pin.get_ref().parse()).transpose().map_err(at)?;
    let ca_file = ca_file.map(|file| beside(file.get_ref()));
    Trust::chosen(url.scheme() == "https", ca_file.as_deref(), pin).map_err(at)
}

/// An address as it was typed, without a user and a password. A text before `@` that is no user is left out, too.
pub(super) fn shown(typed: &str) -> Cow<'_, str> {
    let Some((before, place)) = typed.rsplit_once('@') else { return typed.into() };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}…@{place}").into()
}

/// An error with its causes.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}
