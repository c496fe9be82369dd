//! A slice of a file as a request body: a thread reads it, a bounded part ahead of the network.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::stream::poll_fn;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::LocalFile;

/// Bytes per read.
const CHUNK_BYTES: u64 = 256 << 10;
/// Chunks read ahead of the network.
const MAX_CHUNKS_AHEAD: usize = 4;

/// The state of a body that is being sent.
#[derive(Default)]
pub(crate) struct BodyState {
    sent: AtomicU64,
    is_aborted: AtomicBool,
    /// The reason why the file could not be read to its end. The mutex guards only this text, for one access at a time.
    read_error: Mutex<Option<String>>,
}

impl BodyState {
    /// Bytes handed to the network so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The reason why the file could not be read to its end.
    pub(crate) fn read_error(&self) -> Option<String> {
        self.read_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops sending, after an answer that came before the end of the body.
    pub(crate) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Relaxed);
    }
}

/// Starts reading `length` bytes of a file, at least one, as a body. The body ends with an error if the file changed since it was
/// checked: the master must never take parts of two files for one.
pub(crate) fn body(file: &LocalFile, offset: u64, length: u64) -> (reqwest::Body, Arc<BodyState>) {
    let state = Arc::<BodyState>::default();
    let (sender, mut chunks) = mpsc::channel(MAX_CHUNKS_AHEAD);
    let (file, reader_state) = (file.clone(), Arc::clone(&state));
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(&file, offset, length, &sender) {
            *reader_state.read_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            // The receiver is gone if the request has ended.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let stream_state = Arc::clone(&state);
    let stream = poll_fn(move |context| poll_chunk(&mut chunks, &stream_state, context));
    (reqwest::Body::wrap_stream(stream), state)
}

fn poll_chunk(
    chunks: &mut Receiver<io::Result<Bytes>>,
    state: &BodyState,
    context: &mut Context<'_>,
) -> Poll<Option<io::Result<Bytes>>> {
    if state.is_aborted.load(Ordering::Relaxed) {
        return Poll::Ready(Some(Err(io::Error::other("the server has answered before the end of the body"))));
    }
    let chunk = chunks.poll_recv(context);
    if let Poll::Ready(Some(Ok(bytes))) = &chunk {
        state.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
    chunk
}

fn read(file: &LocalFile, offset: u64, length: u64, sender: &Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut source = File::open(&file.path)?;
    source.seek(SeekFrom::Start(offset))?;
    let mut rest = length;
    while rest > 0 {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES.min(rest) as usize);
        (&source).take(CHUNK_BYTES.min(rest)).read_to_end(&mut chunk)?;
        rest -= chunk.len() as u64;
        // Check before the last chunk is sent: with it the slice is complete.
        let is_truncated = chunk.is_empty();
        if is_truncated || rest == 0 {
            let now = source.metadata()?;
            if is_truncated || now.len() != file.size || now.modified().ok() != file.modified {
                return Err(io::Error::other("the file changed while it was read; publish it once it is complete"));
            }
        }
        if sender.blocking_send(Ok(chunk.into())).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
