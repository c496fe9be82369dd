//! A body to disk: pieces go through a short queue to a thread that hashes them, and from there to one that writes them. Memory
//! is a few MiB whatever the body's length, and whoever sends is slowed down to what the disk takes. It knows streams, not what
//! is in a body.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Job, Shelf, UploadError,
    disk::{BLOCK, Block, Disk},
};

/// Bytes that are handed on at a time, and how many such batches may wait.
const BATCH: usize = BLOCK;
const BATCHES: usize = 2;

/// What a body may be.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// The most bytes.
    pub(super) max_size: u64,
    /// Bytes that stay free on the disk.
    pub(super) keep_free: u64,
    /// How long nothing may come.
    pub(super) idle: Duration,
}

/// What was received.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: u64,
    /// As a manifest has it.
    pub(super) hash: String,
}

/// Streams `body` into the job's hidden file, and to the disk. The job's status says how far it is.
///
/// # Errors
/// The body or the disk fails, a limit is passed, or somebody wants it no more.
pub(super) async fn receive<E: Display>(
    job: &Job,
    shelf: &Shelf,
    body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &Limits,
    stop: &CancellationToken,
) -> Result<Received, UploadError> {
    let (queue, batches) = mpsc::channel(BATCHES);
    let (shelf, id, keep_free) = (shelf.clone(), job.id.clone(), limits.keep_free);
    let writing = tokio::task::spawn_blocking(move || Pen::begin(shelf, &id, keep_free)?.write_all(batches));
    let taken = take(job, body, limits, stop, queue).await;
    let written = writing.await.context("the thread that writes an upload broke off")?;
    // What stopped the writing explains why nothing more was taken.
    let whole = written?;
    taken?;
    whole.ok_or_else(|| UploadError::Cut("it broke off".to_owned()))
}

/// Takes the body piece by piece. The queue closes when it returns; only a whole body ends with an empty batch.
async fn take<E: Display>(
    job: &Job,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limits: &Limits,
    stop: &CancellationToken,
    queue: mpsc::Sender<Vec<Bytes>>,
) -> Result<(), UploadError> {
    let (mut bytes, mut sent, mut batch) = (0_u64, 0_u64, Vec::new());
    // The thread has failed if nobody takes a batch, and says how.
    let broken = |_| UploadError::Failed(anyhow!("the thread that writes an upload has ended"));
    loop {
        let piece = tokio::select! {
            biased;
            () = job.cancel.cancelled() => return Err(UploadError::Cancelled),
            () = stop.cancelled() => return Err(UploadError::Stopping),
            piece = tokio::time::timeout(limits.idle, body.next()) => piece,
        };
        let piece = piece.map_err(|_| UploadError::Stalled { seconds: limits.idle.as_secs() })?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| UploadError::Cut(error.to_string()))?;
        bytes += piece.len() as u64;
        if bytes > limits.max_size {
            return Err(UploadError::TooLarge { limit: limits.max_size });
        }
        batch.push(piece);
        job.status.send_modify(|status| status.bytes = bytes);
        if bytes - sent >= BATCH as u64 {
            queue.send(std::mem::take(&mut batch)).await.map_err(broken)?;
            sent = bytes;
        }
    }
    job.status.send_modify(|status| (status.bytes, status.total) = (bytes, Some(bytes)));
    if !batch.is_empty() {
        queue.send(batch).await.map_err(broken)?;
    }
    queue.send(Vec::new()).await.map_err(broken)
}

/// Hashes one body and hands it to the disk.
struct Pen {
    disk: Disk,
    hasher: blake3::Hasher,
    /// The block that is being filled, and how far it is; none before the first and after the last byte.
    block: Option<Block>,
    filled: usize,
    bytes: u64,
}

impl Pen {
    fn begin(shelf: Shelf, id: &str, keep_free: u64) -> Result<Self, UploadError> {
        let disk = Disk::begin(shelf, id, keep_free)?;
        Ok(Self { disk, hasher: blake3::Hasher::new(), block: None, filled: 0, bytes: 0 })
    }

