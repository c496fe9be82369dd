//! Decides what the library may read from a client: one request at a time, and the next only once the answer before was taken.
//!
//! Left alone, it reads 128 KiB and parses all requests in them, which take some 1.3 KiB each: 200 clients that sent 1,500 requests each
//! cost 1.8 GiB.

use std::{
    mem::take,
    task::{Context, Poll, Waker},
};

use memchr::{memchr, memchr_iter};

/// Bytes of heads that are read at a time.
const HEAD_BYTES: u64 = 2 << 10;

/// The bytes that one client sends, and the place in them.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    is_answering: bool,
    /// Whether the library has got the head of a request, and must look at it before it gets the next.
    is_head_given: bool,
    /// Whether the line of a head that is being read has no text so far.
    is_line_blank: bool,
    /// The rest of the body behind the last head.
    body: Body,
    /// Wakes the library, which waits.
    waiting: Option<Waker>,
}

/// The rest of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Body {
    #[default]
    None,
    /// So many bytes.
    Sized(u64),
    /// Pieces that have their sizes before them.
    Chunked(Chunk),
    /// All that comes.
    Endless,
}

/// The place in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// In a size, of which this was read.
    Size(u64),
    /// Behind it, in the same line.
    Extension(u64),
    /// So many bytes before the end of a chunk.
    Data(u64),
    /// Before the line break behind one.
    DataEnd,
    /// Behind the line of the last chunk.
    Last,
}

impl Reading {
    /// Notes that a request is being answered. What is behind it waits.
    pub(crate) fn begin(&mut self, body: Body) {
        (self.is_answering, self.body) = (true, body);
    }

    /// Notes that its answer has ended.
    pub(crate) fn end(&mut self) {
        self.is_answering = false;
        self.wake();
    }

    /// Lets the library look again whether it may read.
    pub(crate) fn wake(&mut self) {
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Returns how many bytes may be read now. `is_blocked`: the client does not take what it was given.
    pub(crate) fn poll_turn(&mut self, is_blocked: bool, cx: &mut Context<'_>) -> Poll<u64> {
        let is_head_given = take(&mut self.is_head_given);
        match self.body {
            Body::Sized(bytes) => return Poll::Ready(bytes),
            Body::Chunked(_) | Body::Endless => return Poll::Ready(u64::MAX),
            Body::None if self.is_answering || is_blocked => self.waiting = Some(cx.waker().clone()),
            // It may have been no request, so nobody else would wake the library.
            Body::None if is_head_given => cx.waker().wake_by_ref(),
            Body::None => return Poll::Ready(HEAD_BYTES),
        }
        Poll::Pending
    }

    /// Returns how many of these bytes are given to the library. The others are for later.
    pub(crate) fn give(&mut self, bytes: &[u8]) -> usize {
        match &mut self.body {
            Body::None => self.head(bytes),
            Body::Endless => bytes.len(),
            Body::Sized(left) => {
                let given = (bytes.len() as u64).min(*left);
                *left -= given;
                self.body = if *left == 0 { Body::None } else { self.body };
                given as usize
            }
            Body::Chunked(chunk) => {
                let (given, is_end) = chunk.advance(bytes);
                self.body = if is_end { Body::None } else { self.body };
                given
            }
        }
    }

    /// Bytes as far as the blank line behind a head.
    fn head(&mut self, bytes: &[u8]) -> usize {
        let is_blank = |line: &[u8]| matches!(line, [] | [b'\r']);
        let mut begin = 0;
        for end in memchr_iter(b'\n', bytes) {
            self.is_head_given = self.is_line_blank && is_blank(&bytes[begin..end]);
            (self.is_line_blank, begin) = (true, end + 1);
            if self.is_head_given {
                return begin;
            }
        }
        self.is_line_blank &= is_blank(&bytes[begin..]);
        bytes.len()
    }
}

impl Chunk {
    pub(crate) const BEGIN: Self = Self::Size(0);

    /// Returns how many of these bytes belong to the body, and whether it ends with them.
    fn advance(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let rest = &bytes[at..];
            let line = memchr(b'\n', rest);
            let (taken, next) = match *self {
                Self::Size(size) => match char::from(byte).to_digit(16) {
                    Some(digit) => (1, Self::Size(size.saturating_mul(16) | u64::from(digit))),
                    None => (0, Self::Extension(size)),
                },
                Self::Data(left) => {
                    let taken = (rest.len() as u64).min(left);
                    (taken as usize, if taken == left { Self::DataEnd } else { Self::Data(left - taken) })
                }
                _ if line.is_none() => (rest.len(), *self),
                Self::Extension(size) => (line_end(line), if size == 0 { Self::Last } else { Self::Data(size) }),
                Self::DataEnd => (line_end(line), Self::BEGIN),
                Self::Last => return (at + line_end(line), true),
            };
            (at, *self) = (at + taken, next);
        }
        (at, false)
    }
}

/// The place behind a line break.
fn line_end(line: Option<usize>) -> usize {
    line.map_or(0, |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(reading: &mut Reading, is_blocked: bool) -> Option<u64> {
        match reading.poll_turn(is_blocked, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    /// Wherever it is split, as many bytes of the text are given.
    fn check(body: Body, text: &str, expect: usize) {
        for split in 0..expect {
            let mut reading = Reading { body, ..Reading::default() };
            let (begin, rest) = text.as_bytes().split_at(split);
            assert_eq!(reading.give(begin), split, "{text:?} {split}");
            assert_eq!(reading.give(rest), expect - split, "{text:?} {split}");
        }
    }

    #[test]
    fn heads_end_with_a_blank_line() {
        check(Body::None, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", 27);
        check(Body::None, "GET / HTTP/1.1\nHost: a\n\nGET", 24);
        check(Body::None, "GET / HTTP/1.1\r\nHost: a\n\r\nGET", 26);
        check(Body::None, "GET / HTTP/1.1\r\nHost: a\r\nOther: b\r\n", 35);
    }

    #[test]
    fn bodies_end_where_they_end() {
        check(Body::Sized(10), "\r\n\r\n456789GET / HTTP/1.1\r\n\r\n", 10);
        let chunked = Body::Chunked(Chunk::BEGIN);
        check(chunked, "3\r\nabc\r\nA\r\n0\r\n\r\n56789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 28);
        check(chunked, "003 \r\n\n\n\n\r\n0;name=value\r\n\r\nGET", 27);
        check(Body::Endless, "GET / HTTP/1.1\r\n\r\nGET", 21);
    }

    #[test]
    fn the_next_request_waits_for_the_answer_and_for_the_client() {
        let mut reading = Reading::default();
        assert_eq!(turn(&mut reading, false), Some(HEAD_BYTES));
        assert_eq!(reading.give(b"POST / HTTP/1.1\r\n\r\nabGET /"), 19);
        assert_eq!(turn(&mut reading, false), None, "the library looks at it first");
        reading.begin(Body::Sized(2));
        assert_eq!(turn(&mut reading, true), Some(2), "a body is read, whatever the client takes");
        assert_eq!(reading.give(b"abGET /"), 2);
        assert_eq!(turn(&mut reading, false), None);
        reading.end();
        assert_eq!(turn(&mut reading, true), None, "the answer was not taken");
        assert_eq!(turn(&mut reading, false), Some(HEAD_BYTES));
    }
}
