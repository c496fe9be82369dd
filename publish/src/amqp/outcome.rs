//! The outcome of a run as text.

use std::{fmt, time::Duration};

use tributary_cli_common::text::{counted, one_line, thousands};

use crate::Content;

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The unit that is one message.
    pub content: Content,
    /// Messages that were to be sent.
    pub total: u64,
    /// Messages that the broker has confirmed.
    pub confirmed: u64,
    /// The bytes of those.
    pub bytes: u64,
    /// The whole duration.
    pub took: Duration,
}

/// The outcome of one document.
pub(super) struct DocumentOutcome<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: u64,
    /// The reason why it is not confirmed.
    pub(super) failure: Option<&'a str>,
}

impl Published {
    /// Whether the broker has confirmed everything.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.confirmed == self.total
    }

    /// The messages that are confirmed, such as "2 of 3 documents are confirmed".
    pub(super) fn confirmed_part(&self) -> String {
        let confirmed = thousands(self.confirmed);
        let verb = if self.total == 1 { "is" } else { "are" };
        format!("{confirmed} of {} {verb} confirmed", counted(self.total, self.noun()))
    }

    fn noun(&self) -> &'static str {
        match self.content {
            Content::Documents => "document",
            Content::Operations => "operation",
        }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} published", counted(self.confirmed, self.noun()))?;
        let missing = thousands(self.total - self.confirmed);
        match self.content {
            Content::Documents => write!(f, ", {missing} failed")?,
            Content::Operations if !self.is_complete() => write!(f, ", {missing} not confirmed")?,
            Content::Operations => {}
        }
        write!(f, "; {}, {:.1} s", Size(self.bytes), self.took.as_secs_f64())
    }
}

impl fmt::Display for DocumentOutcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = one_line(self.name);
        match self.failure {
            None => write!(f, "{name}: published, {}", Size(self.bytes)),
            Some(why) => write!(f, "{name}: failed: {}", one_line(why)),
        }
    }
}

/// A number of bytes in the largest unit that it fills, in steps of 1,000.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
        match UNITS.into_iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{:.1} {name}", self.0 as f64 / unit as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_a_line() {
        let line = |failure| DocumentOutcome { name: "a\nb.csv", bytes: 12_345, failure }.to_string();
        assert_eq!(line(None), r"a\nb.csv: published, 12.3 KB");
        assert_eq!(line(Some("no\u{1b}[31m")), r"a\nb.csv: failed: no\u{1b}[31m");
    }

    #[test]
    fn a_run_is_a_line() {
        let published = |content, confirmed, bytes| {
            let took = Duration::from_millis(1_230);
            Published { content, total: 50_000, confirmed, bytes, took }
        };
        let check = |content, confirmed, bytes, expect: &str| {
            assert_eq!(published(content, confirmed, bytes).to_string(), expect);
        };
        check(Content::Documents, 50_000, 45_100, "50,000 documents published, 0 failed; 45.1 KB, 1.2 s");
        check(Content::Documents, 1, 999, "1 document published, 49,999 failed; 999 B, 1.2 s");
        check(Content::Operations, 50_000, 4_560_000, "50,000 operations published; 4.6 MB, 1.2 s");
        check(Content::Operations, 0, 0, "0 operations published, 50,000 not confirmed; 0 B, 1.2 s");
        check(Content::Operations, 50_000, 2_000_000_000, "50,000 operations published; 2.0 GB, 1.2 s");
        assert_eq!(
            published(Content::Operations, 1_234, 0).confirmed_part(),
            "1,234 of 50,000 operations are confirmed"
        );
    }
}
