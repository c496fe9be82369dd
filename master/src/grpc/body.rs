//! The body of a call, watched while it comes. The library ends a stream that its client broke off like one that is complete, and tells
//! only of whole messages, of which a slow one may take minutes.

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use http_body::{Body, Frame};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tonic::{Status, Streaming, codegen::Bytes};
use tributary_pace::Pace;

use super::{
    pieces::{Messages, Pieces},
    room::{Held, Room},
};

/// Interval in which the speed of a client is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A refusal to take a part of a file for all of it.
pub(super) fn check_length(announced: Option<u64>, came: u64) -> Result<(), Status> {
    match announced {
        Some(all) if all != came => {
            Err(Status::data_loss(format!("the file has {all} bytes, and {came} came; send it again")))
        }
        _ => Ok(()),
    }
}

/// State of a body so far; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Arrival(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// The place of the call among all calls.
    _place: OwnedSemaphorePermit,
    /// Bytes since they were asked for last.
    bytes: AtomicU64,
    /// Whether the client, or the network, broke the body off.
    is_broken: AtomicBool,
}

impl Arrival {
    /// A call that nothing has come of.
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Known { _place: place, bytes: AtomicU64::default(), is_broken: AtomicBool::default() }))
    }

    /// The next message, from a client that is not too slow. None behind the last of a whole stream.
    pub(super) async fn next<M>(&self, messages: &mut Streaming<M>, pace: &mut Pace) -> Result<Option<M>, Status> {
        let mut next = pin!(messages.message());
        loop {
            let began = Instant::now();
            let came = timeout(LOOK_INTERVAL, &mut next).await;
            let slow = |slow| Status::deadline_exceeded(format!("the file comes too slowly: {slow}"));
            pace.moved(began.elapsed(), self.0.bytes.swap(0, Ordering::Relaxed)).map_err(slow)?;
            match came {
                Ok(Ok(None)) if self.0.is_broken.load(Ordering::Acquire) => {
                    return Err(Status::cancelled("the client broke the stream off"));
                }
                Ok(came) => return came,
                Err(_) => {}
            }
        }
    }
}

/// A body that tells an [`Arrival`] what comes, and of which no long message is held that there is no room for.
pub(super) struct Watched {
    body: tonic::body::Body,
    arrival: Arrival,
    pieces: Pieces,
    /// Bytes that came and have not been looked at, and those that can be passed on.
    came: Bytes,
    out: VecDeque<Bytes>,
    room: Room,
    wait: Option<BoxFuture<'static, Result<Held, Status>>>,
    _held: Option<Held>,
}

impl Watched {
    pub(super) fn new(body: tonic::body::Body, arrival: Arrival, messages: Messages, room: Room) -> Self {
        let (pieces, out) = (Pieces::new(messages), VecDeque::new());
        Self { body, arrival, pieces, came: Bytes::new(), out, room, wait: None, _held: None }
    }

    /// Looks at what came, as far as there is room for it.
    fn poll_pieces(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        loop {
            if let Some(wait) = &mut self.wait {
                let granted = ready!(wait.as_mut().poll(cx));
                self.wait = None;
                self._held = Some(granted?);
                self.pieces.grant();
            }
            match self.pieces.take(&mut self.came, &mut self.out)? {
                Some(length) => self.wait = Some(self.room.wait(length)),
                None => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        loop {
            if let Some(bytes) = self.out.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Err(status) = ready!(self.poll_pieces(cx)) {
                return Poll::Ready(Some(Err(status)));
            }
            if !self.out.is_empty() {
                continue;
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose() {
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.arrival.0.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                        self.came = data;
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                // A message that was cut into pieces would look complete.
                Ok(None) if self.pieces.is_inside() => {
                    return Poll::Ready(Some(Err(Status::data_loss("the last message did not come as a whole"))));
                }
                Ok(None) => return Poll::Ready(None),
                Err(status) => {
                    self.arrival.0.is_broken.store(true, Ordering::Release);
                    return Poll::Ready(Some(Err(status)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.out.is_empty() && self.came.is_empty() && !self.pieces.is_inside() && self.body.is_end_stream()
    }
}
