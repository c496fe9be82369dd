//! The outcomes of the files, as text.

use std::{fmt, time::Duration};

use tributary_cli_common::text::{counted, one_line};

/// Rows of a file that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts {
    /// All rows.
    pub rows: u64,
    /// Those of them that were set aside.
    pub rejects: u64,
}

/// The outcome of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The whole duration.
    pub took: Duration,
    /// Its rows, or the reason of the failure.
    pub result: Result<RowCounts, String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, took) = (one_line(&self.name), self.took.as_secs_f64());
        match &self.result {
            Ok(counts) => write!(f, "{name}: complete, {counts}, {took:.1} s"),
            Err(why) => write!(f, "{name}: failed: {}", one_line(why)),
        }
    }
}

impl fmt::Display for RowCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.rows, "row"), counted(self.rejects, "reject"))
    }
}

/// The outcomes of all files.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// One per file.
    pub outcomes: Vec<Outcome>,
    /// The whole duration.
    pub took: Duration,
}

impl Summary {
    /// Whether the rows of all files are committed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.result.is_ok())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut complete, mut bytes, mut counts) = (0, 0, RowCounts::default());
        for outcome in &self.outcomes {
            if let Ok(RowCounts { rows, rejects }) = outcome.result {
                complete += 1;
                bytes += outcome.bytes;
                counts.rows += rows;
                counts.rejects += rejects;
            }
        }
        write!(
            f,
            "{}: {complete} complete, {} failed; {counts}, {:.1} MB, {:.1} s",
            counted(self.outcomes.len() as u64, "file"),
            self.outcomes.len() - complete,
            bytes as f64 / 1e6,
            self.took.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_line_and_all_are_a_line() {
        let outcome = |name: &str, result| Outcome {
            name: name.to_owned(),
            bytes: 1_500_000,
            took: Duration::from_millis(12_340),
            result,
        };
        let counts = |rows, rejects| Ok(RowCounts { rows, rejects });
        let outcomes = vec![
            outcome("sales.csv", counts(10_000_000, 3)),
            outcome("a\nb", Err("no\u{1b}[31m".into())),
            outcome("c", counts(1, 1)),
        ];
        let lines: Vec<_> = outcomes.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "sales.csv: complete, 10,000,000 rows, 3 rejects, 12.3 s",
                r"a\nb: failed: no\u{1b}[31m",
                "c: complete, 1 row, 1 reject, 12.3 s"
            ]
        );
        let summary = Summary { outcomes, took: Duration::from_secs(13) };
        assert!(!summary.is_complete());
        assert_eq!(summary.to_string(), "3 files: 2 complete, 1 failed; 10,000,001 rows, 4 rejects, 3.0 MB, 13.0 s");
    }
}
