//! Faults of a connection, and their effect on the bytes that pass.

use std::{io::Write, net::TcpStream, thread, time::Duration};

/// A way through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

/// A fault of one request or its answer, of which so many bytes pass before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Each chunk is late by this time.
    Delay(Duration),
    /// One byte at a time from here on, with this pause between two.
    Drip(u64, Duration),
    /// The connection ends.
    Cut(u64),
    /// The connection is reset.
    Reset(u64),
    /// Nothing passes any more.
    Stall(u64),
    /// Nothing passes until the proxy is told to release it.
    Hold(u64),
    /// Some bytes come twice.
    Repeat(u64),
    /// One bit is another.
    Flip(u64),
    /// The server is not asked. The answer is this status (`200 OK`) and a web page.
    Page(&'static str),
    /// Only so many bytes of the body are passed on, as if they were all.
    Shorten(u64),
}

impl Fault {
    /// Whether the proxy answers in place of the server.
    pub(super) fn is_answer(self) -> bool {
        matches!(self, Self::Page(_) | Self::Shorten(_))
    }
}

/// Bytes that come twice.
const REPEATED: usize = 16;

/// A request, or an answer, that is being spoilt.
pub(super) struct Spoiled {
    pub(super) way: Way,
    pub(super) fault: Fault,
    pub(super) has_hit: bool,
    /// Bytes that came so far.
    passed: u64,
}

/// The outcome of passing bytes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    On,
    /// The connection must end.
    Ended,
    Stalled,
    /// The bytes of the chunk from this one on have to wait.
    Held(usize),
}

impl Spoiled {
    pub(super) fn new(way: Way, fault: Fault) -> Self {
        Self { way, fault, has_hit: false, passed: 0 }
    }

    /// Passes a chunk on, as the fault says.
    pub(super) fn pass(&mut self, mut to: &TcpStream, chunk: &mut [u8]) -> Passing {
        let begin = self.passed;
        self.passed += chunk.len() as u64;
        // The part of this chunk that comes before byte `at`, or none if that lies elsewhere.
        let before = |at: u64| usize::try_from(at.checked_sub(begin)?).ok().filter(|before| *before < chunk.len());
        let (at, after) = match self.fault {
            Fault::Delay(time) => {
                self.has_hit = true;
                thread::sleep(time);
                (None, Passing::On)
            }
            Fault::Drip(at, pause) => return self.drip(to, chunk, at, pause),
            Fault::Cut(at) | Fault::Reset(at) => (before(at), Passing::Ended),
            Fault::Stall(at) => (before(at), Passing::Stalled),
            Fault::Hold(at) => (before(at), Passing::Held(before(at).unwrap_or_default())),
            Fault::Repeat(at) | Fault::Flip(at) => (before(at), Passing::On),
            // What the server says of the connection that it was not asked on.
            Fault::Page(_) | Fault::Shorten(_) => return Passing::Stalled,
        };
        let Some(at) = at else { return sent(to.write_all(chunk).is_ok()) };
        self.has_hit = true;
        match self.fault {
            Fault::Flip(_) => {
                chunk[at] ^= 1 << (at % 7);
                sent(to.write_all(chunk).is_ok())
            }
            Fault::Repeat(_) => {
                let again = [&chunk[..at], &chunk[at.saturating_sub(REPEATED)..]].concat();
                sent(to.write_all(&again).is_ok())
            }
            _ => {
                let _ = to.write_all(&chunk[..at]);
                after
            }
        }
    }

    fn drip(&mut self, mut to: &TcpStream, chunk: &[u8], at: u64, pause: Duration) -> Passing {
        for (byte, number) in chunk.iter().zip(self.passed - chunk.len() as u64..) {
            if number >= at {
                self.has_hit = true;
                thread::sleep(pause);
            }
            if to.write_all(&[*byte]).is_err() {
                return Passing::Ended;
            }
        }
        Passing::On
    }
}

fn sent(is_sent: bool) -> Passing {
    if is_sent { Passing::On } else { Passing::Ended }
}
