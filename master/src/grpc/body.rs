//! The body of a call, watched while it comes. The library ends a stream that its client broke off like one that is complete, and tells
//! only of whole messages, of which a slow one may take minutes.

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tonic::{Status, Streaming, codegen::Bytes};
use tributary_pace::Pace;

use super::room::{Begun, FREE_BYTES, Framing, Granted, Held, Room};

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
    /// Room of messages that have not been given out, by their number. Locked for a moment, by the body or its reader.
    held: Mutex<VecDeque<(u64, Held)>>,
    /// Messages that were given out.
    given: AtomicU64,
    /// Whether a message waits for its room, which is no fault of the client.
    is_waiting: AtomicBool,
    /// Bytes since they were asked for last.
    bytes: AtomicU64,
    /// Whether the client, or the network, broke the body off.
    is_broken: AtomicBool,
}

impl Arrival {
    /// A call that nothing has come of.
    pub(super) fn new(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Known {
            _place: place,
            held: Mutex::default(),
            given: AtomicU64::default(),
            is_waiting: AtomicBool::default(),
            bytes: AtomicU64::default(),
            is_broken: AtomicBool::default(),
        }))
    }

    /// The next message, from a client that is not too slow, and its room, to be dropped with it. None behind the last of a whole
    /// stream.
    pub(super) async fn next<M>(
        &self,
        messages: &mut Streaming<M>,
        pace: &mut Pace,
    ) -> Result<Option<(M, Option<Held>)>, Status> {
        let message = self.message(messages, pace).await?;
        Ok(message.map(|message| (message, self.room())))
    }

    /// The room of the message that was given out now.
    fn room(&self) -> Option<Held> {
        let number = self.0.given.fetch_add(1, Ordering::Relaxed) + 1;
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.pop_front_if(|(of, _)| *of == number).map(|(_, held)| held)
    }

    async fn message<M>(&self, messages: &mut Streaming<M>, pace: &mut Pace) -> Result<Option<M>, Status> {
        let mut next = pin!(messages.message());
        loop {
            let began = Instant::now();
            let came = timeout(LOOK_INTERVAL, &mut next).await;
            let slow = |slow| Status::deadline_exceeded(format!("the file comes too slowly: {slow}"));
            let waited = if self.0.is_waiting.load(Ordering::Relaxed) { Duration::ZERO } else { began.elapsed() };
            pace.moved(waited, self.0.bytes.swap(0, Ordering::Relaxed)).map_err(slow)?;
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

/// A body that tells an [`Arrival`] what comes, and of which a long message is taken once there is room for it.
pub(super) struct Watched {
    body: tonic::body::Body,
    arrival: Arrival,
    room: Room,
    framing: Framing,
    /// A message that waits for room: its number, and the bytes from the end of its head on.
    wait: Option<(u64, Bytes, BoxFuture<'static, Granted>)>,
    /// The time until which a long message must be there.
    until: Option<Instant>,
}

impl Watched {
    pub(super) fn new(body: tonic::body::Body, arrival: Arrival, room: Room) -> Self {
        Self { body, arrival, room, framing: Framing::default(), wait: None, until: None }
    }

    /// Waits until there is room for the message that has begun. Returns the bytes that were kept back until then.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        if let Some((_, _, wait)) = &mut self.wait {
            let granted = ready!(wait.as_mut().poll(cx));
            self.arrival.0.is_waiting.store(false, Ordering::Relaxed);
            let (waited, (held, until)) = (self.wait.take(), granted?);
            self.until = Some(until);
            return Poll::Ready(Ok(waited.map(|(number, bytes, _)| {
                self.arrival.0.held.lock().unwrap_or_else(PoisonError::into_inner).push_back((number, held));
                bytes
            })));
        }
        let is_late = self.framing.is_inside() && self.until.is_some_and(|until| Instant::now() > until);
        match is_late {
            true => Poll::Ready(Err(Status::deadline_exceeded("a long message comes too slowly; send shorter ones"))),
            false => Poll::Ready(Ok(None)),
        }
    }

    /// Keeps the begin of a long message back until there is room for it, and returns what stands before it.
    fn note(&mut self, mut bytes: Bytes) -> Bytes {
        self.arrival.0.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let Some(Begun { number, length, at }) = self.framing.take(&bytes) else { return bytes };
        self.until = None;
        if length > FREE_BYTES {
            self.arrival.0.is_waiting.store(true, Ordering::Relaxed);
            self.wait = Some((number, bytes.split_off(at), self.room.wait(length)));
        }
        bytes
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        match ready!(self.poll_room(cx)) {
            Err(status) => return Poll::Ready(Some(Err(status))),
            Ok(Some(kept)) => return Poll::Ready(Some(Ok(Frame::data(kept)))),
            Ok(None) => {}
        }
        Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => Some(Ok(match frame.into_data() {
                Ok(data) => Frame::data(self.note(data)),
                Err(frame) => frame,
            })),
            Some(Err(status)) => {
                self.arrival.0.is_broken.store(true, Ordering::Release);
                Some(Err(status))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.wait.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
