//! One body for many clients: it is read once, to a temporary file, from which each takes it at its own pace.

use std::{
    io::{Read, Seek, SeekFrom},
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{rt, web::Bytes};
use anyhow::{Context, Result, anyhow};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;

use crate::spill::{Spill, blocking};

/// Bytes that are read from the file at a time.
const PIECE_BYTES: u64 = 48 << 10;

/// A body that is being read, for clients on any thread.
#[derive(Clone)]
pub struct Shared {
    /// Held to write or to read a piece.
    spill: Arc<Mutex<Spill>>,
    progress: watch::Receiver<Progress>,
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
    let spill = Arc::new(Mutex::new(Spill::new()));
    let written = Arc::clone(&spill);
    rt::spawn(async move {
        let end = match write(body, &written, &sender).await {
            Ok(()) => End::Complete,
            Err(error) => End::Failed(format!("{error:#}").into()),
        };
        sender.send_modify(|progress| progress.end = Some(end));
    });
    Shared { spill, progress }
}

async fn write(
    body: impl Stream<Item = Result<Bytes>>,
    spill: &Arc<Mutex<Spill>>,
    sender: &watch::Sender<Progress>,
) -> Result<()> {
    let mut body = Box::pin(body);
    while let Some(chunk) = body.next().await {
        let (chunk, spill) = (chunk?, Arc::clone(spill));
        let bytes = chunk.len() as u64;
        if sender.is_closed() {
            return Ok(());
        }
        blocking(move || spill.lock().unwrap_or_else(PoisonError::into_inner).append_behind(&chunk)).await?;
        sender.send_modify(|progress| progress.bytes += bytes);
    }
    Ok(())
}

impl Shared {
    /// Streams the body from its begin.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes>> + 'static {
        stream::unfold(Some((self, 0)), |taken| async {
            let (mut shared, at) = taken?;
            match shared.piece(at).await {
                Ok(Some(piece)) => {
                    let at = at + piece.len() as u64;
                    Some((Ok(piece), Some((shared, at))))
                }
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The next piece, or none at the end.
    async fn piece(&mut self, at: u64) -> Result<Option<Bytes>> {
        let progress = self.progress.wait_for(|progress| progress.bytes > at || progress.end.is_some()).await;
        let Progress { bytes, end } = progress.context("the reader of a list panicked")?.clone();
        if bytes == at {
            return match end {
                Some(End::Failed(reason)) => Err(anyhow!("{reason}")),
                _ => Ok(None),
            };
        }
        let (spill, size) = (Arc::clone(&self.spill), PIECE_BYTES.min(bytes - at));
        let read = move || {
            let mut piece = Vec::with_capacity(size as usize);
            let spill = spill.lock().unwrap_or_else(PoisonError::into_inner);
            let mut file = spill.file.as_ref().context("a list has no file")?;
            file.seek(SeekFrom::Start(at)).context("failed to read a temporary file")?;
            file.take(size).read_to_end(&mut piece).context("failed to read a temporary file")?;
            anyhow::ensure!(piece.len() as u64 == size, "a temporary file is shorter than what was written to it");
            Ok(Some(piece.into()))
        };
        blocking(read).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn numbers(count: u32) -> impl Stream<Item = Result<Bytes>> {
        stream::iter((0..count).map(|number| Ok(Bytes::from(format!("{number}\n")))))
    }

    #[actix_web::test]
    async fn every_client_gets_all_at_its_own_pace() {
        let whole = shared(numbers(5000));
        let mut slow = Box::pin(whole.clone().stream());
        let begin = slow.next().await.unwrap().unwrap();
        let expect: String = (0..5000).map(|number| format!("{number}\n")).collect();
        for _ in 0..3 {
            let all: Vec<Bytes> = whole.clone().stream().try_collect().await.unwrap();
            assert!(all.concat() == expect.as_bytes());
        }
        let rest: Vec<Bytes> = slow.try_collect().await.unwrap();
        assert!([&begin[..], &rest.concat()].concat() == expect.as_bytes());
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
}
