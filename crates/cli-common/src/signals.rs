//! SIGTERM and SIGINT as a cancellation token, for programs that run on tokio.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Returns a token that SIGTERM or SIGINT cancels. Call it inside a runtime. A file that may not grow (`ulimit -f`) fails a write from
/// then on, and does not kill the process.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // The handler stays, and does nothing.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(shutdown)
}
