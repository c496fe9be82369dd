//! Bodies that hold something dear while they are produced: a snapshot of a database, whose log grows meanwhile, a sheet, a thread. Few
//! of these may be held at a time, so none is held as long as a slow client takes: the rest of the body goes to a temporary file.

use std::{
    fs::File,
    future::pending,
    io::{self, Read, Seek, SeekFrom, Write},
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{rt, web::Bytes};
use anyhow::{Context, Result, anyhow, ensure};
use futures_util::{Stream, StreamExt, TryStreamExt, stream, stream::LocalBoxStream};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_blocking,
    time::{Instant, sleep},
};

use tributary_budget::{Budget, Share};

use crate::body::file;

/// Time for which the client of a body is waited for in all, or else the rest of the body goes to a file. A limit for each chunk would let
/// one that takes some bytes per second hold its place for ever.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Chunks that wait for the client.
const MAX_QUEUED: usize = 1;
/// Bytes in such files, over all clients.
const MAX_SPILLED_BYTES: u64 = 16 << 30;
/// The bytes after which the free space of the disk of temporary files is looked at, over all clients: thousands of small files fill it too.
const CHECK_INTERVAL: u64 = 16 << 20;

static SPILLED: Budget = Budget::new(MAX_SPILLED_BYTES);
/// Bytes that were ever written to such files.
static WRITTEN: AtomicU64 = AtomicU64::new(0);
/// Bytes that stay free on that disk.
static KEEP_FREE: AtomicU64 = AtomicU64::new(1 << 30);

/// Sets the bytes that stay free on the disk of temporary files, for this process.
pub fn keep_free(bytes: u64) {
    KEEP_FREE.store(bytes, Ordering::Relaxed);
}

enum Piece {
    Bytes(Bytes),
    /// The rest of the body.
    Rest(Spill),
    Failed(anyhow::Error),
    /// The body is complete. A channel that closes without this means that the reading task panicked.
    Complete,
}

/// Streams `body`, and reads it to its end however slowly it is taken.
pub fn spilled(body: impl Stream<Item = Result<Bytes>> + 'static) -> impl Stream<Item = Result<Bytes>> + 'static {
    spilled_once(pending(), body)
}

/// As [`spilled`], but waits for no client any more once `others_wait` is ready.
pub fn spilled_once(
    others_wait: impl Future<Output = ()> + 'static,
    body: impl Stream<Item = Result<Bytes>> + 'static,
) -> impl Stream<Item = Result<Bytes>> + 'static {
    let (sender, receiver) = channel(MAX_QUEUED);
    rt::spawn(read(body, others_wait, sender));
    stream::unfold(Some(receiver), next).flatten()
}

type Parts = LocalBoxStream<'static, Result<Bytes>>;

async fn next(receiver: Option<Receiver<Piece>>) -> Option<(Parts, Option<Receiver<Piece>>)> {
    let mut receiver = receiver?;
    let one = |item| stream::iter([item]).boxed_local();
    match receiver.recv().await {
        Some(Piece::Bytes(bytes)) => Some((one(Ok(bytes)), Some(receiver))),
        Some(Piece::Rest(spill)) => Some((spill.stream().boxed_local(), None)),
        Some(Piece::Failed(error)) => Some((one(Err(error)), None)),
        Some(Piece::Complete) => None,
        None => Some((one(Err(anyhow!("the reader of a list panicked"))), None)),
    }
}

