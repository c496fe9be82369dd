//! Which names a source offers, and which folders it looks into. Names only: whether something is a regular file is for
//! [`crate::look`] to find out.

/// What a table's file may end in, in small letters.
const ENDINGS: [&str; 3] = [".csv", ".tsv", ".txt"];
/// What may follow that ending once.
const PACKINGS: [&str; 2] = [".gz", ".zst"];

/// Whether a path, relative and `/`-separated, has a name that a source offers: it ends in `.csv`, `.tsv` or `.txt`, each
/// also with `.gz` or `.zst` behind it, in any case, and neither it nor a folder above it is hidden.
///
/// Half-written files (`*~`, `*.tmp`, `*.swp`, `*.part`) have another ending and so need no rule of their own.
#[must_use]
pub fn is_offered(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !path.split('/').any(is_hidden) && has_table_ending(name)
}

/// Whether a file or folder of this name is hidden, with everything below it.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a file's name ends as a table's does.
pub(crate) fn has_table_ending(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let unpacked = PACKINGS.iter().find_map(|packing| name.strip_suffix(packing)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| unpacked.ends_with(ending))
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
        ] {
            assert!(!is_offered(other), "{other}");
        }
    }
}
