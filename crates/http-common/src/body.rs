//! Response bodies that blocking threads produce. They are bounded in memory, end early when the client goes away, and are cut rather
//! than completed when something fails.

use std::{
    fs::File,
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tokio::{
    runtime::Handle,
    sync::{
        Semaphore, SemaphorePermit,
        mpsc::{Receiver, Sender, channel},
    },
    task::spawn_blocking,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Span;
use tributary_budget::{Budget, Share};

/// Size of a piece, and number of pieces that may wait for a slow client of a body that occupies a thread.
const PIECE_BYTES: usize = 48 << 10;
const MAX_QUEUED_PIECES: usize = 4;
/// Time after which a client that takes nothing is cut off: it holds a thread, and whatever the producer reads from.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Size to which pieces grow for a client that takes them at once, and the bytes of such pieces over all bodies: fewer changes of threads
/// for many bytes, and little memory for a crowd that stops taking.
const MAX_PIECE_BYTES: usize = 512 << 10;
const MAX_LARGE_BYTES: u64 = 32 << 20;
/// Time in which a client takes a piece at once.
const AT_ONCE: Duration = Duration::from_millis(100);

static LARGE: Budget = Budget::new(MAX_LARGE_BYTES);

/// A piece of a body, which counts as long as anybody holds a part of it.
struct Piece {
    bytes: Vec<u8>,
    /// Its share of [`MAX_LARGE_BYTES`].
    share: Share<&'static Budget>,
}

impl Piece {
    /// A piece of at most so many bytes, or a small one if there is no room.
    fn of(size: usize) -> Self {
        let mut share = Share::new(&LARGE);
        // The last step may go a little further.
        let is_large = size > PIECE_BYTES && share.grow(size as u64);
        let capacity = if is_large { size + PIECE_BYTES } else { PIECE_BYTES };
        Self { bytes: Vec::with_capacity(capacity), share }
    }

    /// The bytes that it is to have.
    fn wanted(&self) -> usize {
        (self.share.bytes() as usize).max(PIECE_BYTES)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Steps that run at the same time, over all bodies: with more, a crowd of clients would leave no core to those who ask for little.
const MAX_STEPS: usize = 16;

static TURNS: Semaphore = Semaphore::const_new(MAX_STEPS);

/// Waits for a turn to do work on a blocking thread. It lasts as long as what is returned.
///
/// # Errors
/// None in practice.
pub async fn turn() -> io::Result<SemaphorePermit<'static>> {
    TURNS.acquire().await.map_err(io::Error::other)
}

/// Streams what `step` appends, call by call, until it returns false. No thread waits for a slow client: one step runs ahead, on a blocking
/// thread. If a step fails, the stream ends in that error, which cuts the connection, and nothing of this step is sent. `on_complete` runs
/// once the client has taken the whole body.
pub fn stepped(
    step: impl FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
    on_complete: impl FnOnce() + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let running = run(step, Span::current(), PIECE_BYTES);
    stream::unfold(Some(Steps { running: Some(running), size: PIECE_BYTES, sent: None, on_complete }), next_step)
}

/// Streams a file from where it stands.
pub fn file(mut file: File) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let step = move |out: &mut Vec<u8>| Ok((&mut file).take(PIECE_BYTES as u64).read_to_end(out)? > 0);
    stepped(step, || {})
}

/// The steps after some, what they appended, and whether there are more.
type Stepped<S> = (S, Piece, io::Result<bool>, Span);

/// Steps that are under way, and not begun if nobody waits for them any more.
type Running<S> = AbortOnDropHandle<io::Result<Stepped<S>>>;

fn run<S>(mut step: S, span: Span, size: usize) -> Running<S>
where
    S: FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(async move {
        let turn = turn().await?;
        let steps = spawn_blocking(move || {
            let _turn = turn;
            let mut piece = Piece::of(size);
            let (size, mut more) = (piece.wanted(), Ok(true));
            while matches!(more, Ok(true)) && piece.bytes.len() < size {
                more = span.in_scope(|| step(&mut piece.bytes));
            }
            (step, piece, more, span)
        });
        steps.await.map_err(|_| io::Error::other("the producer of the body panicked"))
    }))
}

