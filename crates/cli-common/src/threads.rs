//! Whether the system lets a program start the threads that it needs.

use std::{
    io,
    sync::{Arc, Mutex, mpsc::channel},
    thread::{Builder, JoinHandle},
};

/// Threads that a server has shortly after its start, and some more.
const THREADS: usize = 16;

/// Starts some threads that end again. A runtime that cannot start one of its own panics, and may then never end.
///
/// # Errors
/// The system starts fewer.
pub fn check_threads() -> io::Result<()> {
    let (hold, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let start = |_| {
        let held = Arc::clone(&held);
        // Ends once `hold` is dropped: whoever has the lock waits for that.
        Builder::new().spawn(move || drop(held.lock().map(|held| held.recv())))
    };
    let started: Vec<io::Result<JoinHandle<()>>> = (0..THREADS).map(start).collect();
    drop(hold);
    let mut failed = None;
    for thread in started {
        match thread {
            Ok(thread) => drop(thread.join()),
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), |error| {
        let why = format!(
            "the system lets this program start fewer than {THREADS} threads: {error}; raise its limit: `ulimit -u`, `TasksMax` of a service, or the one of its container"
        );
        Err(io::Error::new(error.kind(), why))
    })
}
