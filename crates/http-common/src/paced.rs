//! The body of an answer on its way to a client: in slices, so that the library holds little of it, at the client's pace, and counted,
//! so that slow clients take no more memory than there is for them. All counts are those of one thread.

use std::{
    cell::Cell,
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderValue},
    },
    web::Bytes,
};

use crate::{connection::let_slowest_go, gone::Waiting, stream::Answering};

/// Bytes that the library gets at a time. With what it has already, its buffer stays below 64 KiB.
const SLICE_BYTES: usize = 24 << 10;
/// Answers under way per thread that are longer than one slice, followers of events aside.
const MAX_ANSWERS: usize = 384;
/// Bytes of answers under way per thread that are held as a whole. A longer answer may go out alone.
const MAX_HELD_BYTES: usize = 32 << 20;

thread_local! {
    static ANSWERS: Cell<usize> = const { Cell::new(0) };
    static HELD_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// A part of a count, which it gives back when it is dropped.
struct Share {
    count: &'static std::thread::LocalKey<Cell<usize>>,
    size: usize,
}

impl Share {
    /// Takes a share, unless the count would exceed `limit`. The first one always fits.
    fn take(count: &'static std::thread::LocalKey<Cell<usize>>, size: usize, limit: usize) -> Option<Self> {
        let taken = count.get();
        (taken == 0 || taken + size <= limit).then(|| Self::of(count, size))
    }

    /// Takes a share, whatever is taken already.
    fn of(count: &'static std::thread::LocalKey<Cell<usize>>, size: usize) -> Self {
        count.set(count.get() + size);
        Self { count, size }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // The thread may be ending.
        let _ = self.count.try_with(|count| count.set(count.get() - self.size));
    }
}

/// Sends an answer at its client's pace.
///
/// # Errors
/// Too many answers are under way, and none of their clients is slow. A slow one is let go instead.
pub fn paced(
    response: ServiceResponse<BoxBody>,
    answering: Answering,
) -> Result<ServiceResponse<BoxBody>, HttpRequest> {
    let is_event_stream = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/event-stream");
    let is_open_end = response.headers().get(CONTENT_TYPE).is_some_and(is_event_stream)
        || response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let is_ok = response.status() == StatusCode::OK;
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let is_long = match body.size() {
        BodySize::None | BodySize::Sized(0) => return Ok(ServiceResponse::new(request, head.set_body(body))),
        BodySize::Sized(bytes) => bytes > SLICE_BYTES as u64,
        BodySize::Stream => !is_open_end,
    };
    let (body, rest) = match body.try_into_bytes() {
        Ok(bytes) => (BoxBody::new(()), bytes),
        Err(body) => (body, Bytes::new()),
    };
    let mut shares = Vec::new();
    if is_long {
        let take = || {
            let answer = Share::take(&ANSWERS, 1, MAX_ANSWERS)?;
            Some(vec![answer, Share::take(&HELD_BYTES, rest.len(), MAX_HELD_BYTES)?])
        };
        shares = match take() {
            Some(shares) => shares,
            // Its place is free in a moment.
            None if let_slowest_go() => vec![Share::of(&ANSWERS, 1), Share::of(&HELD_BYTES, rest.len())],
            None => return Err(request),
        };
    }
    let size = if rest.is_empty() { body.size() } else { BodySize::Sized(rest.len() as u64) };
    let is_stream = size == BodySize::Stream && is_ok;
    let gone = is_stream.then(|| Box::pin(Waiting::of(&request, true).gone()) as Gone);
    let body = BoxBody::new(Paced { is_open_end, gone, body, size, rest, held: (shares, answering) });
    Ok(ServiceResponse::new(request, head.set_body(body)))
}

type Gone = Pin<Box<dyn Future<Output = ()>>>;

struct Paced {
    body: BoxBody,
    /// Whether an early end of it is an end like any other.
    is_open_end: bool,
    /// Ready once the client of a stream has hung up, to whom nothing may be written for long.
    gone: Option<Gone>,
    size: BodySize,
    /// The rest of the last chunk.
    rest: Bytes,
    #[expect(dead_code, reason = "it is dropped with the body")]
    held: (Vec<Share>, Answering),
}

impl MessageBody for Paced {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        while this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => this.rest = chunk,
                Poll::Ready(end) => return Poll::Ready(end),
                Poll::Pending => {
                    let Some(gone) = &mut this.gone else { return Poll::Pending };
                    ready!(gone.as_mut().poll(cx));
                    let cut = io::Error::from(io::ErrorKind::BrokenPipe);
                    return Poll::Ready((!this.is_open_end).then(|| Err(cut.into())));
                }
            }
        }
        Poll::Ready(Some(Ok(this.rest.split_to(this.rest.len().min(SLICE_BYTES)))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpResponse, body::to_bytes, test::TestRequest};

    use super::*;

    fn answer(bytes: usize) -> Result<ServiceResponse<BoxBody>, HttpRequest> {
        let body = Bytes::from(vec![7; bytes]);
        paced(TestRequest::default().to_srv_response(HttpResponse::Ok().body(body)), Answering::nobody())
    }

    #[actix_web::test]
    async fn a_body_is_the_same_in_slices() {
        for bytes in [0, 1, SLICE_BYTES, SLICE_BYTES + 1, 10 * SLICE_BYTES + 5] {
            let response = answer(bytes).unwrap();
            assert_eq!(response.response().body().size(), BodySize::Sized(bytes as u64));
            assert_eq!(to_bytes(response.into_body()).await.unwrap(), vec![7; bytes]);
        }
    }

    #[actix_web::test]
    async fn answers_under_way_are_bounded_in_number_and_in_bytes() {
        let many: Vec<_> = (0..MAX_ANSWERS).map(|_| answer(SLICE_BYTES + 1).unwrap()).collect();
        assert!(answer(SLICE_BYTES + 1).is_err() && answer(SLICE_BYTES).is_ok());
        drop(many);
        let large = answer(MAX_HELD_BYTES + 1).unwrap();
        assert!(answer(SLICE_BYTES + 1).is_err());
        drop(large);
        assert!(answer(SLICE_BYTES + 1).is_ok(), "what is over takes nothing");
    }
}
