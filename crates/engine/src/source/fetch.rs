//! Streams a body to the spool and hashes it on the way. It knows streams and disks, not the content.

use std::io;

use anyhow::anyhow;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sha2::Digest;
use tokio::task::JoinHandle;
use tributary_pace::Pace;

use super::{
    arrival::BodyWriter,
    spool::{NewBody, SpooledBody},
};

/// The reason why a body was not received. The file keeps its accepted content in any case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The file differs from its entry in the manifest. A newer manifest may fix this.
    #[error("{0}")]
    Changed(String),
    /// The source stalls or cannot be reached, so its other files would fail too.
    #[error("{0}")]
    Stalled(String),
    /// Another try in this pass would fail too.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// A complete body.
pub(crate) struct Received {
    /// The body.
    pub(crate) body: SpooledBody,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its hash as `ALGORITHM:HEX`; empty if it was not hashed.
    pub(crate) hash: String,
}

/// The largest length of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyLimit {
    /// The length that the manifest lists.
    Announced(u64),
    /// The limit of the source.
    Largest(u64),
}

impl BodyLimit {
    fn bytes(self) -> u64 {
        match self {
            Self::Announced(bytes) | Self::Largest(bytes) => bytes,
        }
    }

    /// Refuses a file that is listed as larger than the limit of its source.
    pub(super) fn check_announced(size: u64, max_file_size: u64) -> Result<(), FetchError> {
        if size > max_file_size { Err(Self::Largest(max_file_size).exceeded(size)) } else { Ok(()) }
    }

    /// The error for a body of this length, so far.
    fn exceeded(self, size: u64) -> FetchError {
        match self {
            Self::Announced(limit) => {
                FetchError::Changed(format!("the source sends more than the {limit} bytes that it announced"))
            }
            Self::Largest(limit) => FetchError::Failed(anyhow!(
                "a file of {size} bytes or more; the limit `max_file_size` of this source is {limit} bytes"
            )),
        }
    }
}

/// Bytes that are written at a time, while as many more arrive.
const WRITE_BYTES: usize = 1 << 20;

/// A fault of a body that arrives.
pub(crate) trait BodyFault {
    /// Says what it means for the file, of which so many bytes have arrived.
    fn into_fetch_error(self, size: u64) -> FetchError;
}

impl BodyFault for reqwest::Error {
    fn into_fetch_error(self, size: u64) -> FetchError {
        // A source that hangs would hang again.
        if self.is_timeout() {
            return FetchError::Stalled(format!("the body stalled after {size} bytes"));
        }
        let what = if self.is_decode() { ", or what follows is not packed as its head says" } else { "" };
        tracing::debug!("a body was cut off: {:#}", anyhow!(self));
        FetchError::Changed(format!("the body was cut off after {size} bytes{what}"))
    }
}

/// Streams `body` to the spool. `hasher` hashes it on the way, `limit` bounds its length, and `arrived` is called with the length of each
/// chunk. A stalled body occupies no thread: all sources share the few that there are.
///
/// # Errors
/// The body ends early or exceeds `limit`, stalls, or the disk fails or has no room.
pub(crate) async fn receive<E: BodyFault>(
    (mut body, pace): (impl Stream<Item = Result<Bytes, E>> + Unpin, Pace),
    new: NewBody,
    mut hasher: Hasher,
    limit: BodyLimit,
    arrived: impl Fn(u64),
) -> Result<Received, FetchError> {
    let mut arriving = Arriving { size: 0, limit, pace, arrived };
    let mut buffer = Vec::new();
    let (spooled, writer) = match new {
        NewBody::File { body, writer } => (body, writer),
        NewBody::Memory => {
            while let Some(chunk) = arriving.next(&mut body).await? {
                buffer.extend_from_slice(&chunk);
            }
            hasher.update(&buffer);
            let body = SpooledBody::Memory(buffer.into());
            return Ok(Received { body, size: arriving.size, hash: hasher.finish() });
        }
    };
    let mut output = Output::Ready(Box::new(HashingWriter { writer, hasher }));
    while let Some(chunk) = arriving.next(&mut body).await? {
        buffer.extend_from_slice(&chunk);
        if buffer.len() >= WRITE_BYTES {
            output = output.write(std::mem::take(&mut buffer)).await?;
        }
    }
    let mut output = output.write(buffer).await?.ready().await?;
    output.writer.complete();
    Ok(Received { body: SpooledBody::File(spooled), size: arriving.size, hash: output.hasher.finish() })
}

