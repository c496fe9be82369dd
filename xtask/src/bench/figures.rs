//! Medians, ratios, durations and sizes, and their texts.

use std::time::Duration;

/// The figures of a few repeats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    /// Sorts at least one figure.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (at, most) = (figures.len() / 2, figures.len() - 1);
        let median = if figures.len() % 2 == 1 { figures[at] } else { (figures[at - 1] + figures[at]) / 2.0 };
        Self { median, least: figures[0], most: figures[most] }
    }

    /// The same of durations, in seconds.
    pub(super) fn of_times(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(times.into_iter().map(|time| time.as_secs_f64()))
    }

    /// `1.20 s (1.10-1.31)`.
    pub(super) fn seconds(&self) -> String {
        let (unit, factor, digits) = if self.median < 1.0 { ("ms", 1000.0, 0) } else { ("s", 1.0, 2) };
        let [median, least, most] = [self.median, self.least, self.most].map(|figure| figure * factor);
        format!("{median:.digits$} {unit} ({least:.digits$}-{most:.digits$})")
    }

    /// `0.31 (0.29-0.33) x DuckDB`.
    pub(super) fn times(&self, what: &str) -> String {
        format!("{:.2} ({:.2}-{:.2}) x {what}", self.median, self.least, self.most)
    }
}

/// The times of many requests, sorted.
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Sorts the times of at least one request.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time within which this part of all requests was answered (nearest rank).
    pub(super) fn within(&self, part: f64) -> Duration {
        let rank = (self.0.len() as f64 * part).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The number of requests.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// `p50 1.2 ms, p99 3.4 ms, max 5.6 ms`.
    pub(super) fn summary(&self) -> String {
        let [half, most, longest] = [0.5, 0.99, 1.0].map(|part| self.within(part).as_secs_f64() * 1000.0);
        format!("p50 {half:.1} ms, p99 {most:.1} ms, max {longest:.1} ms")
    }
}

/// The mean of at least one time. Linux counts processor time in steps of 10 ms, of which a median says too little.
pub(super) fn mean(times: impl Iterator<Item = Duration> + Clone) -> Duration {
    times.clone().sum::<Duration>() / times.count().max(1) as u32
}

/// `1.52 s`, or `520 ms` if it is less than a second.
pub(super) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// `500,000`.
pub(super) fn thousands(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", thousands(number / 1000), number % 1000) }
}

/// `12 MiB`.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed_up() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
        assert_eq!(Spread::of([0.0123]).seconds(), "12 ms (12-12)");
        assert_eq!(Spread::of([1.234, 2.0, 1.0]).seconds(), "1.23 s (1.00-2.00)");
        let latencies = Latencies::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!([0.5, 0.99, 1.0].map(|part| latencies.within(part).as_millis()), [100, 198, 200]);
    }
}
