//! The memory of messages that are being received. The library holds a message until all of it is there, so a long one gets its room
//! before its bytes are taken.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// Length of a message that needs no room: calls are bounded in number.
pub(super) const FREE_BYTES: usize = 16 << 10;
/// Length above which messages have a room of their own, so that others need not wait for them.
const LARGE_BYTES: usize = 4 << 20;
/// Bytes of messages up to that length, and of longer ones; one message of any length has room in any case.
const SMALL_ROOM: usize = 48 << 20;
const LARGE_ROOM: usize = 64 << 20;
/// Messages that may wait for room: behind each, a window of bytes may have come that nobody takes.
const MAX_WAITING: usize = 128;
/// Least bytes per second of a message that has room, on average and beside the patience: others may wait for its end.
const LEAST_SPEED: u32 = 128 << 10;
const HEAD_BYTES: usize = 5;
const UNIT: usize = 1 << 10;

/// Room of all messages. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Rooms>);

#[derive(Debug)]
struct Rooms {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// Units of the large one.
    most: usize,
    waiting: Semaphore,
    patience: Duration,
}

/// Room of one message, given back when this is dropped.
pub(super) type Held = OwnedSemaphorePermit;

/// A message that has got its room, and the time until which it must be there.
pub(super) type Granted = Result<(Held, Instant), Status>;

impl Room {
    /// `max_message` is the longest message of any method.
    pub(super) fn new(max_message: usize, patience: Duration) -> Self {
        let most = LARGE_ROOM.max(max_message).div_ceil(UNIT);
        Self(Arc::new(Rooms {
            small: Arc::new(Semaphore::new(SMALL_ROOM / UNIT)),
            large: Arc::new(Semaphore::new(most)),
            most,
            waiting: Semaphore::new(MAX_WAITING),
            patience,
        }))
    }

    /// Waits for the room of a message of `length` bytes.
    pub(super) fn wait(&self, length: usize) -> BoxFuture<'static, Granted> {
        let rooms = Arc::clone(&self.0);
        Box::pin(async move {
            let room = Arc::clone(if length > LARGE_BYTES { &rooms.large } else { &rooms.small });
            let units = u32::try_from(length.div_ceil(UNIT).min(rooms.most)).unwrap_or(u32::MAX);
            let held = match Arc::clone(&room).try_acquire_many_owned(units) {
                Ok(held) => held,
                Err(_) => {
                    let _waiting = rooms.waiting.try_acquire().map_err(|_| {
                        Status::resource_exhausted(
                            "too many long messages come at once; send shorter ones, or try again later",
                        )
                    })?;
                    room.acquire_many_owned(units).await.map_err(|_| Status::unavailable("the server stops"))?
                }
            };
            let time = Duration::from_secs_f64(length as f64 / f64::from(LEAST_SPEED));
            Ok((held, Instant::now() + rooms.patience + time))
        })
    }
}

/// A message that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begun {
    /// Its number in the stream, from 1.
    pub(super) number: u64,
    pub(super) length: usize,
    /// The place of the last byte of its head. Once the library has that, it takes memory for all of the message.
    pub(super) at: usize,
}

/// The place in a stream of messages.
#[derive(Debug, Default)]
pub(super) struct Framing {
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that are there.
    read: usize,
    /// Bytes that the message lacks.
    left: usize,
    /// Messages whose head is there.
    messages: u64,
}

impl Framing {
    /// Takes the next bytes. Returns the last message, if its head ends in them and the message does not.
    pub(super) fn take(&mut self, all: &[u8]) -> Option<Begun> {
        let (mut bytes, mut begun) = (all, None);
        while !bytes.is_empty() {
            let inside = self.left.min(bytes.len());
            self.left -= inside;
            bytes = &bytes[inside..];
            let more = bytes.len().min(HEAD_BYTES - self.read);
            self.head[self.read..self.read + more].copy_from_slice(&bytes[..more]);
            self.read += more;
            bytes = &bytes[more..];
            if self.read == HEAD_BYTES {
                let [_, length @ ..] = self.head;
                self.read = 0;
                self.left = u32::from_be_bytes(length) as usize;
                self.messages += 1;
                let at = all.len() - bytes.len() - 1;
                let begins = Begun { number: self.messages, length: self.left, at };
                begun = (self.left > bytes.len()).then_some(begins);
            }
        }
        begun
    }

    /// Whether the message is not complete.
    pub(super) fn is_inside(&self) -> bool {
        self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn message(length: usize) -> Vec<u8> {
        [&[0][..], &u32::try_from(length).unwrap().to_be_bytes(), &vec![0; length]].concat()
    }

    #[test]
    fn a_message_is_known_by_its_head_however_it_is_cut() {
        let text = [message(3), message(0), message(70_000), message(1)].concat();
        for size in [1, 2, 3, 7, 1_000, 100_000] {
            let mut framing = Framing::default();
            let begun: Vec<_> = text.chunks(size).filter_map(|bytes| framing.take(bytes)).collect();
            let found = begun.iter().find(|begun| begun.length == 70_000);
            // Behind the messages of 3 bytes and of none, and four bytes of the head.
            let expect = (size < 70_000).then_some(Begun { number: 3, length: 70_000, at: (8 + 5 + 4) % size });
            assert_eq!((found.copied(), framing.is_inside()), (expect, false), "{size}");
        }
        let mut framing = Framing::default();
        assert_eq!(framing.take(&message(10)[..8]), Some(Begun { number: 1, length: 10, at: 4 }));
        assert!(framing.is_inside());
    }

    #[test]
    fn long_messages_wait_for_each_other_and_not_for_longer_ones() {
        let room = Room::new(100 << 20, Duration::ZERO);
        let now = |length: usize| room.wait(length).now_or_never();
        let large = now(100 << 20).unwrap().unwrap();
        let mut waits = room.wait(5 << 20);
        assert!((&mut waits).now_or_never().is_none());
        let small: Vec<_> = (0..12).map(|_| now(4 << 20).unwrap().unwrap()).collect();
        let mut waiting: Vec<_> = (1..MAX_WAITING).map(|_| room.wait(4 << 20)).collect();
        assert!(waiting.iter_mut().all(|wait| wait.now_or_never().is_none()));
        let refused = now(4 << 20).unwrap().unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        drop(large);
        assert!(waits.now_or_never().unwrap().is_ok());
        drop(small);
        assert!(waiting.remove(0).now_or_never().unwrap().is_ok());
        // What is beyond any limit is refused by the library, once it is asked.
        assert!(now(u32::MAX as usize).is_some());
    }
}