    /// Writes every batch to the empty one, which is the last. None if that does not come.
    fn write_all(mut self, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Option<Received>, UploadError> {
        let is_whole = loop {
            match batches.blocking_recv() {
                Some(batch) if batch.is_empty() => break true,
                // Why nothing more is taken the disk says at the end.
                Some(batch) => {
                    if batch.iter().any(|piece| self.write(piece).is_none()) {
                        break false;
                    }
                }
                None => break false,
            }
        };
        if is_whole {
            self.hand_over();
        }
        let hash = format!("blake3:{}", self.hasher.finalize().to_hex());
        self.disk.finish()?;
        Ok(is_whole.then_some(Received { bytes: self.bytes, hash }))
    }

    /// None if the disk has failed.
    fn write(&mut self, mut piece: &[u8]) -> Option<()> {
        self.bytes += piece.len() as u64;
        while !piece.is_empty() {
            let block = match &mut self.block {
                Some(block) => block,
                none => none.insert(self.disk.block()?),
            };
            let (now, later) = piece.split_at(piece.len().min(BLOCK - self.filled));
            block[self.filled..][..now.len()].copy_from_slice(now);
            self.filled += now.len();
            piece = later;
            if self.filled == BLOCK {
                self.hand_over();
            }
        }
        Some(())
    }

    /// Hashes what is filled, a whole tree of blake3 but for the last one, which is twice as fast as pieces of any length.
    fn hand_over(&mut self) {
        if let Some(block) = self.block.take() {
            self.hasher.update(&block[..self.filled]);
            self.disk.write(block, std::mem::take(&mut self.filled));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    const LIMITS: Limits = Limits { max_size: 10 << 20, keep_free: 0, idle: Duration::from_secs(30) };

    fn setting() -> (tempfile::TempDir, Shelf, Job) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_owned());
        (folder, shelf, Job::new("0".repeat(32), "a.csv".into(), false, None))
    }

    fn pieces(count: usize) -> impl Iterator<Item = Result<Bytes, Infallible>> {
        (0..count).map(|number| Ok(Bytes::from(vec![number as u8; 40_000])))
    }

    #[tokio::test]
    async fn a_body_is_on_disk_byte_for_byte() {
        for count in [0, 1, 100] {
            let (folder, shelf, job) = setting();
            let body = stream::iter(pieces(count));
            let received = receive(&job, &shelf, body, &LIMITS, &CancellationToken::new()).await.unwrap();
            let expect: Vec<u8> = pieces(count).flat_map(|piece| piece.unwrap().to_vec()).collect();
            let written = std::fs::read(folder.path().join(format!(".{}.part", job.id))).unwrap();
            assert!(written == expect, "{count} pieces");
            assert_eq!(received.hash, format!("blake3:{}", blake3::hash(&expect).to_hex()));
            let length = expect.len() as u64;
            let status = job.upload().status;
            assert_eq!((received.bytes, status.bytes, status.total), (length, length, Some(length)));
        }
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_broken_off() {
        let (_folder, shelf, job) = setting();
        let impatient = Limits { idle: Duration::from_millis(30), ..LIMITS };
        let body = stream::iter(pieces(3)).chain(stream::pending());
        let began = tokio::time::Instant::now();
        let error = receive(&job, &shelf, body, &impatient, &CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, UploadError::Stalled { .. }), "{error}");
        assert!(began.elapsed() >= impatient.idle);
    }

    #[tokio::test]
    async fn limits_cancelling_and_stopping_break_it_off() {
        let (_folder, shelf, job) = setting();
        let token = CancellationToken::new;
        let small = Limits { max_size: 99_999, ..LIMITS };
        let error = receive(&job, &shelf, stream::iter(pieces(3)), &small, &token()).await.unwrap_err();
        assert!(matches!(error, UploadError::TooLarge { limit: 99_999 }), "{error}");
        shelf.discard(&job.id).unwrap();

        let full = Limits { keep_free: u64::MAX, max_size: u64::MAX, ..LIMITS };
        let error = receive(&job, &shelf, stream::iter(pieces(2_000)), &full, &token()).await.unwrap_err();
        assert!(matches!(error, UploadError::NoRoom { .. }), "{error}");
        shelf.discard(&job.id).unwrap();

        let cut = stream::iter(pieces(1).map(|piece| piece.map_err(|_| "")).chain([Err("the connection is gone")]));
        let error = receive(&job, &shelf, cut, &LIMITS, &token()).await.unwrap_err();
        assert!(error.to_string().contains("the connection is gone"), "{error}");
        shelf.discard(&job.id).unwrap();

        let stop = token();
        stop.cancel();
        let waits = || stream::iter(pieces(1)).chain(stream::pending());
        let error = receive(&job, &shelf, waits(), &LIMITS, &stop).await.unwrap_err();
        assert!(matches!(error, UploadError::Stopping), "{error}");
        shelf.discard(&job.id).unwrap();
        job.cancel.cancel();
        let error = receive(&job, &shelf, waits(), &LIMITS, &token()).await.unwrap_err();
        assert!(matches!(error, UploadError::Cancelled), "{error}");
    }
}
