//! Response bodies that a blocking thread writes from their begin to their end.

use std::{
    io::{self, Write},
    time::Duration,
};

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tokio::{
    runtime::Handle,
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_blocking,
    time::timeout,
};

/// Size of a piece, and number of pieces that may wait for whoever takes them.
const PIECE_BYTES: usize = 48 << 10;
const MAX_QUEUED_PIECES: usize = 4;
/// Time after which the body is given up if nothing of it is taken: it holds a thread.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

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

/// Runs `produce` on a blocking thread, which it occupies until nearly all is taken, and streams what it writes. So there must be a
/// bound on such bodies, and they must be [`spilled`](crate::spilled); [`stepped`](crate::stepped) needs neither.
/// If it fails, the stream ends in that error, which cuts the connection.
pub fn produced(
    produce: impl FnOnce(&mut Sink) -> io::Result<()> + Send + 'static,
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
    stream::unfold(Some(receiver), next)
}

async fn next(receiver: Option<Receiver<Message>>) -> Option<(io::Result<Bytes>, Option<Receiver<Message>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Message::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
        Some(Message::Failed(error)) => Some((Err(error), None)),
        Some(Message::Complete) => None,
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
    use crate::body::{noted, tests::until_error};

    /// Takes a body as a client does. Returns its bytes, whether it ended well, and whether `on_complete` ran.
    async fn take(produce: impl FnOnce(&mut Sink) -> io::Result<()> + Send + 'static) -> (usize, bool, bool) {
        let complete = Arc::new(AtomicBool::new(false));
        let completed = Arc::clone(&complete);
        let body = noted(produced(produce), move || completed.store(true, Ordering::Relaxed));
        let pieces = until_error(body).await;
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
    async fn a_producer_ends_when_its_client_goes() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let endless = move |sink: &mut Sink| loop {
            if let Err(error) = sink.write_all(&[0; 1024]) {
                let _ = ended.send(error.kind());
                return Err(error);
            }
        };
        let mut body = Box::pin(produced(endless));
        body.next().await.unwrap().unwrap();
        drop(body);
        assert_eq!(end.await.unwrap(), io::ErrorKind::BrokenPipe);
    }
}
