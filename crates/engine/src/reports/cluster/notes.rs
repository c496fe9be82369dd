//! Which engine has computed a file, as a note that is stored and shown with the file.

use tributary_protocol::PlainLine;
use tributary_store::FileRow;

use crate::source::Answer;

/// The note of a file that the cluster has computed.
pub(super) const BY_CLUSTER: &str = "computed by the Ballista cluster";
/// The beginning of the note of a file that it has not computed.
const NOT_BY_CLUSTER: &str = "not computed by the Ballista cluster";

/// The reason for an object of which nothing was known before.
const FIRST_READING: &str = "this master has read this content for the first time; from now on the cluster can";

/// Why the cluster has not computed a file.
pub(in crate::reports) enum NotByCluster {
    /// It was not asked.
    NotAsked,
    /// For this reason.
    Because(String),
    /// Nothing was known of its content.
    FirstReading,
}

impl NotByCluster {
    /// Notes it on a partial. `found` was found out meanwhile.
    pub(in crate::reports) fn note(self, mut answer: Answer, found: Option<&PlainLine>) -> Answer {
        let why = match (&self, found) {
            (Self::NotAsked, _) => return answer,
            (Self::Because(why), _) => why,
            (Self::FirstReading, Some(PlainLine::NotPlain { reason })) => reason,
            (Self::FirstReading, _) => FIRST_READING,
        };
        if let Answer::Partial(head, _) = &mut answer {
            head.notes.insert(0, format!("{NOT_BY_CLUSTER}: {why}"));
        }
        answer
    }
}

/// The numbers of a report's files by the engine that has computed them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineCounts {
    /// By the cluster.
    pub cluster: u64,
    /// By their source, or by this master.
    pub push_down: u64,
}

/// Counts the files with a partial by the engine that has computed it.
pub(crate) fn engine_counts(files: &[FileRow]) -> EngineCounts {
    let mut counts = EngineCounts::default();
    for file in files.iter().filter(|file| file.hash.is_some()) {
        match file.notes.as_deref().is_some_and(|notes| notes.starts_with(BY_CLUSTER)) {
            true => counts.cluster += 1,
            false => counts.push_down += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_their_notes() {
        let file = |hash: Option<&str>, notes: Option<&str>| FileRow {
            hash: hash.map(str::to_owned),
            notes: notes.map(str::to_owned),
            ..FileRow::new("r", 1, "a.csv")
        };
        let files = [
            file(Some("h"), Some(BY_CLUSTER)),
            file(Some("h"), Some("computed by the Ballista cluster; encoding guessed")),
            file(Some("h"), Some("not computed by the Ballista cluster: it has rejects")),
            file(Some("h"), None),
            file(None, None),
        ];
        assert_eq!(engine_counts(&files), EngineCounts { cluster: 2, push_down: 2 });
    }
}
