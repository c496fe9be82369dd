//! `[grpc]`: the entrance for gRPC.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;
use tributary_admission::host_and_port;
use tributary_format_rules::size;
use tributary_store::DatabaseUrl;

/// The entrance for gRPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcConfig {
    /// The address to listen on, as HOST:PORT. Default: none, so that there is no such entrance.
    pub listen: Option<String>,
    /// The folder of results. Default: none, which means `PATH.results` next to the database.
    pub results_dir: Option<PathBuf>,
    /// Streams that are read at a time; others wait. Default: 64.
    pub streams: usize,
    /// Largest message in bytes. Default: 64 MiB.
    pub max_message: usize,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self { listen: None, results_dir: None, streams: 64, max_message: 64 << 20 }
    }
}

impl GrpcConfig {
    /// The path of the folder of results.
    #[must_use]
    pub fn results(&self, database: &DatabaseUrl) -> PathBuf {
        self.results_dir.clone().unwrap_or_else(|| {
            let mut beside = database.path().as_os_str().to_owned();
            beside.push(".results");
            beside.into()
        })
    }
}

/// `[grpc]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrpcAsTyped {
    listen: Option<Spanned<String>>,
    results_dir: Option<PathBuf>,
    streams: Option<Spanned<usize>>,
    max_message: Option<Spanned<String>>,
}

/// Checks the section. An error comes with its position in the file.
pub(super) fn grpc(typed: GrpcAsTyped) -> Result<GrpcConfig, (usize, String)> {
    fn checked<T, U>(
        typed: Option<Spanned<T>>,
        check: impl Fn(&T) -> Result<U, String>,
    ) -> Result<Option<U>, (usize, String)> {
        typed.map(|typed| check(typed.get_ref()).map_err(|why| (typed.span().start, why))).transpose()
    }
    let default = GrpcConfig::default();
    Ok(GrpcConfig {
        listen: checked(typed.listen, |text| host_and_port(text))?,
        results_dir: typed.results_dir,
        streams: checked(typed.streams, streams)?.unwrap_or(default.streams),
        max_message: checked(typed.max_message, |text| max_message(text))?.unwrap_or(default.max_message),
    })
}

fn streams(count: &usize) -> Result<usize, String> {
    const MOST: usize = 1_000;
    match count {
        1..=MOST => Ok(*count),
        count => Err(format!("`streams` must be from 1 to {MOST}, not {count}")),
    }
}

fn max_message(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    match usize::try_from(bytes) {
        Ok(bytes) if (64 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err(format!("`{text}` is out of range; write 64KiB to 1GiB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<GrpcConfig, String> {
        grpc(toml::from_str(text).unwrap()).map_err(|(_, why)| why)
    }

    #[test]
    fn an_entrance_has_an_address_and_bounds() {
        assert_eq!(check(""), Ok(GrpcConfig::default()));
        let set =
            check("listen = \"0.0.0.0:50051\"\nresults_dir = \"out\"\nstreams = 8\nmax_message = \"1MiB\"").unwrap();
        assert_eq!((set.listen.as_deref(), set.streams, set.max_message), (Some("0.0.0.0:50051"), 8, 1 << 20));
        for wrong in
            ["streams = 0", "streams = 1001", "max_message = \"1KiB\"", "max_message = \"2GiB\"", "listen = \"x\""]
        {
            check(wrong).unwrap_err();
        }
    }
}