/// State of a body that is arriving.
struct Arriving<F> {
    size: u64,
    limit: BodyLimit,
    pace: Pace,
    arrived: F,
}

impl<F: Fn(u64)> Arriving<F> {
    /// The next chunk, or none at the end.
    async fn next<E: BodyFault>(
        &mut self,
        body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    ) -> Result<Option<Bytes>, FetchError> {
        let bytes = |chunk: &Option<Result<Bytes, E>>| match chunk {
            Some(Ok(chunk)) => chunk.len() as u64,
            // Its end is no reason to let it go.
            _ => u64::MAX / 2,
        };
        let chunk =
            self.pace.wait(body.next(), bytes).await.map_err(|slow| {
                FetchError::Stalled(format!("the body is too slow after {} bytes: {slow}", self.size))
            })?;
        let chunk = match chunk {
            None => return Ok(None),
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return Err(error.into_fetch_error(self.size)),
        };
        self.size += chunk.len() as u64;
        (self.arrived)(chunk.len() as u64);
        if self.size > self.limit.bytes() {
            return Err(self.limit.exceeded(self.size));
        }
        Ok(Some(chunk))
    }
}

/// The writer of a body, or the thread that is using it.
enum Output {
    Ready(Box<HashingWriter>),
    Writing(JoinHandle<io::Result<Box<HashingWriter>>>),
}

struct HashingWriter {
    writer: BodyWriter,
    /// Of what has been written.
    hasher: Hasher,
}

impl Output {
    /// Starts to write `bytes` once the write before is done.
    async fn write(self, bytes: Vec<u8>) -> Result<Self, FetchError> {
        let mut output = self.ready().await?;
        Ok(Self::Writing(tokio::task::spawn_blocking(move || {
            // Writing comes first, because a follower may be waiting.
            output.writer.write_all(&bytes)?;
            output.hasher.update(&bytes);
            Ok(output)
        })))
    }

    async fn ready(self) -> Result<Box<HashingWriter>, FetchError> {
        match self {
            Self::Ready(output) => Ok(output),
            Self::Writing(thread) => {
                let output = thread.await.map_err(|error| anyhow!(error))?;
                Ok(output.map_err(|error| anyhow!(error).context("failed to write to the spool"))?)
            }
        }
    }
}

/// The hashes that a manifest may use (docs/reference/source-protocol.md#manifest).
pub(crate) enum Hasher {
    /// None: another sign tells contents apart.
    None,
    Blake3(Box<blake3::Hasher>),
    Sha256(sha2::Sha256),
}

impl Hasher {
    /// The hasher of the algorithm of a hash.
    pub(crate) fn like(hash: &str) -> Result<Self, FetchError> {
        match hash.split_once(':') {
            Some(("blake3", _)) => Ok(Self::Blake3(Box::default())),
            Some(("sha256", _)) => Ok(Self::Sha256(sha2::Sha256::new())),
            _ => Err(FetchError::Failed(anyhow!("the manifest's hash `{hash}` is neither `blake3:…` nor `sha256:…`"))),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Blake3(hasher) => drop(hasher.update(bytes)),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Blake3(hasher) => format!("blake3:{}", hasher.finalize().to_hex()),
            Self::Sha256(hasher) => {
                let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                format!("sha256:{hex}")
            }
        }
    }
}
