//! Why a version takes skus away, in words for the person who must accept it.

use std::fmt;

use tributary_merge::FileChanges;
use tributary_store::FileRow;

use super::{FileVersion, Outcome};

/// Skus that a reason names.
pub(super) const MAX_SKUS_NAMED: usize = 3;
/// Files that a reason names.
const MAX_FILES_NAMED: usize = 3;

/// One reason why a version takes skus away: a file of it.
pub(super) struct Cause {
    path: String,
    gone: usize,
    what: Change,
}

/// Change of the file.
enum Change {
    Removed,
    /// The source lists it, and it is no product feed any more.
    LeftOut,
    Emptied,
    Shrunk(Reading),
}

/// A file as it was read, before any of it is stored.
#[derive(Default)]
pub(super) struct Reading {
    /// Its content is the one that was applied before.
    is_same: bool,
    rejects: Option<RejectedRows>,
}

struct RejectedRows {
    rejects: u64,
    rows: u64,
    /// Line and reason of the first one.
    first: String,
}

impl Reading {
    /// Looks at a file that was read; `before` is what is stored of it.
    pub(super) fn of(file: &FileVersion, before: &FileRow) -> Self {
        let Outcome::Accepted(accepted) = &file.outcome else { return Self::default() };
        let rejects = accepted.rejects.kept.first().map(|first| RejectedRows {
            rejects: accepted.rejects.total,
            rows: accepted.rows,
            first: format!("line {}: {}", first.line, first.reason),
        });
        Self { is_same: before.hash.as_ref() == Some(&file.listed.entry.hash), rejects }
    }
}

impl Cause {
    /// A file that was read and lost skus.
    pub(super) fn of_read(file: &FileRow, changes: &FileChanges, reading: Reading) -> Option<Self> {
        let what = if file.row_count == 0 { Change::Emptied } else { Change::Shrunk(reading) };
        Self::new(file, what, changes)
    }

    /// A file that goes, unless it had no skus. `is_listed`: the source has it still.
    pub(super) fn of_removed(file: &FileRow, changes: &FileChanges, is_listed: bool) -> Option<Self> {
        Self::new(file, if is_listed { Change::LeftOut } else { Change::Removed }, changes)
    }

    fn new(file: &FileRow, what: Change, changes: &FileChanges) -> Option<Self> {
        let gone = changes.gone().len();
        (gone > 0).then(|| Self { path: file.path.clone(), gone, what })
    }
}

/// Words for a version that takes skus away: how many of which, and because of which files.
pub(super) fn reason(removes: u64, offers: u64, skus: &[String], causes: &[Cause]) -> String {
    let mut causes: Vec<&Cause> = causes.iter().collect();
    causes.sort_by(|a, b| b.gone.cmp(&a.gone).then_with(|| a.path.cmp(&b.path)));
    let mut words: Vec<String> = causes.iter().take(MAX_FILES_NAMED).map(|cause| cause.to_string()).collect();
    if let more @ 1.. = causes.len().saturating_sub(MAX_FILES_NAMED) {
        words.push(format!("{more} more files lose skus"));
    }
    let skus: Vec<String> = skus.iter().map(|sku| format!("`{}`", sku.escape_debug())).collect();
    format!("{removes} of {offers} skus would go, such as {}: {}", skus.join(", "), words.join("; "))
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, gone, what } = self;
        match what {
            Change::Removed => write!(f, "{path} is gone ({gone} skus)"),
            Change::LeftOut => write!(
                f,
                "{path} is listed but no longer read as a product feed ({gone} skus), because of `include`, `exclude` or a report \
                 without `feed = true`"
            ),
            Change::Emptied => write!(f, "{path} has no rows ({gone} skus before)"),
            Change::Shrunk(Reading { is_same, rejects }) => {
                write!(f, "{path} lacks {gone} of its skus")?;
                if *is_same {
                    f.write_str(", though only how it is read has changed")?;
                }
                // A few rejects do not explain that many skus go.
                match rejects.as_ref().filter(|rows| 2 * rows.rejects >= *gone as u64) {
                    Some(rejected) => write!(f, ", and {rejected}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for RejectedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rejects, rows, first } = self;
        let are = if *rejects == 1 { "is a reject" } else { "are rejects, the first" };
        write!(f, "{rejects} of its {rows} rows {are} in {first}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(path: &str, gone: usize, what: Change) -> Cause {
        Cause { path: path.into(), gone, what }
    }

    fn shrunk(is_same: bool, rejects: u64) -> Change {
        let rows = (rejects > 0).then(|| RejectedRows { rejects, rows: 400, first: "line 3: NUL byte".into() });
        Change::Shrunk(Reading { is_same, rejects: rows })
    }

    #[test]
    fn a_reason_names_the_largest_causes() {
        let causes = [
            cause("a.csv", 1, shrunk(false, 0)),
            cause("b.csv", 200, Change::Removed),
            cause("c.csv", 300, Change::Emptied),
            cause("e.csv", 2, shrunk(false, 0)),
        ];
        assert_eq!(
            reason(503, 600, &["a".to_owned(), "x\ny".to_owned()], &causes),
            "503 of 600 skus would go, such as `a`, `x\\ny`: c.csv has no rows (300 skus before); b.csv is gone (200 skus); \
             e.csv lacks 2 of its skus; 1 more files lose skus"
        );
    }

    #[test]
    fn rejects_are_named_if_they_can_be_why_skus_go() {
        let check = |what: Change, expect: &str| assert_eq!(cause("f.csv", 299, what).to_string(), expect);
        check(
            shrunk(false, 299),
            "f.csv lacks 299 of its skus, and 299 of its 400 rows are rejects, the first in line 3: NUL byte",
        );
        check(shrunk(false, 1), "f.csv lacks 299 of its skus");
        check(shrunk(true, 0), "f.csv lacks 299 of its skus, though only how it is read has changed");
        let one = cause("f.csv", 1, shrunk(false, 1)).to_string();
        assert_eq!(one, "f.csv lacks 1 of its skus, and 1 of its 400 rows is a reject in line 3: NUL byte");
    }
}
