//! The record of what a source was asked, and when.

use std::time::{Duration, Instant};

/// The requests to one source.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Number of `/sense`.
    pub(super) senses: u64,
    /// Number of `/sense/files`.
    pub(super) manifests: u64,
    /// Number of files that were sent.
    pub(super) reads: u64,
    /// The last `/sense`.
    last: Option<Instant>,
    /// The longest time between two of them since [`Asked::watch`].
    longest: Duration,
    /// When the version was first asked about that the source has now: then all of it is applied.
    pub(super) applied: Option<Instant>,
    /// Whether an answer is held now.
    pub(super) is_held: bool,
}

impl Asked {
    /// Notes a question at `now`. `knows` says that the caller has applied the version of the source.
    pub(super) fn sense(&mut self, now: Instant, knows: bool) {
        self.senses += 1;
        if let Some(last) = self.last.replace(now) {
            self.longest = self.longest.max(now - last);
        }
        if knows {
            self.applied.get_or_insert(now);
        }
    }

    /// Begins to look for the longest gap. A gap that has begun before counts as a whole.
    pub(super) fn watch(&mut self) {
        self.longest = Duration::ZERO;
    }

    /// The longest time between two questions that ended since then, or has not ended at `now`. None if it was never asked.
    pub(super) fn longest_gap(&self, now: Instant) -> Option<Duration> {
        Some(self.longest.max(now.saturating_duration_since(self.last?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_although_it_has_begun_before_or_goes_on() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let gap = |asked: &Asked, seconds| asked.longest_gap(at(seconds)).map(|gap| gap.as_secs());
        let mut asked = Asked::default();
        assert_eq!(gap(&asked, 9), None, "one that was never asked has no gap, and must not pass for one without");
        asked.sense(at(0), false);
        asked.sense(at(8), false);
        asked.watch();
        assert_eq!(gap(&asked, 9), Some(1));
        asked.sense(at(15), true);
        asked.sense(at(17), true);
        assert_eq!(gap(&asked, 18), Some(7));
        assert_eq!(gap(&asked, 30), Some(13));
        assert_eq!((asked.senses, asked.applied), (4, Some(at(15))));
    }
}
