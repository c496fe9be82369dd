//! Receives a body to disk. Its chunks pass through a short queue to a thread that hashes and writes them. So a body of any length
//! takes a few MiB of memory, and the sender is slowed to the speed of the disk. The meaning of the bytes does not belong here.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    disk::DiskWriter,
    error::UploadError,
    folder::UploadFolder,
    job::{Content, Job},
};

/// Least bytes that are handed to the writing thread at a time, the last batch aside.
const BATCH_BYTES: u64 = 1 << 20;
/// Batches that may wait for the writing thread.
const MAX_QUEUED_BATCHES: usize = 2;

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

/// Streams `body` into the job's hidden file and syncs it. The job's status follows the progress.
///
/// # Errors
/// The body or the disk fails, the body exceeds a limit, or the upload is cancelled.
pub(super) async fn receive<E: Display>(
    job: &Job,
    folder: &UploadFolder,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    stop: &CancellationToken,
) -> Result<Content, UploadError> {
    let (queue, batches) = mpsc::channel(MAX_QUEUED_BATCHES);
    let (folder, id, keep_free) = (folder.clone(), job.id.clone(), limits.keep_free);
    let writing = tokio::task::spawn_blocking(move || write_all(DiskWriter::create(folder, &id, keep_free)?, batches));
    let sent = send_chunks(job, body, limits, stop, queue).await;
    let written = writing.await.context("the thread that writes an upload has panicked")?;
    // If writing failed, its error is the cause of the other one.
    let content = written?;
    sent?;
    content.ok_or_else(|| UploadError::Cut("the transfer ended early".to_owned()))
}

/// Sends the chunks of a body to the queue in batches. The queue closes when this returns; only a complete body ends with an
/// empty batch.
async fn send_chunks<E: Display>(
    job: &Job,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    stop: &CancellationToken,
    queue: mpsc::Sender<Vec<Bytes>>,
) -> Result<(), UploadError> {
    let mut bytes = 0_u64;
    let mut sent = 0_u64;
    let mut batch = Vec::new();
    // Only a failed thread closes the queue, and `receive` returns its error instead of this one.
    let closed = |_| UploadError::Failed(anyhow!("the thread that writes an upload has ended"));
    loop {
        let chunk = tokio::select! {
            biased;
            () = job.cancel.cancelled() => return Err(UploadError::Cancelled),
            () = stop.cancelled() => return Err(UploadError::Stopping),
            chunk = tokio::time::timeout(limits.max_silence, body.next()) => chunk,
        };
        let chunk = chunk.map_err(|_| UploadError::Stalled { seconds: limits.max_silence.as_secs() })?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|error| UploadError::Cut(error.to_string()))?;
        bytes += chunk.len() as u64;
        if bytes > limits.max_size {
            return Err(UploadError::TooLarge { limit: limits.max_size });
        }
        batch.push(chunk);
        job.status.send_modify(|status| status.bytes = bytes);
        if bytes - sent >= BATCH_BYTES {
            queue.send(std::mem::take(&mut batch)).await.map_err(closed)?;
            sent = bytes;
        }
    }
    job.status.send_modify(|status| {
        status.bytes = bytes;
        status.total = Some(bytes);
    });
    if !batch.is_empty() {
        queue.send(batch).await.map_err(closed)?;
    }
    queue.send(Vec::new()).await.map_err(closed)
}

/// Hashes and writes all batches up to the empty one, which ends a complete body. Returns none if the queue closes before that.
fn write_all(mut disk: DiskWriter, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Option<Content>, UploadError> {
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
    Ok(ended?.then_some(Content { bytes, hash }))
}

#[cfg(test)]
mod tests;
