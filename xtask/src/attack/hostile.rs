//! A source that does what it likes: a bare server, whose answers are written byte by byte.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, Result};

/// Writes the answer to the request for a path, head included.
pub(super) type Answer = dyn Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync;

/// The server. Before [`Self::begin`] and after [`Self::end`] it answers 503.
pub(super) struct Hostile {
    pub(super) url: String,
    is_open: Arc<AtomicBool>,
    /// Paths that were asked for while it was open. Locked to add or to count.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    pub(super) fn start(answer: Arc<Answer>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let hostile = Self { url, is_open: Arc::default(), asked: Arc::default() };
        let (is_open, asked) = (hostile.is_open.clone(), hostile.asked.clone());
        // The thread ends with this program.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, is_open, asked) = (answer.clone(), is_open.clone(), asked.clone());
                thread::spawn(move || serve(stream, &*answer, &is_open, &asked));
            }
        });
        Ok(hostile)
    }

    pub(super) fn begin(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// Returns how many requests were answered while it was open.
    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns whether this path was asked for while it was open.
    pub(super) fn was_asked_for(&self, path: &str) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().any(|asked| asked.split('?').next() == Some(path))
    }

    /// Returns whether a path with this beginning was asked for while it was open.
    pub(super) fn was_asked_for_below(&self, path: &str) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().any(|asked| asked.starts_with(path))
    }
}

fn serve(mut stream: TcpStream, answer: &Answer, is_open: &AtomicBool, asked: &Mutex<Vec<String>>) {
    let Ok(reader) = stream.try_clone() else { return };
    let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1).unwrap_or_default();
    // Whoever is attacked may hang up: that is what it should do.
    let _ = if is_open.load(Ordering::Relaxed) {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
        answer(path, &mut stream)
    } else {
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
}

/// Writes a whole answer.
pub(super) fn reply(out: &mut TcpStream, kind: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    out.write_all(head.as_bytes())?;
    out.write_all(body)
}

/// Writes the head of an answer that ends with the connection.
pub(super) fn head(out: &mut TcpStream, kind: &str) -> io::Result<()> {
    out.write_all(format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n").as_bytes())
}

/// Writes a piece again and again, until whoever is attacked hangs up, or has taken a hundred gigabytes.
pub(super) fn endless(out: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    let piece = piece.repeat((64 << 10) / piece.len() + 1);
    let mut sent = 0_u64;
    while sent < 100_000_000_000 {
        out.write_all(&piece)?;
        sent += piece.len() as u64;
    }
    Ok(())
}

/// Answers `/sense` and `404` to all else, unless `answer` has answered.
pub(super) fn sensed(path: &str, out: &mut TcpStream) -> io::Result<()> {
    match path.split('?').next() {
        Some("/sense") => reply(out, "application/json", br#"{"status":1,"version":"v1"}"#),
        _ => out.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    }
}
