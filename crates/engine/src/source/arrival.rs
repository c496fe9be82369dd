//! Reads a body while it is still arriving. The writer publishes how much there is; the reader waits for more, but not for
//! long.

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

use crate::disk::SpaceGuard;

/// Limit for the time that a follower waits for more bytes. It occupies a thread, and there are few followers, so the bodies of
/// slow sources are read once they are complete.
const MAX_FOLLOWER_WAIT: Duration = Duration::from_millis(50);

/// A permit to keep a core busy. It is returned while there is nothing to read, so that others can use the core.
pub(crate) struct CorePermit {
    permits: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl CorePermit {
    /// One of `permits`, not acquired yet.
    pub(crate) fn new(permits: Arc<Semaphore>) -> Self {
        Self { permits, held: None }
    }

    /// Waits for the permit. Blocks the thread, so never call it on an async worker.
    fn acquire(&mut self) -> io::Result<()> {
        if self.held.is_none() {
            let permit = Handle::current().block_on(Arc::clone(&self.permits).acquire_owned());
            self.held = Some(permit.map_err(io::Error::other)?);
        }
        Ok(())
    }
}

/// The part of a body that has arrived.
#[derive(Default)]
pub(super) struct Arrival {
    /// Locked only to read or to advance it.
    state: Mutex<ArrivalState>,
    changed: Condvar,
}

#[derive(Default, Clone, Copy)]
struct ArrivalState {
    /// Bytes that can be read.
    written: u64,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Broken,
}

impl Arrival {
    fn state(&self) -> MutexGuard<'_, ArrivalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut ArrivalState)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

/// Writes a body. If it is dropped before [`BodyWriter::complete`], the body is broken.
pub(crate) struct BodyWriter {
    pub(super) file: File,
    pub(super) arrival: Arc<Arrival>,
    pub(super) guard: SpaceGuard,
}

impl BodyWriter {
    /// Appends bytes.
    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.guard.note(bytes.len())?;
        self.file.write_all(bytes)?;
        self.arrival.update(|state| state.written += bytes.len() as u64);
        Ok(())
    }

    /// Marks the body as complete.
    pub(super) fn complete(&mut self) {
        self.arrival.update(|state| state.end = Some(End::Complete));
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        self.arrival.update(|state| state.end = state.end.or(Some(End::Broken)));
    }
}

/// Reads a body from its beginning while it is still arriving.
pub(crate) struct BodyFollower {
    pub(super) file: File,
    pub(super) read: u64,
    pub(super) arrival: Arc<Arrival>,
    pub(super) core: CorePermit,
}

impl BodyFollower {
    /// Waits until there is at least one more byte, and returns how many there are; 0 at the end.
    fn wait(&mut self) -> io::Result<u64> {
        let waits = |state: &mut ArrivalState| state.written == self.read && state.end.is_none();
        let mut state = self.arrival.state();
        if waits(&mut state) {
            self.core.held = None;
            let waited = self.arrival.changed.wait_timeout_while(state, MAX_FOLLOWER_WAIT, waits);
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

impl Read for BodyFollower {
    /// Reads as from a file. Fails with [`io::ErrorKind::TimedOut`] if nothing has arrived for a while, and with
    /// [`io::ErrorKind::UnexpectedEof`] if the body is broken.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.wait()?;
        self.core.acquire()?;
        let most = usize::try_from(available).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.read += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FreeSpace;

    fn pair() -> (BodyWriter, BodyFollower) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let arrival = Arc::new(Arrival::default());
        let core = CorePermit::new(Arc::new(Semaphore::new(1)));
        let follower = BodyFollower { file: file.reopen().unwrap(), read: 0, arrival: Arc::clone(&arrival), core };
        let guard = SpaceGuard::new(FreeSpace::new(file.path(), 0));
        (BodyWriter { file: file.into_file(), arrival, guard }, follower)
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_while_it_arrives() {
        let (mut writer, mut follower) = pair();
        let writing = std::thread::spawn(move || {
            (0..200_u8).for_each(|byte| writer.write_all(&[byte; 1000]).unwrap());
            writer.complete();
        });
        let read = move || {
            let mut body = Vec::new();
            follower.read_to_end(&mut body).map(|_| body)
        };
        let body = tokio::task::spawn_blocking(read).await.unwrap().unwrap();
        writing.join().unwrap();
        assert_eq!(body, (0..200_u8).flat_map(|byte| [byte; 1000]).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_stalled_or_broken_body_is_an_error_and_occupies_no_core() {
        let (mut writer, mut follower) = pair();
        let cores = Arc::clone(&follower.core.permits);
        writer.write_all(b"abc").unwrap();
        let read = move || {
            let mut buffer = [0; 9];
            assert_eq!(follower.read(&mut buffer).unwrap(), 3);
            assert_eq!(cores.available_permits(), 0);
            assert_eq!(follower.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(cores.available_permits(), 1);
            drop(writer);
            assert_eq!(follower.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        };
        tokio::task::spawn_blocking(read).await.unwrap();
    }
}
