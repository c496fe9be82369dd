//! Decides which files of the folder are offered.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::fd::AsFd,
    path::Path,
};

use tributary_formats::{has_table_ending, has_workbook_ending, is_offered, is_owner_file, is_workbook, may_be_note};

use crate::{
    left_out::LeftOutReason,
    open::{open_file, open_in},
    options::{Filter, Options},
    stat::Stat,
};

/// Bytes by which a text for people is told from a table.
const NOTE_HEAD_BYTES: u64 = 4096;

/// The rules by which files are offered.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    skip_notes: bool,
    filter: Filter,
    workbooks: Filter,
}

impl Default for Offer {
    fn default() -> Self {
        Self::new(&Options::default())
    }
}

impl Offer {
    pub(crate) fn new(options: &Options) -> Self {
        Self { skip_notes: options.skip_notes, filter: options.filter.clone(), workbooks: options.workbooks.clone() }
    }

    /// Returns whether a path is offered, if it is not a note.
    pub(crate) fn takes(&self, path: &str) -> bool {
        (is_offered(path) || is_workbook(path) && self.workbooks.takes(path)) && self.filter.takes(path)
    }

    /// Returns why a path that is not hidden is not offered.
    pub(crate) fn refuses(&self, path: &str) -> Option<LeftOutReason> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match () {
            () if is_owner_file(name) => Some(LeftOutReason::Owner),
            () if has_workbook_ending(name) && !self.workbooks.takes(path) => Some(LeftOutReason::Workbook),
            () if !has_table_ending(name) && !has_workbook_ending(name) => Some(LeftOutReason::Ending),
            () if !self.filter.takes(path) => Some(LeftOutReason::Excluded),
            () => None,
        }
    }

    /// Returns whether the file in an open folder is a note. One that cannot be read is none: its error must be seen.
    pub(crate) fn is_note_in(&self, folder: impl AsFd, name: &OsStr) -> bool {
        self.may_be_note(name) && open_in(folder, name).is_ok_and(is_prose)
    }

    /// Returns whether the file at a path is a note.
    pub(crate) fn is_note(&self, root: &Path, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_prose = |found: Option<(File, Stat)>| is_prose(found.map(|(file, _)| file));
        self.may_be_note(OsStr::new(name)) && open_file(root, Path::new(path)).is_ok_and(is_prose)
    }

    fn may_be_note(&self, name: &OsStr) -> bool {
        self.skip_notes && name.to_str().is_some_and(may_be_note)
    }
}

fn is_prose(file: Option<impl Read>) -> bool {
    let Some(file) = file else { return false };
    let mut head = Vec::new();
    io::Read::take(file, NOTE_HEAD_BYTES).read_to_end(&mut head).is_ok_and(|_| begins_like_prose(head))
}

/// Returns whether the first line has no delimiter. A comma before a space or at the end is none.
fn begins_like_prose(mut head: Vec<u8>) -> bool {
    // Half of the bytes of English in UTF-16.
    head.retain(|byte| *byte != 0);
    let line = head.split(|byte| b"\r\n".contains(byte)).map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    line.is_none_or(|line| {
        let is_comma = |pair: &[u8]| pair[0] == b',' && pair[1] != b' ';
        !line.iter().any(|byte| b"\t;|".contains(byte)) && !line.windows(2).any(is_comma)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn prose_has_no_delimiter_in_its_first_line() {
        for prose in
            ["", "\n\n", "# Feeds\n\na,b\n", "Dear all,\r\nsee below", "Hello, Bob\n", "F\0e\0e\0d\0s\0", "sku\n1\n"]
        {
            assert!(begins_like_prose(prose.into()), "{prose:?}");
        }
        for table in ["sku,name\n1,a\n", "\n sku;name\n", "sku\tname", "a|b", "s\0k\0u\0,\0n\0", "a, b,c"] {
            assert!(!begins_like_prose(table.into()), "{table:?}");
        }
    }

    #[test]
    fn a_note_is_told_by_its_name_and_its_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (path, content, expect) in [
            ("readme.txt", "These are the feeds.\n", true),
            ("sub/README.txt", "These are the feeds.\n", true),
            ("licence.txt", "sku,name\n1,a\n", false),
            ("feed.txt", "These are the feeds.\n", false),
            ("gone.txt", "", false),
        ] {
            if path != "gone.txt" {
                fs::write(folder.path().join(path), content).unwrap();
            }
            let offer = Offer { skip_notes: true, ..Offer::default() };
            assert_eq!(offer.is_note(folder.path(), path), expect, "{path}");
            assert!(!Offer::default().is_note(folder.path(), path), "{path}");
        }
    }

    #[test]
    fn a_filter_chooses_among_offered_files() {
        let options = Options {
            filter: Filter::new(|path| path.starts_with("a")),
            workbooks: Filter::new(|path| path != "a2.xlsx"),
            ..Options::default()
        };
        let check = |offer: Offer, path, refused: Option<LeftOutReason>| {
            assert_eq!((offer.takes(path), offer.refuses(path)), (refused.is_none(), refused), "{path}");
        };
        for (path, refused) in [
            ("a.csv", None),
            ("a/b.csv", None),
            ("b.csv", Some(LeftOutReason::Excluded)),
            ("a.json", Some(LeftOutReason::Ending)),
            ("a1.xlsx", None),
            ("a2.xlsx", Some(LeftOutReason::Workbook)),
            ("b.xlsm", Some(LeftOutReason::Excluded)),
            ("~$a1.xlsx", Some(LeftOutReason::Owner)),
        ] {
            check(Offer::new(&options), path, refused);
        }
        check(Offer::default(), "a1.xlsx", Some(LeftOutReason::Workbook));
    }
}
