//! The limit of messages per second.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Messages that are late by up to this much catch up, because a timer is not more precise.
const MAX_LAG: Duration = Duration::from_millis(10);

/// Spaces messages evenly. A pause, such as that of a lost connection, is not made up for.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

impl Pace {
    pub(super) fn new(per_second: Option<u32>) -> Self {
        let interval = per_second.map(|per_second| Duration::from_secs(1) / per_second.max(1));
        Self { interval, next: Instant::now() }
    }

    /// Waits until the next message may be sent. Nothing is lost if the wait is given up.
    pub(super) async fn wait(&mut self) {
        let Some(interval) = self.interval else { return };
        let now = Instant::now();
        if self.next > now {
            sleep_until(self.next).await;
        } else {
            self.next = self.next.max(now.checked_sub(MAX_LAG).unwrap_or(now));
        }
        self.next += interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_are_spaced_and_a_pause_is_not_made_up_for() {
        let started = Instant::now();
        let mut pace = Pace::new(Some(100));
        for _ in 0..=200 {
            pace.wait().await;
        }
        assert_eq!(started.elapsed().as_millis(), 2_000);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let resumed = Instant::now();
        for _ in 0..=100 {
            pace.wait().await;
        }
        assert!(resumed.elapsed() >= Duration::from_millis(970), "{:?}", resumed.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        let started = Instant::now();
        let mut pace = Pace::new(None);
        for _ in 0..1_000 {
            pace.wait().await;
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
