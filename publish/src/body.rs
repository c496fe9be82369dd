//! A file as the body of a request: read by a thread of its own, a bounded part ahead of the network.

use std::{
    fs::File,
    io::{self, Read},
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

/// What is read at once.
const CHUNK: u64 = 256 << 10;
/// How many chunks are read ahead.
const AHEAD: usize = 4;

/// What is known of a body that is under way.
#[derive(Default)]
pub(crate) struct Sent {
    bytes: AtomicU64,
    /// Nobody wants the rest.
    is_unwanted: AtomicBool,
    /// Why the file could not be read to its end. Guards only itself, and is held only to look.
    fault: Mutex<Option<String>>,
}

impl Sent {
    /// How many bytes have gone to the network.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Why the file could not be read to its end.
    pub(crate) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Breaks the body off: it was answered before its end.
    pub(crate) fn break_off(&self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
    }
}

/// The body, and what is known of it. It ends with an error where the file is not what it was when it was looked at: the
/// master must not take a part for the whole.
pub(crate) fn body(file: &LocalFile) -> (reqwest::Body, Arc<Sent>) {
    let sent = Arc::<Sent>::default();
    let (sender, mut chunks) = mpsc::channel(AHEAD);
    let (file, known) = (file.clone(), Arc::clone(&sent));
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(&file, &sender) {
            *known.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            // Whoever reads the body may have gone.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let known = Arc::clone(&sent);
    let stream = poll_fn(move |context| next(&mut chunks, &known, context));
    (reqwest::Body::wrap_stream(stream), sent)
}

fn next(
    chunks: &mut Receiver<io::Result<Bytes>>,
    sent: &Sent,
    context: &mut Context<'_>,
) -> Poll<Option<io::Result<Bytes>>> {
    if sent.is_unwanted.load(Ordering::Relaxed) {
        return Poll::Ready(Some(Err(io::Error::other("the rest is not wanted"))));
    }
    let chunk = chunks.poll_recv(context);
    if let Poll::Ready(Some(Ok(bytes))) = &chunk {
        sent.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
    chunk
}

fn read(file: &LocalFile, sender: &Sender<io::Result<Bytes>>) -> io::Result<()> {
    let source = File::open(&file.path)?;
    let mut rest = file.size;
    while rest > 0 {
        let mut chunk = Vec::with_capacity(CHUNK.min(rest) as usize);
        (&source).take(CHUNK.min(rest)).read_to_end(&mut chunk)?;
        rest -= chunk.len() as u64;
        // Before the last bytes are sent, for with them the body is whole.
        let is_cut = chunk.is_empty();
        if is_cut || rest == 0 {
            let now = source.metadata()?;
            if is_cut || now.len() != file.size || now.modified().ok() != file.modified {
                return Err(io::Error::other("it was changed while it was read; publish it once it is quiet"));
            }
        }
        if sender.blocking_send(Ok(chunk.into())).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
