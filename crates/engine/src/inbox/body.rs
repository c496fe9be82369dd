//! Receives a body to disk. Its chunks pass through a short queue to a thread that hashes and writes them. So a body of any length
//! takes a few MiB of memory, and the sender is slowed to the speed of the disk. The meaning of the bytes does not belong here.

use std::{fmt::Display, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tributary_pace::Pace;

use super::{
    disk::DiskWriter,
    error::InboxError,
    receiving::{Content, MAX_SMALL_BYTES, Part, Receiving},
};
use crate::documents::DocumentFolder;

/// Least bytes that are handed to the writing thread at a time, the last batch aside.
const BATCH_BYTES: u64 = 1 << 20;
/// Batches that may wait for the writing thread.
const MAX_QUEUED_BATCHES: usize = 2;

/// Ends the reception of a body early.
#[derive(Debug, Clone, Default)]
pub(super) struct Until {
    /// Cancelled when the engine stops.
    pub(super) stopped: CancellationToken,
    /// Cancelled when another request goes on with the body.
    pub(super) interrupted: CancellationToken,
}

/// The bounds of a body.
#[derive(Debug, Clone)]
pub(super) struct BodyLimits {
    /// Longest body in bytes.
    pub(super) max_size: u64,
    /// Bytes that stay free on the disk.
    pub(super) keep_free: u64,
    /// The time over which the sender must keep the least speed on average.
    pub(super) patience: Duration,
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
    until: &Until,
) -> Result<Content, InboxError> {
    if receiving.is_small() {
        let (mut small, mut part) = (Vec::new(), Part::default());
        let mut sender = Sender { pace: Pace::new(limits.patience), yields: receiving.begin().yields() };
        while let Some(chunk) = next_chunk(receiving, &mut body, limits, (until, &mut sender)).await? {
            small.extend_from_slice(&chunk);
            if small.len() as u64 > MAX_SMALL_BYTES {
                return Err(InboxError::Cut("it is longer than its announced length".to_owned()));
            }
        }
        part.add(&small);
        return Ok(Content { small: Some(small), ..part.content() });
    }
    let (writer, id, keep_free) = (folder.clone(), receiving.id.clone(), limits.keep_free);
    let disk = move || DiskWriter::create(writer, &id, keep_free);
    let (part, ended) = write(receiving, disk, Part::default(), body, limits, until).await?;
    ended?;
    Ok(part.content())
}

/// Appends a body to the part of a document that is on disk, and syncs it. Returns the part with all that arrived, and why the body
/// ended early.
///
/// # Errors
/// The disk fails: nobody knows what is behind the old part.
pub(super) async fn append<E: Display>(
    receiving: &Receiving,
    folder: &DocumentFolder,
    part: Part,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    until: &Until,
) -> Result<(Part, Result<(), InboxError>), InboxError> {
    let (writer, id, keep_free) = (folder.clone(), receiving.id.clone(), limits.keep_free);
    let begin = (part.bytes, Arc::clone(&receiving.on_disk));
    write(receiving, move || DiskWriter::append(writer, &id, keep_free, begin), part, body, limits, until).await
}

async fn write<E: Display>(
    receiving: &Receiving,
    disk: impl FnOnce() -> Result<DiskWriter, InboxError> + Send + 'static,
    part: Part,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    until: &Until,
) -> Result<(Part, Result<(), InboxError>), InboxError> {
    let (queue, batches) = mpsc::channel(MAX_QUEUED_BATCHES);
    let writing = tokio::task::spawn_blocking(move || write_all(disk()?, part, batches));
    let sent = send_chunks(receiving, body, limits, until, queue).await;
    let written = writing.await.context("the thread that writes an upload has panicked")?;
    // If writing failed, its error is the cause of the other one.
    Ok((written?, sent))
}

/// Sends the chunks of a body to the queue in batches. The queue closes when this returns.
async fn send_chunks<E: Display>(
    receiving: &Receiving,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &BodyLimits,
    until: &Until,
    queue: mpsc::Sender<Vec<Bytes>>,
) -> Result<(), InboxError> {
    let mut waiting = 0_u64;
    let coming = receiving.begin();
    let mut sender = Sender { pace: Pace::new(limits.patience), yields: coming.yields() };
    let mut batch = Vec::new();
    // Only a failed thread closes the queue, and `receive` returns its error instead of this one.
    let closed = |_| InboxError::Failed(anyhow!("the thread that writes an upload has ended"));
    loop {
        let chunk = match next_chunk(receiving, &mut body, limits, (until, &mut sender)).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                // What has arrived is kept, if the body may come in parts.
                if !batch.is_empty() {
                    let _ = queue.send(batch).await;
                }
                return Err(error);
            }
        };
        waiting += chunk.len() as u64;
        batch.push(chunk);
        if waiting >= BATCH_BYTES {
            queue.send(std::mem::take(&mut batch)).await.map_err(closed)?;
            waiting = 0;
        }
    }
    match batch.is_empty() {
        true => Ok(()),
        false => queue.send(batch).await.map_err(closed),
    }
}

/// The state of the sender of a body.
struct Sender {
    pace: Pace,
    /// Cancelled when others need the place of a slow sender.
    yields: CancellationToken,
}

/// The next chunk of a body; none at its end.
async fn next_chunk<E: Display>(
    receiving: &Receiving,
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    limits: &BodyLimits,
    (until, sender): (&Until, &mut Sender),
) -> Result<Option<Bytes>, InboxError> {
    let bytes = |chunk: &Option<Result<Bytes, E>>| match chunk {
        Some(Ok(chunk)) => chunk.len() as u64,
        // Its end is no reason to let it go.
        _ => u64::MAX / 2,
    };
    let chunk = tokio::select! {
        biased;
        () = receiving.cancel.cancelled() => return Err(InboxError::Cancelled),
        () = until.interrupted.cancelled() => return Err(InboxError::TakenOver),
        () = until.stopped.cancelled() => return Err(InboxError::Stopping),
        () = sender.yields.cancelled() => return Err(InboxError::Yielded),
        chunk = sender.pace.wait(body.next(), bytes) => chunk,
    };
    let Some(chunk) = chunk.map_err(InboxError::Stalled)? else { return Ok(None) };
    let chunk = chunk.map_err(|error| {
        tracing::debug!("a body broke off: {error}");
        InboxError::Cut("the connection ended, or its parts are not written as its head says".to_owned())
    })?;
    let bytes = receiving.add(chunk.len() as u64);
    if bytes > limits.max_size {
        return Err(InboxError::TooLarge { limit: limits.max_size });
    }
    if receiving.resumable.is_some() && receiving.total.is_some_and(|total| bytes > total) {
        return Err(InboxError::Cut("it is longer than its announced length".to_owned()));
    }
    Ok(Some(chunk))
}

/// Hashes and writes all batches until the queue closes, and syncs them.
fn write_all(
    mut disk: DiskWriter,
    mut part: Part,
    mut batches: mpsc::Receiver<Vec<Bytes>>,
) -> Result<Part, InboxError> {
    let mut written = Ok(());
    while let Some(batch) = batches.blocking_recv() {
        written = batch.iter().try_for_each(|chunk| {
            part.add(chunk);
            disk.write(chunk)
        });
        if written.is_err() {
            break;
        }
    }
    // A failed sync is the cause of a failed write.
    disk.finish()?;
    written.map(|()| part)
}

#[cfg(test)]
mod tests;
