//! Response bodies that are made in steps, on blocking threads. They are bounded in memory, end early when the client goes away, and are
//! cut rather than completed when something fails.

use std::{
    fs::File,
    io::{self, Read},
    num::NonZeroUsize,
    sync::LazyLock,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Span;
use tributary_budget::{Budget, Share};

/// Size of a piece.
const PIECE_BYTES: usize = 48 << 10;
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

/// The work of a step, by what it costs. One kind does not wait for the other: a file of an honest client must not stand in line behind
/// all the rows that a crowd has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Copies what is there.
    Light,
    /// Parses or packs.
    Heavy,
}

/// Light steps that run at the same time, over all bodies: with more, a crowd of clients would leave no core to those who ask for little.
const MAX_STEPS: usize = 16;
/// Requests that may wait for a turn before they are answered. Further ones are refused.
const MAX_WAITING: usize = 256;

static LIGHT: Semaphore = Semaphore::const_new(MAX_STEPS);
/// As many as there are cores: more would only take turns on them.
static HEAVY: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(2, NonZeroUsize::get)));
static WAITING: Semaphore = Semaphore::const_new(MAX_WAITING);

impl Work {
    async fn turn(self) -> io::Result<SemaphorePermit<'static>> {
        let turns = if self == Self::Light { &LIGHT } else { &*HEAVY };
        turns.acquire().await.map_err(io::Error::other)
    }

    /// Bytes to which a piece grows. One that takes long stays small, so that the turns of others come soon.
    fn most(self) -> usize {
        if self == Self::Light { MAX_PIECE_BYTES } else { PIECE_BYTES }
    }
}

/// Waits for a turn to do heavy work on a blocking thread. It lasts as long as what is returned; `None` if too many wait.
pub async fn turn() -> Option<SemaphorePermit<'static>> {
    let _place = WAITING.try_acquire().ok()?;
    Work::Heavy.turn().await.ok()
}

/// Streams what `step` appends, call by call, until it returns false. No thread waits for a slow client: one step runs ahead, on a blocking
/// thread. If a step fails, the stream ends in that error, which cuts the connection, and nothing of this step is sent.
pub fn stepped(
    work: Work,
    step: impl FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let running = run(work, step, Span::current(), PIECE_BYTES);
    stream::unfold(Some(Steps { work, running, size: PIECE_BYTES, sent: None }), next_step)
}

/// Streams a file from where it stands.
pub fn file(mut file: File) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let step = move |out: &mut Vec<u8>| Ok((&mut file).take(PIECE_BYTES as u64).read_to_end(out)? > 0);
    stepped(Work::Light, step)
}

/// The steps after some, what they appended, and whether there are more.
type Stepped<S> = (S, Piece, io::Result<bool>, Span);

/// Steps that are under way, and not begun if nobody waits for them any more.
type Running<S> = AbortOnDropHandle<io::Result<Stepped<S>>>;

fn run<S>(work: Work, mut step: S, span: Span, size: usize) -> Running<S>
where
    S: FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
{
    AbortOnDropHandle::new(tokio::spawn(async move {
        let turn = work.turn().await?;
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

struct Steps<S> {
    work: Work,
    running: Running<S>,
    /// Bytes of the next piece.
    size: usize,
    /// When the client was given a piece last.
    sent: Option<Instant>,
}

/// None after the last step.
type Rest<S> = Option<Steps<S>>;

async fn next_step<S>(steps: Rest<S>) -> Option<(io::Result<Bytes>, Rest<S>)>
where
    S: FnMut(&mut Vec<u8>) -> io::Result<bool> + Send + 'static,
{
    let Steps { work, running, size, sent } = steps?;
    let size = match sent {
        Some(sent) if sent.elapsed() < AT_ONCE => (2 * size).min(work.most()),
        _ => PIECE_BYTES,
    };
    let ready = running.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    match ready {
        Ok((step, piece, Ok(true), span)) => {
            let (running, sent) = (run(work, step, span, size), Some(Instant::now()));
            Some((Ok(Bytes::from_owner(piece)), Some(Steps { work, running, size, sent })))
        }
        Ok((_, piece, Ok(false), _)) if piece.bytes.is_empty() => None,
        Ok((_, piece, Ok(false), _)) => Some((Ok(Bytes::from_owner(piece)), None)),
        Ok((_, _, Err(error), _)) | Err(error) => {
            tracing::debug!(%error, "a response body is incomplete: {error}");
            Some((Err(error), None))
        }
    }
}

/// A body that calls `on_complete` once its client has taken all of it.
pub fn noted<E>(
    body: impl Stream<Item = Result<Bytes, E>>,
    on_complete: impl FnOnce(),
) -> impl Stream<Item = Result<Bytes, E>> {
    let end = stream::once(async move { on_complete() }).filter_map(async |()| None);
    body.chain(end)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    /// Takes a body as the library does: nothing behind an error.
    pub(crate) async fn until_error(body: impl Stream<Item = io::Result<Bytes>>) -> Vec<io::Result<Bytes>> {
        let (mut body, mut pieces) = (Box::pin(body), Vec::new());
        while let Some(piece) = body.next().await {
            pieces.push(piece);
            if pieces.last().is_some_and(Result::is_err) {
                break;
            }
        }
        pieces
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
            let pieces =
                until_error(noted(stepped(Work::Light, step), move || completed.store(true, Ordering::Relaxed))).await;
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
    async fn light_work_does_not_wait_for_heavy() {
        let cores = available_parallelism().map_or(2, NonZeroUsize::get);
        let mut heavy = Vec::new();
        for _ in 0..cores {
            heavy.push(turn().await.unwrap());
        }
        let taken: Vec<_> = stepped(Work::Light, |_| Ok(false)).collect().await;
        assert!(taken.is_empty());
        let mut waiting = Box::pin(stepped(Work::Heavy, |_| Ok(false)));
        tokio::time::timeout(Duration::from_millis(50), waiting.next()).await.unwrap_err();
        drop(heavy);
        assert!(waiting.next().await.is_none());
    }

    #[tokio::test]
    async fn no_step_runs_ahead_of_a_client_that_takes_nothing() {
        let (stepping, mut steps) = tokio::sync::mpsc::unbounded_channel();
        let step = move |out: &mut Vec<u8>| {
            out.extend([1; PIECE_BYTES]);
            stepping.send(()).map(|()| true).map_err(io::Error::other)
        };
        let mut body = Box::pin(stepped(Work::Light, step));
        body.next().await.unwrap().unwrap();
        steps.recv().await.unwrap();
        steps.recv().await.unwrap();
        tokio::time::timeout(Duration::from_millis(50), steps.recv()).await.unwrap_err();
    }
}
