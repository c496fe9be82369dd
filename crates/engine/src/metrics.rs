//! Durations of passes and applies, for entrances that publish metrics.

use std::time::Duration;

use prometheus_client::{
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds in seconds: a pass over a small change takes milliseconds, a first load minutes.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];

type SourceLabel = [(&'static str, String); 1];

/// Durations since this process began; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Durations {
    passes: Family<SourceLabel, Histogram>,
    applies: Histogram,
}

impl Durations {
    /// Notes how long a pass over a source took, however it ended.
    pub(crate) fn pass(&self, source: &str, took: Duration) {
        self.passes.get_or_create(&label(source)).observe(took.as_secs_f64());
    }

    /// Notes how long the writer took to apply a version.
    pub(crate) fn apply(&self, took: Duration) {
        self.applies.observe(took.as_secs_f64());
    }

    /// Drops the series of a source that is no longer polled.
    pub(crate) fn forget(&self, source: &str) {
        self.passes.remove(&label(source));
    }

    /// Publishes the durations.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Seconds of a pass over the source, good or bad";
        registry.register("tributary_poll_duration_seconds", help, self.passes.clone());
        let help = "Seconds the writer took to apply a version of a source";
        registry.register("tributary_apply_duration_seconds", help, self.applies.clone());
    }
}

impl Default for Durations {
    fn default() -> Self {
        let histogram = (|| Histogram::new(BUCKETS)) as fn() -> Histogram;
        Self { passes: Family::new_with_constructor(histogram), applies: histogram() }
    }
}

fn label(source: &str) -> SourceLabel {
    [("source", source.to_owned())]
}
