//! The body of a call, watched while it comes. The library ends a stream that its client broke off like one that is complete, and tells
//! only of whole messages, of which a slow one may take minutes.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http_body::{Body, Frame, SizeHint};
use tokio::time::timeout;
use tonic::{Status, Streaming};
use tributary_pace::Pace;

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
#[derive(Debug, Clone, Default)]
pub(super) struct Arrival(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Bytes since they were asked for last.
    bytes: AtomicU64,
    /// Whether the client, or the network, broke the body off.
    is_broken: AtomicBool,
}

impl Arrival {
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

/// A body that tells an [`Arrival`] what comes.
pub(super) struct Watched {
    body: tonic::body::Body,
    arrival: Arrival,
}

impl Watched {
    pub(super) fn new(body: tonic::body::Body, arrival: Arrival) -> Self {
        Self { body, arrival }
    }
}

impl Body for Watched {
    type Data = tonic::codegen::Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.arrival.0.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Poll::Ready(Some(Err(_))) => self.arrival.0.is_broken.store(true, Ordering::Release),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