struct Steps<S, F> {
    /// None after the last step.
    running: Option<Running<S>>,
    /// Bytes of the next piece.
    size: usize,
    /// When the client was given a piece last.
    sent: Option<Instant>,
    on_complete: F,
}

async fn next_step<S, F>(steps: Option<Steps<S, F>>) -> Option<(io::Result<Bytes>, Option<Steps<S, F>>)>
where
    S: FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
    F: FnOnce(),
{
    let Steps { running, size, sent, on_complete } = steps?;
    let Some(running) = running else {
        on_complete();
        return None;
    };
    let size = match sent {
        Some(sent) if sent.elapsed() < AT_ONCE => (2 * size).min(MAX_PIECE_BYTES),
        _ => PIECE_BYTES,
    };
    let ready = running.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let sent = Some(Instant::now());
    match ready {
        Ok((step, piece, Ok(true), span)) => {
            let running = Some(run(step, span, size));
            Some((Ok(Bytes::from_owner(piece)), Some(Steps { running, size, sent, on_complete })))
        }
        Ok((_, piece, Ok(false), _)) if piece.bytes.is_empty() => {
            on_complete();
            None
        }
        Ok((_, piece, Ok(false), _)) => {
            Some((Ok(Bytes::from_owner(piece)), Some(Steps { running: None, size, sent, on_complete })))
        }
        Ok((_, _, Err(error), _)) | Err(error) => {
            tracing::debug!(%error, "a response body is incomplete: {error}");
            Some((Err(error), None))
        }
    }
}

enum Message {
    Bytes(Bytes),
    Failed(io::Error),
    /// The body is complete. A channel that closes without this means that the producer panicked.
    Complete,
}

