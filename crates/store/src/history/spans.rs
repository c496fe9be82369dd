//! Spans of time that the history is shown over, each in the rows of one step.

use serde::Deserialize;

/// The time that a series covers, as commands and requests name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistorySpan {
    /// The last hour, by minutes.
    #[default]
    Hour,
    /// The last day, by quarters of an hour.
    Day,
    /// The last week, by two hours.
    Week,
    /// The last year, by days.
    Year,
}

impl HistorySpan {
    /// All spans, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Year];

    /// Its name in a query.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Year => "year",
        }
    }

    /// Seconds between two points. Each is a step of the table `history`.
    #[must_use]
    pub fn step(self) -> i64 {
        match self {
            Self::Hour => 60,
            Self::Day => 900,
            Self::Week => 7_200,
            Self::Year => 86_400,
        }
    }

    /// Number of points.
    #[must_use]
    pub fn points(self) -> i64 {
        match self {
            Self::Hour => 60,
            Self::Day => 96,
            Self::Week => 84,
            Self::Year => 365,
        }
    }

    /// The span of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.as_str() == name)
    }

    /// When the first step begins if the span ends at `now`, both in seconds since 1970. The last step is the one that has begun.
    #[must_use]
    pub fn begin(self, now: i64) -> i64 {
        let step = self.step();
        now - now.rem_euclid(step) - (self.points() - 1) * step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HISTORY_STEPS;

    #[test]
    fn a_span_reaches_no_further_back_than_its_rows_are_kept() {
        for span in HistorySpan::ALL {
            let step = HISTORY_STEPS.iter().find(|step| step.seconds == span.step()).unwrap();
            assert!(span.points() * span.step() <= step.kept, "{span:?}");
        }
    }
}
