//! File names: which ones a source offers, and which ones it never does.

use std::path::{Path, PathBuf};

use crate::{Packing, strip_ending};

const TAB_SEPARATED: &str = ".tsv";
/// Endings of tables, before the ending of a packing.
const TABLE_ENDINGS: [&str; 3] = [".csv", TAB_SEPARATED, ".txt"];

/// Endings of Excel workbooks.
const WORKBOOK_ENDINGS: [&str; 2] = [".xlsx", ".xlsm"];

/// The offered endings, and those of workbooks, as the `accept` attribute of an HTML file input.
pub const ACCEPT_ATTRIBUTE: &str = ".csv,.tsv,.txt,.gz,.zst,.xlsx,.xlsm";

/// The offered endings for people, to follow "the name must end in".
pub const ENDINGS_IN_WORDS: &str = ".csv, .tsv or .txt, optionally followed by .gz or .zst";

/// The endings of workbooks for people.
pub const WORKBOOK_ENDINGS_IN_WORDS: &str = ".xlsx or .xlsm";

const UNFINISHED: &str = ".part";

/// Beginning of the files by which office programs mark a file that somebody has open: `~$feed.csv`.
const OWNER: &str = "~$";
/// Names of texts that people put beside their files, before `.txt`.
const NOTES: [&str; 8] = ["readme", "read me", "read_me", "read-me", "license", "licence", "copying", "changelog"];

/// Whether a source offers a path, whatever its settings are, relative and separated by `/`: it ends in `.csv`, `.tsv` or `.txt`, optionally
/// followed by `.gz` or `.zst`, in any case, it is no owner file, and neither the file nor a folder above it is hidden.
///
/// Unfinished files (`*~`, `*.tmp`, `*.swp`, `*.part`) have other endings, so they need no rule of their own.
#[must_use]
pub fn is_offered(path: &str) -> bool {
    is_plain(path) && has_table_ending(path)
}

/// Whether a source offers a path if a format says which sheet to read: it ends in `.xlsx` or `.xlsm`, and else as
/// [`is_offered`].
#[must_use]
pub fn is_workbook(path: &str) -> bool {
    is_plain(path) && has_workbook_ending(path)
}

/// Whether a path is neither hidden nor that of an owner file.
fn is_plain(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !path.split('/').any(is_hidden) && !is_owner_file(name)
}

/// Whether a file of this name only says that somebody has another file open.
#[must_use]
pub fn is_owner_file(name: &str) -> bool {
    name.starts_with(OWNER)
}

/// Whether a file of this name may be a text for people, such as `README.txt`. Only a hint: the content decides.
#[must_use]
pub fn may_be_note(name: &str) -> bool {
    strip_ending(name, ".txt").is_some_and(|stem| NOTES.iter().any(|note| note.eq_ignore_ascii_case(stem)))
}

/// The path under which to write a file until it is complete, beside its final path. Sources never offer it.
#[must_use]
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// Whether a file or folder of this name is hidden, with everything below it.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a file name ends like a table's, hidden or not.
#[must_use]
pub fn has_table_ending(name: &str) -> bool {
    let (stem, _) = Packing::split(name);
    TABLE_ENDINGS.iter().any(|ending| strip_ending(stem, ending).is_some())
}

/// Whether a file name ends like a workbook's, hidden or not.
#[must_use]
pub fn has_workbook_ending(name: &str) -> bool {
    WORKBOOK_ENDINGS.iter().any(|ending| strip_ending(name, ending).is_some())
}

/// Whether a file name says that its fields are separated by tabs. Only a hint: the content decides.
#[must_use]
pub fn is_tab_separated(path: &str) -> bool {
    let (stem, _) = Packing::split(path);
    strip_ending(stem, TAB_SEPARATED).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_tables_and_nothing_hidden() {
        for offered in [
            "a.csv",
            "a.TSV",
            "a.Txt",
            "a.csv.gz",
            "a.CSV.ZST",
            "sub/b.csv",
            "a.tmp/b.csv",
            "two words.csv",
            "é.csv",
            "a..csv",
            "a.part.csv",
            "~a.csv",
            "README.txt",
        ] {
            assert!(is_offered(offered), "{offered}");
        }
    }

    #[test]
    fn leaves_out_everything_else() {
        for other in [
            "",
            "csv",
            ".csv",
            "a",
            "a.gz",
            "a.csv.bz2",
            "a.csv.gz.zst",
            "a.csv.gz.gz",
            "a.csv~",
            "a.csv.tmp",
            "a.csv.swp",
            "a.csv.part",
            ".a.csv",
            ".git/a.csv",
            "sub/.hidden/deep/a.csv",
            "sub/.a.csv",
            "a.json",
            "a.csvx",
            "~$a.csv",
            "sub/~$a.txt",
        ] {
            assert!(!is_offered(other), "{other}");
        }
    }

    #[test]
    fn workbooks_are_no_plain_tables() {
        for workbook in ["a.xlsx", "sub/a.XLSM", "a.csv.xlsx"] {
            assert!(is_workbook(workbook) && !is_offered(workbook), "{workbook}");
        }
        for other in ["a.xls", "a.xlsx.gz", "a.xlsx.csv", "~$a.xlsx", ".a.xlsx", ".git/a.xlsx", "a.xlsx.part", "xlsx"] {
            assert!(!is_workbook(other), "{other}");
        }
    }

    #[test]
    fn unfinished_files_are_never_offered() {
        for packing in ["", ".gz", ".zst"] {
            for ending in TABLE_ENDINGS {
                let path = format!("sub/a{ending}{packing}");
                assert!(is_offered(&path));
                let unfinished = unfinished(Path::new(&path));
                assert_eq!(unfinished.parent(), Some(Path::new("sub")));
                assert!(!is_offered(unfinished.to_str().unwrap()), "{}", unfinished.display());
            }
        }
    }

    #[test]
    fn notes_are_told_by_their_whole_name() {
        for note in ["README.txt", "readme.TXT", "Licence.txt", "CHANGELOG.txt", "Read me.txt"] {
            assert!(may_be_note(note), "{note}");
        }
        for other in ["readme.csv", "readme.txt.gz", "readme2.txt", "readme", "licences.txt", "my-readme.txt", "é.txt"]
        {
            assert!(!may_be_note(other), "{other}");
        }
    }

    #[test]
    fn only_tsv_says_tab() {
        for (path, expect) in
            [("a.tsv", true), ("b/a.TSV.gz", true), ("a.csv", false), ("a.tsv.txt", false), ("tsv", false)]
        {
            assert_eq!(is_tab_separated(path), expect, "{path}");
        }
    }

    /// Guards against an ending that is offered but that the upload page does not let people pick, or does not name.
    #[test]
    fn what_people_are_shown_is_every_ending() {
        let packings = Packing::COMPRESSING.map(Packing::ending);
        let all: Vec<_> = TABLE_ENDINGS.into_iter().chain(packings).collect();
        assert_eq!(ACCEPT_ATTRIBUTE, [&all[..], &WORKBOOK_ENDINGS].concat().join(","));
        assert_eq!(WORKBOOK_ENDINGS_IN_WORDS, WORKBOOK_ENDINGS.join(" or "));
        let words: Vec<_> = ENDINGS_IN_WORDS.split([' ', ',']).filter(|word| word.starts_with('.')).collect();
        assert_eq!(words, all);
    }
}
