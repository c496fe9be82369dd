//! A body to disk: pieces go through a short queue to a thread that hashes and writes them, while another sends to the disk what
//! is written already, so that little is left to wait for at the end. Memory is a few MiB whatever the body's length, and whoever
//! sends is slowed down to what the disk takes. It knows streams and disks, not what is in a body.

use std::{
    fmt::Display,
    fs::File,
    io::{self, Write},
    sync::mpsc::{SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Job, Shelf, UploadError};

/// Bytes that are written at a time, and how many such batches may wait.
const BATCH: usize = 1 << 20;
const BATCHES: usize = 2;
/// Bytes after which what is written goes to the disk, and free room is looked at.
const STRIDE: u64 = 32 << 20;

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

/// Bytes that are hashed and written at a time, or a multiple: pieces of any length are hashed half as fast as whole trees of blake3.
const HASHED: usize = 128 << 10;

/// Writes one body.
struct Pen {
    file: File,
    shelf: Shelf,
    keep_free: u64,
    hasher: blake3::Hasher,
    /// What has come and is not written yet.
    buffer: Vec<u8>,
    bytes: u64,
    /// Bytes when the disk was last told to go on.
    told: u64,
    flusher: Flusher,
}

impl Pen {
    fn begin(shelf: Shelf, id: &str, keep_free: u64) -> Result<Self, UploadError> {
        let failed = |error| UploadError::writing(error, keep_free);
        let file = shelf.make().and_then(|()| shelf.begin(id)).map_err(failed)?;
        let flusher = file.try_clone().and_then(Flusher::start).map_err(failed)?;
        Ok(Self {
            file,
            shelf,
            keep_free,
            hasher: blake3::Hasher::new(),
            buffer: Vec::new(),
            bytes: 0,
            told: 0,
            flusher,
        })
    }

    /// Writes every batch to the empty one, which is the last. None if that does not come.
    fn write_all(mut self, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Option<Received>, UploadError> {
        let keep_free = self.keep_free;
        let failed = |error| UploadError::writing(error, keep_free);
        loop {
            match batches.blocking_recv() {
                Some(batch) if batch.is_empty() => break,
                Some(batch) => self.write(&batch).map_err(failed)?,
                None => return Ok(None),
            }
            if self.bytes - self.told >= STRIDE {
                self.told = self.bytes;
                self.flusher.go_on();
                if self.shelf.free().map_err(failed)? < keep_free {
                    return Err(UploadError::NoRoom { keep_free });
                }
            }
        }
        self.put(self.buffer.len()).map_err(failed)?;
        self.flusher.finish().and_then(|()| self.file.sync_all()).map_err(failed)?;
        let hash = format!("blake3:{}", self.hasher.finalize().to_hex());
        Ok(Some(Received { bytes: self.bytes, hash }))
    }

    fn write(&mut self, batch: &[Bytes]) -> io::Result<()> {
        for piece in batch {
            self.buffer.extend_from_slice(piece);
            self.bytes += piece.len() as u64;
        }
        self.put(self.buffer.len() / HASHED * HASHED)
    }

    /// Hashes and writes the first `len` bytes that are held.
    fn put(&mut self, len: usize) -> io::Result<()> {
        self.hasher.update(&self.buffer[..len]);
        self.file.write_all(&self.buffer[..len])?;
        self.buffer.drain(..len);
        Ok(())
    }
}

/// Sends to the disk what is written, beside the writing.
struct Flusher {
    wake: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Flusher {
    fn start(file: File) -> io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let flush = move || woken.iter().try_for_each(|()| file.sync_data());
        Ok(Self { wake, thread: std::thread::Builder::new().name("flusher".to_owned()).spawn(flush)? })
    }

    fn go_on(&self) {
        // Where it is told already, or has failed, `finish` tells.
        let _ = self.wake.try_send(());
    }

    fn finish(self) -> io::Result<()> {
        drop(self.wake);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that flushes an upload has panicked")))
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
