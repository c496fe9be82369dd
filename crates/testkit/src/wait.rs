//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// Limit for the wait; far longer than any condition of a passing test takes.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// Calls `ask` until it returns something.
///
/// # Panics
/// It returns nothing for [`MAX_WAIT`]; the text names `what` was expected.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + MAX_WAIT;
    loop {
        if let Some(got) = ask() {
            return got;
        }
        assert!(Instant::now() < deadline, "waited {MAX_WAIT:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
