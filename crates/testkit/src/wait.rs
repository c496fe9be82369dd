//! Waiting for a condition instead of for a time.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Limit for the wait; far longer than any condition of a passing test takes.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// Calls `ask` until it returns something.
///
/// # Panics
/// It returns nothing for [`MAX_WAIT`]; the text names `what` was expected.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let got = within(MAX_WAIT, Duration::from_millis(5), &mut ask);
    got.unwrap_or_else(|| panic!("waited {MAX_WAIT:?} in vain: {what}"))
}

/// Calls `ask` every `pause` until it returns something, at most for `limit`.
pub fn within<T>(limit: Duration, pause: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let got = ask();
        if got.is_some() || Instant::now() > deadline {
            return got;
        }
        thread::sleep(pause);
    }
}
