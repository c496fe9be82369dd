//! `[grpc]`: the entrance for gRPC.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;
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
    /// Whether the file of each stream becomes an upload, too. Default: no.
    pub keep: bool,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self { listen: None, results_dir: None, streams: 64, max_message: 64 << 20, keep: false }
    }
}

impl GrpcConfig {
    /// The path of the folder of results.
    #[must_use]
    pub fn results(&self, database: &DatabaseUrl) -> PathBuf {
        self.results_dir.clone().unwrap_or_else(|| {
            let mut beside = database.place().as_os_str().to_owned();
            beside.push(".results");
            beside.into()
        })
    }
}

/// `[grpc]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrpcAsTyped {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) results_dir: Option<PathBuf>,
    pub(super) streams: Option<Spanned<usize>>,
    pub(super) max_message: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) keep: bool,
}

/// Parses the number of streams.
pub(super) fn streams(count: &usize) -> Result<usize, String> {
    const MOST: usize = 1_000;
    match count {
        1..=MOST => Ok(*count),
        count => Err(format!("`streams` must be from 1 to {MOST}, not {count}")),
    }
}

/// Parses the size of the largest message.
pub(super) fn max_message(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    match usize::try_from(bytes) {
        Ok(bytes) if (64 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err(format!("`{text}` is out of range; write 64KiB to 1GiB")),
    }
}
