//! Judges whether a peer sends or takes a body fast enough. Only time in which it was waited for counts: a peer is not slow while
//! we are. It knows neither sockets nor HTTP.
//!
//! ```
//! # use std::time::Duration;
//! use tributary_pace::{LEAST_SPEED, Pace};
//!
//! let mut pace = Pace::new(Duration::from_secs(30));
//! assert!(pace.moved(Duration::from_secs(30), 30 * LEAST_SPEED).is_ok());
//! assert!(pace.moved(Duration::from_secs(30), 100).is_err());
//! ```
#![warn(missing_docs)]

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

/// Least bytes per second of a body, over the patience.
pub const LEAST_SPEED: u64 = 1024;
/// The longest time over which the speed is measured, and the default. A peer that stands still is let go after twice this time.
pub const MAX_PATIENCE: Duration = Duration::from_secs(30);

/// The pace of one body.
#[derive(Debug, Clone)]
pub struct Pace {
    patience: Duration,
    /// The time for which the peer was waited for since the measurement began.
    waited: Duration,
    /// Bytes that it moved in this time.
    bytes: u64,
}

/// The peer moved too few bytes, so it is let go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("only {bytes} bytes in {} s, less than {LEAST_SPEED} per second", waited.as_secs())]
pub struct TooSlow {
    /// Bytes that it moved.
    pub bytes: u64,
    /// The time in which it was waited for.
    pub waited: Duration,
}

impl Pace {
    /// Measures over `patience`, of which [`MAX_PATIENCE`] is the bound.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        Self { patience: patience.min(MAX_PATIENCE), waited: Duration::ZERO, bytes: 0 }
    }

    /// Bytes that a measurement needs.
    fn least(&self) -> u64 {
        // Fits, because patience is bounded.
        (LEAST_SPEED * self.patience.as_millis() as u64 / 1000).max(1)
    }

    /// Notes that the peer moved `bytes` after it was waited for.
    ///
    /// # Errors
    /// It was too slow.
    pub fn moved(&mut self, waited: Duration, bytes: u64) -> Result<(), TooSlow> {
        self.waited += waited;
        self.bytes += bytes;
        if self.waited < self.patience {
            return Ok(());
        }
        let (waited, bytes) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.bytes));
        if bytes < self.least() { Err(TooSlow { bytes, waited }) } else { Ok(()) }
    }

    /// Returns whether a peer that has been waited for so long is too slow, whatever it moves next.
    #[must_use]
    pub fn is_too_slow(&self, waited: Duration) -> bool {
        // Of a good measurement only the rest counts as waited in the next one.
        self.waited + waited > if self.bytes < self.least() { self.patience } else { 2 * self.patience }
    }

    /// Waits for the next move of the peer, of which `bytes` tells the length.
    ///
    /// # Errors
    /// It is too slow.
    pub async fn wait<T>(
        &mut self,
        next: impl Future<Output = T>,
        bytes: impl FnOnce(&T) -> u64,
    ) -> Result<T, TooSlow> {
        let mut next = pin!(next);
        loop {
            let began = Instant::now();
            match timeout(self.patience.saturating_sub(self.waited), &mut next).await {
                Ok(moved) => {
                    self.moved(began.elapsed(), bytes(&moved))?;
                    return Ok(moved);
                }
                Err(_) => self.moved(began.elapsed(), 0)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_time_in_which_the_peer_was_waited_for_counts() {
        let mut pace = Pace::new(10 * SECOND);
        for _ in 0..1000 {
            pace.moved(Duration::ZERO, 1).unwrap();
        }
        assert_eq!(pace.moved(9 * SECOND, 1), Ok(()));
        assert_eq!(pace.moved(SECOND, 1), Err(TooSlow { bytes: 1002, waited: 10 * SECOND }));
        assert_eq!(pace.moved(9 * SECOND, 1), Ok(()), "a new measurement begins");
    }

    #[test]
    fn a_peer_of_the_least_speed_is_never_too_slow() {
        let mut pace = Pace::new(MAX_PATIENCE);
        for _ in 0..1000 {
            assert!(!pace.is_too_slow(SECOND));
            pace.moved(SECOND, LEAST_SPEED).unwrap();
        }
        assert!(!pace.is_too_slow(Duration::ZERO) && pace.is_too_slow(2 * MAX_PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stands_still_or_drips_is_let_go_within_a_minute() {
        let began = Instant::now();
        let mut pace = Pace::new(MAX_PATIENCE);
        let good = pace.wait(ready(()), |()| 30 * LEAST_SPEED).await;
        assert_eq!(good, Ok(()));
        assert!(pace.wait(pending::<()>(), |()| 0).await.is_err());
        assert!(began.elapsed() <= 60 * SECOND, "{:?}", began.elapsed());

        let (began, mut pace) = (Instant::now(), Pace::new(MAX_PATIENCE));
        while pace.wait(sleep(SECOND), |()| LEAST_SPEED - 1).await.is_ok() {}
        assert!(began.elapsed() <= 60 * SECOND, "{:?}", began.elapsed());
    }
}
