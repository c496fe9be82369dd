//! What became of the files, in words.

use std::{fmt, time::Duration};

use indicatif::HumanCount;

/// What became of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long it took in all.
    pub took: Duration,
    /// Its rows, of which so many are rejects; or why it failed.
    pub result: Result<(u64, u64), String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, took) = (plain(&self.name), self.took.as_secs_f64());
        match &self.result {
            Ok((rows, rejects)) => write!(f, "{name}: complete, {}, {took:.1} s", counted(*rows, *rejects)),
            Err(why) => write!(f, "{name}: failed: {}", plain(why)),
        }
    }
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Each file.
    pub outcomes: Vec<Outcome>,
    /// How long it took in all.
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
        let complete: Vec<_> =
            self.outcomes.iter().filter_map(|file| Some((file.result.as_ref().ok()?, file.bytes))).collect();
        let sum = |part: fn(&(&(u64, u64), u64)) -> u64| complete.iter().map(part).sum::<u64>();
        let (rows, rejects, bytes) = (sum(|file| file.0.0), sum(|file| file.0.1), sum(|file| file.1));
        write!(
            f,
            "{}: {} complete, {} failed; {}, {:.1} MB, {:.1} s",
            noun(self.outcomes.len() as u64, "file"),
            complete.len(),
            self.outcomes.len() - complete.len(),
            counted(rows, rejects),
            bytes as f64 / 1e6,
            self.took.as_secs_f64()
        )
    }
}

fn counted(rows: u64, rejects: u64) -> String {
    format!("{}, {}", noun(rows, "row"), noun(rejects, "reject"))
}

fn noun(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

/// A text on one line, without characters that do something to a terminal.
pub(crate) fn plain(text: &str) -> String {
    let escape = |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.into() };
    text.chars().map(escape).collect()
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
        let outcomes = vec![
            outcome("sales.csv", Ok((10_000_000, 3))),
            outcome("a\nb", Err("no\u{1b}[31m".into())),
            outcome("c", Ok((1, 1))),
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
