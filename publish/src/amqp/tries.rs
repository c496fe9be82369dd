//! Decides how long to wait for a broker, and when to give up.

use std::time::{Duration, Instant};

use tributary_http_client::Backoff;

/// Delay before the second connection; it doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest delay between two connections.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(10);
/// Limit for the time without a confirmation. A broker restarts within it, or gets its memory back.
pub(super) const MAX_SILENCE: Duration = Duration::from_secs(120);

/// The connections of one run.
pub(super) struct Tries {
    backoff: Backoff,
    confirmed: u64,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { backoff: Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY), confirmed: 0 }
    }

    /// Returns the delay before the next connection, or nothing if there is to be none. `confirmed` messages are confirmed by now, the last one
    /// at `confirmed_at`.
    pub(super) fn next_delay(&mut self, confirmed: u64, confirmed_at: Instant) -> Option<Duration> {
        if confirmed > self.confirmed {
            self.confirmed = confirmed;
            self.backoff.reset();
        }
        let delay = self.backoff.next_delay();
        (confirmed_at.elapsed() + delay < MAX_SILENCE).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_starts_the_delays_over_and_silence_ends_them() {
        let (mut tries, now) = (Tries::new(), Instant::now());
        let mut seconds = |confirmed, at| tries.next_delay(confirmed, at).map(|delay| delay.as_secs());
        assert_eq!([0; 5].map(|confirmed| seconds(confirmed, now)), [1, 2, 4, 8, 10].map(Some));
        assert_eq!([9; 2].map(|confirmed| seconds(confirmed, now)), [1, 2].map(Some));
        let long_ago = now.checked_sub(MAX_SILENCE).unwrap();
        assert_eq!(seconds(9, long_ago), None);
    }
}
