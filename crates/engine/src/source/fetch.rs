//! Fetch: a body to the spool, its hash computed while it streams. It knows streams and disks, not what is in the body.

use std::io;

use anyhow::anyhow;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sha2::Digest;
use tokio::task::JoinHandle;

use super::{Incoming, Place, Spooled};

/// Why a body was not received. The file keeps its accepted content in either case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The file is not, or no longer, what the manifest says. Asking for the manifest again may mend it.
    #[error("{0}")]
    RanAway(String),
    /// The source stands still or cannot be reached: its other files would be waited for in vain too.
    #[error("{0}")]
    Stalled(String),
    /// Nothing that another try in this pass would mend.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// What has been received.
pub(crate) struct Received {
    /// The body on disk.
    pub(crate) body: Spooled,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its hash, in the algorithm that was asked for, as `ALGORITHM:HEX`.
    pub(crate) hash: String,
}

/// Bytes that are written at a time. While they are written, as many more may come.
const PIECE: usize = 1 << 20;

/// Streams `body` to a place of the spool. `like` is a hash whose algorithm is to be used; `limit` the most bytes to take; `arrived`
/// is told of every chunk. A body that stands still holds no thread: those are few, and all sources share them.
///
/// # Errors
/// The body ends early or is longer than `limit` (ran away), stands still for too long, or the disk fails.
pub(crate) async fn receive(
    mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
    (spooled, incoming): Place,
    like: &str,
    limit: u64,
    arrived: impl Fn(u64),
) -> Result<Received, FetchError> {
    let mut store = Store::Ready(Box::new(Written { incoming, hasher: Hasher::like(like)? }));
    let (mut size, mut piece) = (0, Vec::new());
    while let Some(chunk) = body.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            // A source that hangs would hang again.
            Err(error) if error.is_timeout() => {
                let why = format!("the body stood still after {size} bytes: {}", causes(&error));
                return Err(FetchError::Stalled(why));
            }
            Err(error) => {
                let why = format!("the body was cut off after {size} bytes: {}", causes(&error));
                return Err(FetchError::RanAway(why));
            }
        };
        size += chunk.len() as u64;
        arrived(chunk.len() as u64);
        if size > limit {
            let why = format!("the source sends more than the {limit} bytes that it announced");
            return Err(FetchError::RanAway(why));
        }
        piece.extend_from_slice(&chunk);
        if piece.len() >= PIECE {
            store = store.write(std::mem::take(&mut piece)).await?;
        }
    }
    let mut written = store.write(piece).await?.ready().await?;
    written.incoming.complete();
    Ok(Received { body: spooled, size, hash: written.hasher.finish() })
}

/// The spooled file, or the thread that is just writing to it.
enum Store {
    Ready(Box<Written>),
    Writing(JoinHandle<io::Result<Box<Written>>>),
}

/// What has been written, and its hash so far.
struct Written {
    incoming: Incoming,
    hasher: Hasher,
}

impl Store {
    /// Begins to write a piece once the one before is written.
    async fn write(self, piece: Vec<u8>) -> Result<Self, FetchError> {
        let mut written = self.ready().await?;
        Ok(Self::Writing(tokio::task::spawn_blocking(move || {
            // First the one that somebody may be waiting for.
            written.incoming.write_all(&piece)?;
            written.hasher.update(&piece);
            Ok(written)
        })))
    }

    async fn ready(self) -> Result<Box<Written>, FetchError> {
        match self {
            Self::Ready(written) => Ok(written),
            Self::Writing(thread) => {
                let written = thread.await.map_err(|error| anyhow!(error))?;
                Ok(written.map_err(|error| anyhow!(error).context("failed to write to the spool"))?)
            }
        }
    }
}

/// An error with its causes on one line: reqwest's own text leaves out what happened.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The hashes that a manifest may use (docs/reference/source-protocol.md#manifest).
enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Sha256(sha2::Sha256),
}

impl Hasher {
    fn like(hash: &str) -> Result<Self, FetchError> {
        match hash.split_once(':') {
            Some(("blake3", _)) => Ok(Self::Blake3(Box::default())),
            Some(("sha256", _)) => Ok(Self::Sha256(sha2::Sha256::new())),
            _ => Err(FetchError::Failed(anyhow!("the manifest's hash `{hash}` is neither `blake3:…` nor `sha256:…`"))),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Blake3(hasher) => format!("blake3:{}", hasher.finalize().to_hex()),
            Self::Sha256(hasher) => {
                let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                format!("sha256:{hex}")
            }
        }
    }
}
