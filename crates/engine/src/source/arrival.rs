//! A body that is read while it is still arriving: whoever writes it says how far it is, whoever reads it waits for more, but
//! not for long.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long a follower waits for more. It holds a thread, and there are few followers: the bodies of slow sources are read when
/// they are here.
const PATIENCE: Duration = Duration::from_millis(50);

/// A core's place among those who read. It is given back while there is nothing to read: others have work for it.
pub(crate) struct Core {
    places: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Core {
    /// One of `places`, not taken yet.
    pub(crate) fn new(places: Arc<Semaphore>) -> Self {
        Self { places, held: None }
    }

    /// Waits for a place. Never on an async worker.
    fn take(&mut self) -> io::Result<()> {
        if self.held.is_none() {
            let place = Handle::current().block_on(Arc::clone(&self.places).acquire_owned());
            self.held = Some(place.map_err(io::Error::other)?);
        }
        Ok(())
    }
}

/// How far a body is. Held only to look or to move on.
#[derive(Default)]
pub(super) struct Arrival {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default, Clone, Copy)]
struct State {
    written: u64,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Broken,
}

impl Arrival {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.moved.notify_all();
    }
}

/// Where a body is written to. Dropped before [`Incoming::complete`], it is broken off.
pub(crate) struct Incoming {
    pub(super) file: File,
    pub(super) arrival: Arc<Arrival>,
}

impl Incoming {
    /// Appends a piece.
    pub(super) fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.arrival.update(|state| state.written += piece.len() as u64);
        Ok(())
    }

    /// Says that this was all.
    pub(super) fn complete(&mut self) {
        self.arrival.update(|state| state.end = Some(End::Complete));
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.arrival.update(|state| state.end = state.end.or(Some(End::Broken)));
    }
}

/// Reads a body from its begin while it is still arriving.
pub(crate) struct Follower {
    pub(super) file: File,
    pub(super) read: u64,
    pub(super) arrival: Arc<Arrival>,
    pub(super) core: Core,
}

impl Follower {
    /// How many more bytes are there: none at the end. Waits for one at least.
    fn wait(&mut self) -> io::Result<u64> {
        let waits = |state: &mut State| state.written == self.read && state.end.is_none();
        let mut state = self.arrival.state();
        if waits(&mut state) {
            self.core.held = None;
            let waited = self.arrival.moved.wait_timeout_while(state, PATIENCE, waits);
            let (later, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            state = later;
        }
        match state.end {
            Some(End::Broken) => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(state.written - self.read),
        }
    }
}

impl Read for Follower {
    /// As of a file. [`io::ErrorKind::TimedOut`] if nothing more has come for a while, [`io::ErrorKind::UnexpectedEof`] if
    /// nothing more will.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.wait()?;
        self.core.take()?;
        let most = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.read += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Incoming, Follower) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let arrival = Arc::new(Arrival::default());
        let core = Core::new(Arc::new(Semaphore::new(1)));
        let follower = Follower { file: file.reopen().unwrap(), read: 0, arrival: Arc::clone(&arrival), core };
        (Incoming { file: file.into_file(), arrival }, follower)
    }

    #[tokio::test]
    async fn what_arrives_is_read_to_its_end() {
        let (mut incoming, mut follower) = pair();
        let writer = std::thread::spawn(move || {
            (0..200_u8).for_each(|byte| incoming.write_all(&[byte; 1000]).unwrap());
            incoming.complete();
        });
        let read = move || {
            let mut body = Vec::new();
            follower.read_to_end(&mut body).map(|_| body)
        };
        let body = tokio::task::spawn_blocking(read).await.unwrap().unwrap();
        writer.join().unwrap();
        assert_eq!(body, (0..200_u8).flat_map(|byte| [byte; 1000]).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_stands_still_is_an_error_and_keeps_no_core() {
        let (mut incoming, mut follower) = pair();
        let cores = Arc::clone(&follower.core.places);
        incoming.write_all(b"abc").unwrap();
        let read = move || {
            let mut buffer = [0; 9];
            assert_eq!(follower.read(&mut buffer).unwrap(), 3);
            assert_eq!(cores.available_permits(), 0);
            assert_eq!(follower.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(cores.available_permits(), 1);
            drop(incoming);
            assert_eq!(follower.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        };
        tokio::task::spawn_blocking(read).await.unwrap();
    }
}