/// Reads the body. Ends early if the client has gone.
async fn read(body: impl Stream<Item = Result<Bytes>>, others_wait: impl Future<Output = ()>, sender: Sender<Piece>) {
    let (mut body, mut left) = (Box::pin(body), MAX_WAIT);
    let mut others_wait = pin!(others_wait);
    loop {
        let chunk = tokio::select! {
            chunk = body.next() => chunk,
            () = sender.closed() => return,
        };
        let Some(chunk) = chunk else { break };
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return drop(sender.send(Piece::Failed(error)).await),
        };
        let began = Instant::now();
        let place = tokio::select! {
            biased;
            place = sender.reserve() => Some(place),
            () = sleep(left) => None,
            () = &mut others_wait => None,
        };
        match place {
            Some(Ok(place)) => {
                place.send(Piece::Bytes(chunk));
                left = left.saturating_sub(began.elapsed());
            }
            Some(Err(_)) => return,
            None => {
                let begun = stream::iter([Ok(chunk)]).chain(body);
                let piece = Spill::write(begun, &sender).await.map_or_else(Piece::Failed, Piece::Rest);
                // What it was read from is given back by now.
                return drop(sender.send(piece).await);
            }
        }
    }
    drop(sender.send(Piece::Complete).await);
}

/// The rest of a body in a file that has no name.
pub(crate) struct Spill {
    pub(crate) file: Option<File>,
    bytes: Share<&'static Budget>,
}

impl Spill {
    pub(crate) const fn new() -> Self {
        Self { file: None, bytes: Share::new(&SPILLED) }
    }

    async fn write(body: impl Stream<Item = Result<Bytes>>, sender: &Sender<Piece>) -> Result<Self> {
        let mut body = Box::pin(body);
        let mut spill = Self::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk?;
            ensure!(!sender.is_closed(), "the client has gone");
            spill = blocking(move || spill.append(&chunk)).await?;
        }
        Ok(spill)
    }

    fn append(mut self, chunk: &[u8]) -> Result<Self> {
        self.write_on(chunk).map(|()| self)
    }

    /// Appends, wherever the file stands after others have read from it.
    pub(crate) fn append_behind(&mut self, chunk: &[u8]) -> Result<()> {
        if let Some(mut file) = self.file.as_ref() {
            file.seek(SeekFrom::Start(self.bytes.bytes())).context("failed to write a temporary file")?;
        }
        self.write_on(chunk)
    }

    fn write_on(&mut self, chunk: &[u8]) -> Result<()> {
        let bytes = chunk.len() as u64;
        ensure!(self.bytes.grow(bytes), "too much waits in temporary files for slow clients");
        let before = WRITTEN.fetch_add(bytes, Ordering::Relaxed);
        let mut is_due = before / CHECK_INTERVAL != (before + bytes) / CHECK_INTERVAL;
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile().context("failed to create a temporary file")?);
            is_due = true;
        }
        let mut file = self.file.as_ref().context("a list has no rest")?;
        if is_due {
            check_room(file)?;
        }
        file.write_all(chunk).context("failed to write a temporary file")
    }

    fn stream(mut self) -> impl Stream<Item = Result<Bytes>> + 'static {
        let written = self.file.take();
        let opened = async move {
            let mut written = written.context("a list has no rest")?;
            let written = blocking(move || Ok(written.rewind().map(|()| written)?)).await?;
            anyhow::Ok(file(written).map_err(anyhow::Error::from))
        };
        // The bytes count until the last of them was taken.
        stream::once(opened).try_flatten().map(move |chunk| {
            let _counted = &self;
            chunk
        })
    }
}

/// A temporary file that is written as a whole before a client takes it. It counts like the rest of a body.
pub struct TempFile(Spill);

impl TempFile {
    /// An empty file.
    #[must_use]
    pub const fn new() -> Self {
        Self(Spill::new())
    }

    /// A reader of its own, from the begin of the file.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(unix)]
    pub fn reader(&self) -> io::Result<impl Read + Send + use<>> {
        Ok(Reader { file: self.0.file.as_ref().map(File::try_clone).transpose()?, at: 0 })
    }

    /// Streams the file from its begin.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> + 'static {
        self.0.stream()
    }
}

impl Default for TempFile {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for TempFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Words, because libraries drop the causes of an error.
        self.0.write_on(data).map_err(|error| io::Error::other(format!("{error:#}")))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TempFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.file.as_mut().map_or(Ok(0), |file| file.read(out))
    }
}

impl Seek for TempFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.file.as_mut().map_or(Ok(0), |file| file.seek(to))
    }
}

/// Reads at places of its own, because clones of a file share one.
#[cfg(unix)]
struct Reader {
    file: Option<File>,
    at: u64,
}