/// The producer's end of a body. It holds the last piece back until the producer succeeds, so that a client never gets a
/// complete body that proved wrong after its last byte.
#[derive(Debug)]
pub struct Sink {
    pieces: Sender<Message>,
    /// The last piece so far; sent once more follows.
    held: Vec<u8>,
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.held.len() == PIECE_BYTES {
            self.send_held()?;
        }
        let room = (PIECE_BYTES - self.held.len()).min(data.len());
        self.held.extend_from_slice(&data[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// Returns whether the client is gone, so that writing is pointless.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.pieces.is_closed()
    }

    /// Sends at once what was written so far, for a body that marks its own end.
    ///
    /// # Errors
    /// The client is gone.
    pub fn pass_on(&mut self) -> io::Result<()> {
        if self.held.is_empty() { Ok(()) } else { self.send_held() }
    }

    fn send_held(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE_BYTES));
        self.send(Message::Bytes(piece.into()))
    }

    fn send(&self, piece: Message) -> io::Result<()> {
        let sent = Handle::current().block_on(timeout(CLIENT_TIMEOUT, self.pieces.send(piece)));
        if !matches!(sent, Ok(Ok(()))) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    fn finish(mut self, produced: io::Result<()>) -> io::Result<()> {
        match produced {
            Ok(()) => {
                self.send_held()?;
                self.send(Message::Complete)
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(error),
            Err(error) => self.send(Message::Failed(error)),
        }
    }
}

/// Runs `produce` on a blocking thread, which it occupies until the client has taken nearly all, and streams what it writes. So there must be a
/// bound on such bodies; [`stepped`] needs none. If it fails, the stream ends in that error, which cuts the
/// connection. `on_complete` runs once the client has taken the whole body.
pub fn produced(
    produce: impl FnOnce(&mut Sink) -> io::Result<()> + Send + 'static,
    on_complete: impl FnOnce() + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let (sender, receiver) = channel(MAX_QUEUED_PIECES);
    let span = tracing::Span::current();
    spawn_blocking(move || {
        let _entered = span.entered();
        let mut sink = Sink { pieces: sender, held: Vec::new() };
        let result = produce(&mut sink);
        if let Err(error) = &result {
            tracing::debug!(%error, "a response body is incomplete: {error}");
        }
        // If the client is gone, nobody needs to know.
        let _ = sink.finish(result);
    });
    stream::unfold(Some((receiver, on_complete)), next)
}

type Rest<F> = Option<(Receiver<Message>, F)>;

async fn next<F: FnOnce()>(rest: Rest<F>) -> Option<(io::Result<Bytes>, Rest<F>)> {
    let (mut receiver, on_complete) = rest?;
    match receiver.recv().await {
        Some(Message::Bytes(bytes)) => Some((Ok(bytes), Some((receiver, on_complete)))),
        Some(Message::Failed(error)) => Some((Err(error), None)),
        Some(Message::Complete) => {
            on_complete();
            None
        }
        None => Some((Err(io::Error::other("the producer of the body panicked")), None)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use futures_util::StreamExt;

    use super::*;

    /// Takes a body as a client does. Returns its bytes, whether it ended well, and whether `on_complete` ran.
    async fn take(produce: impl FnOnce(&mut Sink) -> io::Result<()> + Send + 'static) -> (usize, bool, bool) {
        let complete = Arc::new(AtomicBool::new(false));
        let completed = Arc::clone(&complete);
        let pieces: Vec<_> = produced(produce, move || completed.store(true, Ordering::Relaxed)).collect().await;
        let bytes = pieces.iter().filter_map(|piece| piece.as_ref().ok()).map(|piece| piece.len()).sum();
        (bytes, pieces.iter().all(Result::is_ok), complete.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_body_is_complete_only_when_its_producer_says_so() {
        let two_pieces = vec![1; 2 * PIECE_BYTES];
        let written = two_pieces.clone();
        assert_eq!(take(move |sink| sink.write_all(&written)).await, (2 * PIECE_BYTES, true, true));
        assert_eq!(take(|_| Ok(())).await, (0, true, true));
        let failing = move |sink: &mut Sink| sink.write_all(&two_pieces).and(Err(io::Error::other("changed")));
        assert_eq!(take(failing).await, (PIECE_BYTES, false, false), "the last piece is held back");
        assert_eq!(take(|_| panic!("a producer dies")).await, (0, false, false));
    }

    #[tokio::test]
    async fn steps_follow_each_other_until_one_is_the_last_or_fails() {
        let take = async |last: fn(u32) -> io::Result<bool>| {
            let complete = Arc::new(AtomicBool::new(false));
            let completed = Arc::clone(&complete);
            let mut count = 0;
            let step = move |out: &mut Vec<u8>| {
                count += 1;
                out.extend([1; 1000]);
                last(count)
            };
            let body = stepped(step, move || completed.store(true, Ordering::Relaxed));
            let pieces: Vec<_> = body.collect().await;
            let bytes: usize = pieces.iter().flatten().map(Bytes::len).sum();
            (bytes, pieces.iter().all(Result::is_ok), complete.load(Ordering::Relaxed))
        };
        assert_eq!(take(|_| Ok(false)).await, (1000, true, true));
        assert_eq!(take(|count| Ok(count < 200)).await, (200_000, true, true));
        assert_eq!(take(|_| Err(io::Error::other("changed"))).await, (0, false, false));
        let (bytes, is_whole, is_complete) =
            take(|count| if count < 200 { Ok(true) } else { Err(io::Error::other("changed")) }).await;
        assert!(bytes < 200_000 && bytes > 100_000 && !is_whole && !is_complete, "{bytes}");
        assert_eq!(take(|_| panic!("a step dies")).await, (0, false, false));
    }

    #[tokio::test]
    async fn no_step_runs_ahead_of_a_client_that_takes_nothing() {
        let (stepping, mut steps) = tokio::sync::mpsc::unbounded_channel();
        let step = move |out: &mut Vec<u8>| {
            out.extend([1; PIECE_BYTES]);
            stepping.send(()).map(|()| true).map_err(io::Error::other)
        };
        let mut body = Box::pin(stepped(step, || {}));
        body.next().await.unwrap().unwrap();
        steps.recv().await.unwrap();
        steps.recv().await.unwrap();
        tokio::time::timeout(Duration::from_millis(50), steps.recv()).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_producer_ends_when_its_client_goes() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let endless = move |sink: &mut Sink| loop {
            if let Err(error) = sink.write_all(&[0; 1024]) {
                let _ = ended.send(error.kind());
                return Err(error);
            }
        };
        let mut body = Box::pin(produced(endless, || {}));
        body.next().await.unwrap().unwrap();
        drop(body);
        assert_eq!(end.await.unwrap(), io::ErrorKind::BrokenPipe);
    }
}
