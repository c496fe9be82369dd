//! Receives a body to disk. Its chunks pass through a short queue to a thread that hashes and writes them. So a body of any length
//! takes a few MiB of memory, and the sender is slowed to the speed of the disk. The meaning of the bytes does not belong here.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{disk::DiskWriter, error::InboxError, registry::Receiving};
use crate::documents::DocumentFolder;

/// Least bytes that are handed to the writing thread at a time, the last batch aside.
const BATCH_BYTES: u64 = 1 << 20;
/// Batches that may wait for the writing thread.
const MAX_QUEUED_BATCHES: usize = 2;

/// Longest body that is held in memory until it is written together with others.
pub(super) const MAX_SMALL_BYTES: u64 = 256 << 10;

/// A completely received body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    /// Written as in a manifest.
    pub(super) hash: String,
    /// The body, if it is not on disk yet.
    pub(super) small: Option<Vec<u8>>,
}

/// The bounds of a body.
#[derive(Debug, Clone)]
pub(super) struct BodyLimits {
    /// Longest body in bytes.
    pub(super) max_size: u64,
    /// Bytes that stay free on the disk.
    pub(super) keep_free: u64,
    /// Longest silence of the sender.
    pub(super) max_silence: Duration,
}

/// Receives a body: a small one into memory, any other into the document's hidden file, which is synced. `receiving` follows the
/// progress.
///
/// # Errors
/// The body or the disk fails, the body exceeds a limit, or the upload is cancelled.
pub(super) async fn receive<E: Display>(
    receiving: &Receiving,
    folder: &DocumentFolder,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    stop: &CancellationToken,
) -> Result<Content, InboxError> {
    if receiving.is_small() {
        let mut small = Vec::new();
        while let Some(chunk) = next_chunk(receiving, &mut body, limits, stop).await? {
            small.extend_from_slice(&chunk);
            if small.len() as u64 > MAX_SMALL_BYTES {
                return Err(InboxError::Cut("it is longer than its announced length".to_owned()));
            }
        }
        let hash = format!("blake3:{}", blake3::hash(&small).to_hex());
        return Ok(Content { bytes: small.len() as u64, hash, small: Some(small) });
    }
    let (queue, batches) = mpsc::channel(MAX_QUEUED_BATCHES);
    let (folder, id, keep_free) = (folder.clone(), receiving.id.clone(), limits.keep_free);
    let writing = tokio::task::spawn_blocking(move || write_all(DiskWriter::create(folder, &id, keep_free)?, batches));
    let sent = send_chunks(receiving, body, limits, stop, queue).await;
    let written = writing.await.context("the thread that writes an upload has panicked")?;
    // If writing failed, its error is the cause of the other one.
    let content = written?;
    sent?;
    content.ok_or_else(|| InboxError::Cut("the transfer ended early".to_owned()))
}

/// Sends the chunks of a body to the queue in batches. The queue closes when this returns; only a complete body ends with an
/// empty batch.
async fn send_chunks<E: Display>(
    receiving: &Receiving,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    stop: &CancellationToken,
    queue: mpsc::Sender<Vec<Bytes>>,
) -> Result<(), InboxError> {
    let mut waiting = 0_u64;
    let mut batch = Vec::new();
    // Only a failed thread closes the queue, and `receive` returns its error instead of this one.
    let closed = |_| InboxError::Failed(anyhow!("the thread that writes an upload has ended"));
    while let Some(chunk) = next_chunk(receiving, &mut body, limits, stop).await? {
        waiting += chunk.len() as u64;
        batch.push(chunk);
        if waiting >= BATCH_BYTES {
            queue.send(std::mem::take(&mut batch)).await.map_err(closed)?;
            waiting = 0;
        }
    }
    if !batch.is_empty() {
        queue.send(batch).await.map_err(closed)?;
    }
    queue.send(Vec::new()).await.map_err(closed)
}

/// The next chunk of a body; none at its end.
async fn next_chunk<E: Display>(
    receiving: &Receiving,
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    limits: &BodyLimits,
    stop: &CancellationToken,
) -> Result<Option<Bytes>, InboxError> {
    let chunk = tokio::select! {
        biased;
        () = receiving.cancel.cancelled() => return Err(InboxError::Cancelled),
        () = stop.cancelled() => return Err(InboxError::Stopping),
        chunk = tokio::time::timeout(limits.max_silence, body.next()) => chunk,
    };
    let chunk = chunk.map_err(|_| InboxError::Stalled { seconds: limits.max_silence.as_secs() })?;
    let Some(chunk) = chunk else { return Ok(None) };
    let chunk = chunk.map_err(|error| InboxError::Cut(error.to_string()))?;
    if receiving.add(chunk.len() as u64) > limits.max_size {
        return Err(InboxError::TooLarge { limit: limits.max_size });
    }
    Ok(Some(chunk))
}

/// Hashes and writes all batches up to the empty one, which ends a complete body. Returns none if the queue closes before that.
fn write_all(mut disk: DiskWriter, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Option<Content>, InboxError> {
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    let mut write = |chunk: &Bytes| {
        hasher.update(chunk);
        bytes += chunk.len() as u64;
        disk.write(chunk)
    };
    let ended = loop {
        match batches.blocking_recv() {
            Some(batch) if batch.is_empty() => break Ok(true),
            Some(batch) => {
                if let Err(error) = batch.iter().try_for_each(&mut write) {
                    break Err(error);
                }
            }
            None => break Ok(false),
        }
    };
    // A failed sync is the cause of a failed write.
    disk.finish()?;
    let hash = format!("blake3:{}", hasher.finalize().to_hex());
    Ok(ended?.then_some(Content { bytes, hash, small: None }))
}

#[cfg(test)]
mod tests;