#[cfg(unix)]
impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(file) = &self.file else { return Ok(0) };
        let read = std::os::unix::fs::FileExt::read_at(file, out, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.context("a thread that writes a temporary file panicked")?
}

#[cfg(unix)]
fn check_room(file: &File) -> Result<()> {
    let disk = rustix::fs::fstatvfs(file).context("failed to ask how much of the disk is free")?;
    let keep = KEEP_FREE.load(Ordering::Relaxed);
    ensure!(
        disk.f_bavail * disk.f_frsize >= keep,
        "the disk of temporary files is nearly full: `keep_free` is {keep} bytes"
    );
    Ok(())
}

#[cfg(not(unix))]
fn check_room(_: &File) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    /// A body of so many chunks, which tells when all was read.
    fn body(chunks: u32, read: Arc<Notify>) -> impl Stream<Item = Result<Bytes>> {
        let all = stream::iter((0..chunks).map(|number| Ok(Bytes::from(format!("{number}\n")))));
        all.chain(stream::once(async move {
            read.notify_one();
            Ok(Bytes::new())
        }))
    }

    #[actix_web::test]
    async fn a_body_is_read_to_its_end_and_the_same_however_it_is_taken() {
        for is_slow in [false, true] {
            let read = Arc::new(Notify::new());
            let body = spilled(body(5000, Arc::clone(&read)));
            if is_slow {
                read.notified().await;
                assert!(SPILLED.taken() > 0);
            }
            let taken: Vec<Bytes> = body.try_collect().await.unwrap();
            let expect: String = (0..5000).map(|number| format!("{number}\n")).collect();
            assert!(taken.concat() == expect.as_bytes(), "{is_slow}");
        }
        // The count is of the process, and other tests fill it meanwhile.
        let counted = async {
            while SPILLED.taken() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), counted).await.expect("what was taken does not count");
    }

    /// With a limit for each chunk, it would hold what the body is read from for minutes.
    #[actix_web::test]
    async fn a_client_that_takes_a_little_all_the_time_holds_nothing_for_long() {
        let read = Arc::new(Notify::new());
        let mut body = Box::pin(spilled(body(5000, Arc::clone(&read))));
        let mut taken = 0;
        let drip = async {
            loop {
                tokio::time::sleep(MAX_WAIT / 20).await;
                taken += body.next().await.map_or(0, |chunk| chunk.unwrap().len());
            }
        };
        tokio::select! {
            () = drip => {}
            () = read.notified() => {}
        }
        let rest: Vec<Bytes> = body.try_collect().await.unwrap();
        let expect: usize = (0..5000).map(|number| format!("{number}\n").len()).sum();
        assert_eq!((taken + rest.concat().len(), taken < expect / 10), (expect, true), "{taken}");
    }

    #[actix_web::test]
    async fn nobody_waits_for_a_client_while_others_wait() {
        let (read, others) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let wait = Arc::clone(&others);
        let body = spilled_once(async move { wait.notified().await }, body(5000, Arc::clone(&read)));
        tokio::time::pause();
        let began = Instant::now();
        others.notify_one();
        // Time stands still, unless all wait for it to pass.
        read.notified().await;
        assert!(began.elapsed() < MAX_WAIT, "{:?}", began.elapsed());
        let taken: Vec<Bytes> = body.try_collect().await.unwrap();
        assert_eq!(taken.concat().len(), (0..5000).map(|number| format!("{number}\n").len()).sum::<usize>());
    }

    #[actix_web::test]
    async fn a_failure_cuts_a_body_however_it_is_taken() {
        for is_slow in [false, true] {
            let read = Arc::new(Notify::new());
            let failing = body(100, Arc::clone(&read)).chain(stream::iter([Err(anyhow!("the database broke"))]));
            let body = spilled(failing);
            if is_slow {
                read.notified().await;
            }
            let taken: Vec<_> = body.collect().await;
            assert!(taken.last().unwrap().is_err(), "{is_slow}");
        }
    }
}
