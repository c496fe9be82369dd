//! Counts what a scan of the folder left out, and why.

use std::collections::BTreeMap;

use tributary_protocol::LeftOut;

/// Longest example, in characters: a manifest must not grow with the depth of folders that it does not list.
const MAX_EXAMPLE_CHARS: usize = 200;

/// Why a file or a folder is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutReason {
    /// Its name has another ending than tables have.
    Ending,
    /// An Excel workbook of which no sheet is read.
    Workbook,
    /// A link, whatever it leads to.
    Link,
    /// A hidden file, or a hidden folder with everything in it.
    Hidden,
    /// The filter does not take it.
    Excluded,
    /// It says that somebody has another file open.
    Owner,
    /// A text for people.
    Note,
    /// A FIFO, a socket or a device.
    NotAFile,
    /// Its name is not UTF-8.
    Name,
}

impl LeftOutReason {
    /// Returns the word for it in a manifest.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ending => "ending",
            Self::Workbook => "workbook",
            Self::Link => "link",
            Self::Hidden => "hidden",
            Self::Excluded => "excluded",
            Self::Owner => "owner",
            Self::Note => "note",
            Self::NotAFile => "not_a_file",
            Self::Name => "name",
        }
    }
}

/// Files that were left out: for each reason their number, and one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOutFiles(BTreeMap<LeftOutReason, (u64, String)>);

impl LeftOutFiles {
    /// Counts a file. Of all examples of a reason the first in order stays, whatever order a scan finds them in.
    pub(crate) fn add(&mut self, reason: LeftOutReason, path: &str) {
        let (count, example) = self.0.entry(reason).or_insert_with(|| (0, path.to_owned()));
        *count += 1;
        if path < example.as_str() {
            path.clone_into(example);
        }
    }

    /// Returns reason, number and example of each kind.
    pub fn iter(&self) -> impl Iterator<Item = (LeftOutReason, u64, &str)> {
        self.0.iter().map(|(reason, (count, example))| (*reason, *count, example.as_str()))
    }

    /// Returns whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&LeftOutFiles> for Vec<LeftOut> {
    fn from(files: &LeftOutFiles) -> Self {
        let entry = |(reason, count, example): (LeftOutReason, _, &str)| LeftOut {
            reason: reason.word().to_owned(),
            count,
            example: example.chars().take(MAX_EXAMPLE_CHARS).collect(),
        };
        files.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_same_in_any_order_and_bounded() {
        let long = "é".repeat(1000);
        let summary = |paths: &[&str]| {
            let mut files = LeftOutFiles::default();
            paths.iter().for_each(|path| files.add(LeftOutReason::Link, path));
            files.add(LeftOutReason::Ending, &long);
            Vec::<LeftOut>::from(&files)
        };
        let one = summary(&["b.csv", "a.csv", "c.csv"]);
        assert_eq!(one, summary(&["c.csv", "b.csv", "a.csv"]));
        assert_eq!((one[1].reason.as_str(), one[1].count, one[1].example.as_str()), ("link", 3, "a.csv"));
        assert_eq!(one[0].example.chars().count(), 200);
    }
}
