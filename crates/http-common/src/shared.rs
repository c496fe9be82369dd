//! One body for many clients: it is read once, to memory or to a temporary file, from which each takes it at its own pace.

use std::{
    io::{Read, Seek, SeekFrom},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use actix_web::{rt, web::Bytes};
use anyhow::{Context, Result, anyhow};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;

use crate::spill::{Spill, blocking};

/// Bytes that are read at a time.
const PIECE_BYTES: u64 = 48 << 10;
/// Bytes up to which a body stays in memory: a file takes a descriptor, and more time.
const MAX_SMALL_BYTES: usize = 64 << 10;

/// A body that is being read, for clients on any thread. It is read on as long as there is one of these.
#[derive(Clone)]
pub struct Shared(Arc<Body>);

/// A body that others may take.
#[derive(Clone)]
pub struct WeakShared(Weak<Body>);

struct Body {
    store: Arc<Mutex<Store>>,
    progress: watch::Receiver<Progress>,
}

/// The bytes of a body. Locked to write or to read a piece.
struct Store {
    /// All of them, unless they are in the file.
    small: Vec<u8>,
    spill: Spill,
}

#[derive(Clone, Default)]
struct Progress {
    /// Bytes that can be taken.
    bytes: u64,
    end: Option<End>,
}

#[derive(Clone)]
enum End {
    Complete,
    /// The reason in words, because each client gets it.
    Failed(Arc<str>),
}

/// Reads `body` to its end as long as anybody takes it.
pub fn shared(body: impl Stream<Item = Result<Bytes>> + 'static) -> Shared {
    let (sender, progress) = watch::channel(Progress::default());
    let store = Arc::new(Mutex::new(Store { small: Vec::new(), spill: Spill::new() }));
    let written = Arc::clone(&store);
    rt::spawn(async move {
        let end = match write(body, &written, &sender).await {
            Ok(()) => End::Complete,
            Err(error) => {
                tracing::warn!("an answer is cut off: {error:#}");
                End::Failed(format!("{error:#}").into())
            }
        };
        sender.send_modify(|progress| progress.end = Some(end));
    });
    Shared(Arc::new(Body { store, progress }))
}

async fn write(
    body: impl Stream<Item = Result<Bytes>>,
    store: &Arc<Mutex<Store>>,
    sender: &watch::Sender<Progress>,
) -> Result<()> {
    let mut body = Box::pin(body);
    loop {
        let chunk = tokio::select! {
            chunk = body.next() => chunk,
            () = sender.closed() => return Ok(()),
        };
        let Some(chunk) = chunk.transpose()? else { return Ok(()) };
        let (store, bytes) = (Arc::clone(store), chunk.len() as u64);
        blocking(move || store.lock().unwrap_or_else(PoisonError::into_inner).append(&chunk)).await?;
        sender.send_modify(|progress| progress.bytes += bytes);
    }
}

impl Store {
    fn append(&mut self, chunk: &[u8]) -> Result<()> {
        if self.spill.file.is_none() {
            if self.small.len() + chunk.len() <= MAX_SMALL_BYTES {
                self.small.extend_from_slice(chunk);
                return Ok(());
            }
            self.spill.append_behind(&std::mem::take(&mut self.small))?;
        }
        self.spill.append_behind(chunk)
    }

    /// So many bytes from this place, which were written.
    fn piece(&self, at: u64, size: u64) -> Result<Bytes> {
        let Some(mut file) = self.spill.file.as_ref() else {
            let piece = self.small.get(at as usize..(at + size) as usize);
            return piece.map(Bytes::copy_from_slice).context("a body is shorter than what was written to it");
        };
        let mut piece = Vec::with_capacity(size as usize);
        file.seek(SeekFrom::Start(at)).context("failed to read a temporary file")?;
        file.take(size).read_to_end(&mut piece).context("failed to read a temporary file")?;
        anyhow::ensure!(piece.len() as u64 == size, "a temporary file is shorter than what was written to it");
        Ok(piece.into())
    }
}

impl Shared {
    /// Streams the body from its begin.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> + 'static {
        let progress = self.0.progress.clone();
        stream::unfold(Some((self, progress, 0)), |taken| async {
            let (shared, mut progress, at) = taken?;
            match shared.piece(&mut progress, at).await {
                Ok(Some(piece)) => {
                    let at = at + piece.len() as u64;
                    Some((Ok(piece), Some((shared, progress, at))))
                }
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// A handle that does not keep the body.
    #[must_use]
    pub fn downgrade(&self) -> WeakShared {
        WeakShared(Arc::downgrade(&self.0))
    }

    /// The bytes that it has so far, if it has not failed, and whether they are in a file.
    #[must_use]
    pub fn size(&self) -> Option<(u64, bool)> {
        let progress = self.0.progress.borrow();
        let has_failed = matches!(progress.end, Some(End::Failed(_)));
        (!has_failed).then_some((progress.bytes, progress.bytes > MAX_SMALL_BYTES as u64))
    }

    /// The next piece, or none at the end.
    async fn piece(&self, progress: &mut watch::Receiver<Progress>, at: u64) -> Result<Option<Bytes>> {
        let progress = progress.wait_for(|progress| progress.bytes > at || progress.end.is_some()).await;
        let Progress { bytes, end } = progress.context("the reader of a list panicked")?.clone();
        if bytes == at {
            return match end {
                Some(End::Failed(reason)) => Err(anyhow!("{reason}")),
                _ => Ok(None),
            };
        }
        let (store, size) = (Arc::clone(&self.0.store), PIECE_BYTES.min(bytes - at));
        blocking(move || store.lock().unwrap_or_else(PoisonError::into_inner).piece(at, size).map(Some)).await
    }
}

impl WeakShared {
    /// The body, if anybody still takes it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Shared> {
        self.0.upgrade().map(Shared)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn numbers(count: u32) -> impl Stream<Item = Result<Bytes>> {
        stream::iter((0..count).map(|number| Ok(Bytes::from(format!("{number}\n")))))
    }

    /// In memory, and in a file.
    #[actix_web::test]
    async fn every_client_gets_all_at_its_own_pace() {
        for count in [5000, 50_000] {
            every_client_gets_all(count).await;
        }
    }

    async fn every_client_gets_all(count: u32) {
        let whole = shared(numbers(count));
        let mut slow = Box::pin(whole.clone().stream());
        let begin = slow.next().await.unwrap().unwrap();
        let expect: String = (0..count).map(|number| format!("{number}\n")).collect();
        for _ in 0..3 {
            let all: Vec<Bytes> = whole.clone().stream().try_collect().await.unwrap();
            assert!(all.concat() == expect.as_bytes());
        }
        let rest: Vec<Bytes> = slow.try_collect().await.unwrap();
        assert!([&begin[..], &rest.concat()].concat() == expect.as_bytes());
        assert_eq!(whole.size(), Some((expect.len() as u64, count > 5000)));
    }

    #[actix_web::test]
    async fn a_failure_cuts_the_body_of_every_client() {
        let whole = shared(numbers(100).chain(stream::iter([Err(anyhow!("the database broke"))])));
        for _ in 0..2 {
            let all: Vec<_> = whole.clone().stream().collect().await;
            assert!(all.len() >= 2 && all[..all.len() - 1].iter().all(Result::is_ok));
            assert_eq!(all.last().unwrap().as_ref().unwrap_err().to_string(), "the database broke");
        }
    }

    #[actix_web::test]
    async fn nothing_is_read_on_once_nobody_takes_it() {
        let (stepping, mut steps) = tokio::sync::mpsc::channel(1);
        let endless = stream::unfold(stepping, |stepping| async {
            stepping.send(()).await.ok()?;
            Some((Ok(Bytes::from_static(b"x")), stepping))
        });
        let mut taken = Box::pin(shared(endless).stream());
        steps.recv().await.unwrap();
        taken.next().await.unwrap().unwrap();
        drop(taken);
        while steps.recv().await.is_some() {}
    }

    #[actix_web::test]
    async fn a_body_of_which_nothing_comes_ends_with_its_last_client() {
        let (held, mut gone) = tokio::sync::mpsc::channel::<()>(1);
        let silent = stream::unfold(held, |held| async {
            std::future::pending::<()>().await;
            Some((Ok(Bytes::new()), held))
        });
        let taken = shared(silent);
        let weak = taken.downgrade();
        assert!(weak.upgrade().is_some());
        drop(taken);
        assert!(weak.upgrade().is_none() && gone.recv().await.is_none());
    }
}
