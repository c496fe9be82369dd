//! The one retry policy: exponential, between a first and a longest delay.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Delays between the tries of one task. Each is twice as long as the one before, up to a limit.
///
/// There is no jitter: backon adds it on top of the limit, and each of our tasks has a server of its own.
#[derive(Debug)]
pub struct Backoff {
    policy: ExponentialBuilder,
    delays: <ExponentialBuilder as BackoffBuilder>::Backoff,
    longest: Duration,
}

impl Backoff {
    /// Starts with `first` and never exceeds `longest`, even if `first` does.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        // backon 1.6 applies its limit only from the second delay on.
        let policy =
            ExponentialBuilder::new().with_min_delay(first.min(longest)).with_max_delay(longest).without_max_times();
        Self { policy, delays: policy.build(), longest }
    }

    /// Returns how long to wait before the next try.
    pub fn next_delay(&mut self) -> Duration {
        self.delays.next().unwrap_or(self.longest)
    }

    /// Starts over with the first delay, after a try that succeeded.
    pub fn reset(&mut self) {
        self.delays = self.policy.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: u64, longest: u64, expect: [u64; 5]) {
        let mut backoff = Backoff::new(Duration::from_millis(first), Duration::from_millis(longest));
        for _ in 0..2 {
            // backon multiplies in 32-bit floats, which may be some nanoseconds off.
            let delays = expect.map(|_| backoff.next_delay().as_millis());
            assert_eq!(delays, expect.map(u128::from), "{first} {longest}");
            backoff.reset();
        }
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        check(100, 500, [100, 200, 400, 500, 500]);
        check(1_000, 10_000, [1_000, 2_000, 4_000, 8_000, 10_000]);
        check(500, 500, [500; 5]);
        check(60_000, 10_000, [10_000; 5]);
    }

    #[test]
    fn it_never_ends() {
        let mut backoff = Backoff::new(Duration::from_nanos(1), Duration::from_secs(1));
        assert_eq!((0..10_000).map(|_| backoff.next_delay()).last(), Some(Duration::from_secs(1)));
    }
}
