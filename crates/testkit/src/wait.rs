//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// How long a condition may take before the test fails; far beyond anything that works.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `ask` until it gives something.
///
/// # Panics
/// It gives nothing for [`PATIENCE`]; the text says `what` was waited for.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(got) = ask() {
            return got;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
