//! A time as people read it: how long ago it is, with the exact time on hover.

use std::{fmt, time::Duration};

use askama::filters::HtmlSafe;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A time, shown as an element `time` such as `2 min ago`. The script of the pages keeps its text up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Moment {
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    /// Whether it may be yet to come.
    may_come: bool,
}

/// Time by which what has happened may be ahead of the clock.
const MAX_AHEAD: TimeDelta = TimeDelta::seconds(5);

impl Moment {
    /// Reads a time of something that has happened as it is stored, RFC 3339. `None` if it is none.
    pub(in crate::http) fn new(at: &str) -> Option<Self> {
        let at = DateTime::parse_from_rfc3339(at).ok()?.to_utc();
        Some(Self { at, now: Utc::now(), may_come: false })
    }

    /// The same for something that will happen.
    pub(in crate::http) fn to_come(at: &str) -> Option<Self> {
        Some(Self { may_come: true, ..Self::new(at)? })
    }

    /// The time of something that began so many seconds ago, whatever the clock was set to since.
    pub(in crate::http) fn ago(seconds: f64) -> Self {
        let now = Utc::now();
        let since = Duration::try_from_secs_f64(seconds).ok().and_then(|since| TimeDelta::from_std(since).ok());
        let at = now.checked_sub_signed(since.unwrap_or_default()).unwrap_or(now);
        Self { at, now, may_come: false }
    }
}

impl HtmlSafe for Moment {}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, now, may_come } = self;
        let machine = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let exact = at.format("%Y-%m-%d %H:%M:%S UTC");
        if !may_come && *at - *now > MAX_AHEAD {
            // The clock was set back. That it happens in an hour would be wrong, so the time is all that is said.
            return write!(out, r#"<time datetime="{machine}">{exact}</time>"#);
        }
        write!(out, r#"<time class="ago" datetime="{machine}" title="{exact}">{}</time>"#, distance(*at - *now))
    }
}

/// Words for a distance in time, as `live.js` writes them too.
fn distance(difference: TimeDelta) -> String {
    let seconds = difference.num_seconds();
    let size = match seconds.unsigned_abs() {
        size @ 0..60 => format!("{size} s"),
        size @ 60..3_600 => format!("{} min", size / 60),
        size @ 3_600..172_800 => format!("{} h", size / 3_600),
        size => format!("{} days", size / 86_400),
    };
    match seconds {
        -4..=0 => "just now".to_owned(),
        1.. => format!("in {size}"),
        _ => format!("{size} ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in [
            (0, "just now"),
            (-4, "just now"),
            (-5, "5 s ago"),
            (-59, "59 s ago"),
            (-60, "1 min ago"),
            (-3_599, "59 min ago"),
            (-3_600, "1 h ago"),
            (-172_799, "47 h ago"),
            (-172_800, "2 days ago"),
            (8, "in 8 s"),
            (90, "in 1 min"),
        ] {
            assert_eq!(distance(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn the_exact_time_is_in_the_element() {
        let at = DateTime::parse_from_rfc3339("2026-11-29T12:00:05.250Z").unwrap().to_utc();
        let moment = Moment { at, now: at + TimeDelta::minutes(2), may_come: false };
        let element =
            r#"<time class="ago" datetime="2026-11-29T12:00:05Z" title="2026-11-29 12:00:05 UTC">2 min ago</time>"#;
        assert_eq!(moment.to_string(), element);
        assert_eq!(Moment::new("yesterday"), None);
    }

    /// After the clock was set back, a page said that a file had been read in an hour.
    #[test]
    fn what_has_happened_is_never_yet_to_come() {
        let at = DateTime::parse_from_rfc3339("2026-11-29T12:00:05Z").unwrap().to_utc();
        let words = |ahead: i64, may_come| Moment { at, now: at - TimeDelta::seconds(ahead), may_come }.to_string();
        assert!(words(3_600, true).contains(">in 1 h<"));
        assert_eq!(words(3_600, false), r#"<time datetime="2026-11-29T12:00:05Z">2026-11-29 12:00:05 UTC</time>"#);
        assert!(words(4, false).contains("class=\"ago\""));
        assert!(Moment::ago(90.0).to_string().contains(">1 min ago<"));
    }
}
