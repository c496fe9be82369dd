//! The memory of long messages that are no bytes of a file. The library holds a message until all of it is there, so such a one gets its
//! room before its bytes are taken.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// Bytes of all of them.
const ROOM: usize = 48 << 20;
/// Messages that may wait for room: behind each, a window of bytes may have come that nobody takes.
const MAX_WAITING: usize = 128;
const UNIT: usize = 1 << 10;

/// Room of all messages. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Room of one message, given back when this is dropped.
pub(super) type Held = OwnedSemaphorePermit;

impl Default for Room {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(ROOM / UNIT)), waiting: Arc::new(Semaphore::new(MAX_WAITING)) }
    }
}

impl Room {
    /// Waits for the room of a message of `length` bytes.
    pub(super) fn wait(&self, length: usize) -> BoxFuture<'static, Result<Held, Status>> {
        let Self { free, waiting } = self.clone();
        Box::pin(async move {
            let units = u32::try_from(length.div_ceil(UNIT).min(ROOM / UNIT)).unwrap_or(u32::MAX);
            if let Ok(held) = Arc::clone(&free).try_acquire_many_owned(units) {
                return Ok(held);
            }
            let refused = |_| Status::resource_exhausted("too many long messages come at once; try again later");
            let _waiting = waiting.try_acquire().map_err(refused)?;
            free.acquire_many_owned(units).await.map_err(|_| Status::unavailable("the server stops"))
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn long_messages_wait_for_each_other_and_not_too_many() {
        let room = Room::default();
        let now = || room.wait(4 << 20).now_or_never();
        let mut held: Vec<_> = (0..12).map(|_| now().unwrap().unwrap()).collect();
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| room.wait(4 << 20)).collect();
        assert!(waiting.iter_mut().all(|wait| wait.now_or_never().is_none()));
        assert_eq!(now().unwrap().unwrap_err().code(), tonic::Code::ResourceExhausted);
        held.pop();
        assert!((&mut waiting[0]).now_or_never().unwrap().is_ok());
    }
}
