//! Receives a body to disk. Its chunks pass through a short queue to a thread that hashes them, and from there to one that writes
//! them. So a body of any length takes a few MiB of memory, and the sender is slowed to the speed of the disk. The meaning of the
//! bytes does not belong here.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    disk::{BLOCK_BYTES, Block, DiskWriter},
    error::UploadError,
    folder::UploadFolder,
    job::{Content, Job},
};

/// Least bytes that are handed to the hashing thread at a time, the last batch aside.
const BATCH_BYTES: usize = BLOCK_BYTES;
/// Batches that may wait for the hashing thread.
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
    let writing = tokio::task::spawn_blocking(move || HashingWriter::start(folder, &id, keep_free)?.write_all(batches));
    let sent = send_chunks(job, body, limits, stop, queue).await;
    let written = writing.await.context("the thread that hashes an upload has panicked")?;
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
    let closed = |_| UploadError::Failed(anyhow!("the thread that hashes an upload has ended"));
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
        if bytes - sent >= BATCH_BYTES as u64 {
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

/// Hashes one body and passes it to the disk.
struct HashingWriter {
    disk: DiskWriter,
    hasher: blake3::Hasher,
    /// The block that is being filled; none before the first byte and after the last.
    block: Option<Block>,
    /// Bytes of the block that are filled.
    filled: usize,
    bytes: u64,
}

impl HashingWriter {
    fn start(folder: UploadFolder, id: &str, keep_free: u64) -> Result<Self, UploadError> {
        let disk = DiskWriter::start(folder, id, keep_free)?;
        Ok(Self { disk, hasher: blake3::Hasher::new(), block: None, filled: 0, bytes: 0 })
    }

    /// Writes all batches up to the empty one, which ends a complete body. Returns none if the queue closes before that.
    fn write_all(mut self, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Option<Content>, UploadError> {
        let is_complete = loop {
            match batches.blocking_recv() {
                Some(batch) if batch.is_empty() => break true,
                // If the disk fails, `finish` returns the error.
                Some(batch) => {
                    if batch.iter().any(|chunk| self.write(chunk).is_none()) {
                        break false;
                    }
                }
                None => break false,
            }
        };
        if is_complete {
            self.flush_block();
        }
        let hash = format!("blake3:{}", self.hasher.finalize().to_hex());
        self.disk.finish()?;
        Ok(is_complete.then_some(Content { bytes: self.bytes, hash }))
    }

    /// Returns none if the disk has failed.
    fn write(&mut self, mut chunk: &[u8]) -> Option<()> {
        self.bytes += chunk.len() as u64;
        while !chunk.is_empty() {
            let block = match &mut self.block {
                Some(block) => block,
                none => none.insert(self.disk.empty_block()?),
            };
            let (now, later) = chunk.split_at(chunk.len().min(BLOCK_BYTES - self.filled));
            block[self.filled..][..now.len()].copy_from_slice(now);
            self.filled += now.len();
            chunk = later;
            if self.filled == BLOCK_BYTES {
                self.flush_block();
            }
        }
        Some(())
    }

    /// Hashes the filled part of the block and passes it to the disk.
    fn flush_block(&mut self) {
        if let Some(block) = self.block.take() {
            self.hasher.update(&block[..self.filled]);
            self.disk.write(block, std::mem::take(&mut self.filled));
        }
    }
}

#[cfg(test)]
mod tests;
