//! The files that a reader knows of a source, packed. A source may have a million files for as long as it is polled, and a row of one
//! takes several times as much.

mod blocks;
mod packed;

use std::collections::HashSet;

use tributary_store::FileRow;

pub(crate) use self::packed::KnownFile;
use self::{
    blocks::Blocks,
    packed::{Words, open, pack, path},
};

/// Rejects of one file that are kept, as the CSV gate and partials have it.
const MAX_KEPT_PER_FILE: u64 = 1_000;

/// Files by path. A row is packed when it is put in, and unpacked when it is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownFiles {
    files: Blocks,
    words: Words,
}

impl KnownFiles {
    /// Whether there is no file.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether there is a file at this path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.files.get(path.as_bytes()).is_some()
    }

    /// The file at this path, as it is packed.
    pub(crate) fn find(&self, path: &str) -> Option<KnownFile<'_>> {
        Some(open(self.files.get(path.as_bytes())?, &self.words))
    }

    /// The file at this path.
    pub(crate) fn get(&self, path: &str) -> Option<FileRow> {
        Some(self.find(path)?.row())
    }

    /// The paths of the files, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(text)
    }

    /// The greatest path.
    pub(crate) fn last_path(&self) -> Option<&str> {
        self.files.last().map(text)
    }

    /// The files, in the order of their paths.
    pub(crate) fn rows(&self) -> impl Iterator<Item = FileRow> {
        self.files.iter().map(|file| open(file, &self.words).row())
    }

    /// The number of rejects that are kept of the files at other paths than these.
    pub(crate) fn kept_rejects_but(&self, paths: &HashSet<&str>) -> u64 {
        let others = self.files.iter().filter(|file| !paths.contains(text(file)));
        others.map(|file| open(file, &self.words).rejects().min(MAX_KEPT_PER_FILE)).sum()
    }

    /// Puts a file in. Returns the one that it replaces.
    pub(crate) fn insert(&mut self, row: &FileRow) -> Option<FileRow> {
        let before = self.files.insert(&pack(row, &mut self.words))?;
        Some(open(&before, &self.words).row())
    }

    /// Takes the file at this path out.
    pub(crate) fn remove(&mut self, path: &str) -> Option<FileRow> {
        Some(open(&self.files.remove(path.as_bytes())?, &self.words).row())
    }
}

/// The path of a packed file.
fn text(packed: &[u8]) -> &str {
    str::from_utf8(path(packed)).unwrap_or_default()
}

impl FromIterator<FileRow> for KnownFiles {
    fn from_iter<I: IntoIterator<Item = FileRow>>(rows: I) -> Self {
        let mut files = Self::default();
        for row in rows {
            files.insert(&row);
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use tributary_store::FileState;

    use super::*;

    fn row(path: &str) -> FileRow {
        FileRow {
            id: 1_000_000,
            hash: Some(format!("blake3:{}", "0f".repeat(32))),
            reading: Some("0f".repeat(16)),
            size_bytes: 4_000,
            row_count: 60,
            results: 60,
            state: FileState::Applied,
            applied_at: Some("2026-11-29T00:00:00.000Z".to_owned()),
            format: Some("UTF-8, comma".to_owned()),
            ..FileRow::new("products", 3, path)
        }
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let text = |text: &str| Some(text.to_owned());
        let odd = FileRow {
            reader: String::new(),
            rank_key: "2026-11-29T00:00:00.001Z".to_owned(),
            source_id: i64::MIN,
            size_bytes: i64::MAX,
            unused: -1,
            rejects: 127,
            repaired: 128,
            notes: text(""),
            state: FileState::Rejected,
            rejected_hash: Some(format!("{0}{0}", "0f".repeat(32))),
            rejected_reading: text("ä"),
            rejected_reason: text("line\nline"),
            rejected_header: text("1970-02-30T00:00:00.000Z"),
            ..row("b")
        };
        let rows = [row("a"), odd, FileRow { hash: None, ..FileRow::new("r", 1, "c") }];
        let mut files: KnownFiles = rows.iter().cloned().collect();
        assert_eq!(files.rows().collect::<Vec<_>>(), rows);
        assert_eq!((files.get("b").as_ref(), files.get("bb"), files.contains("c")), (Some(&rows[1]), None, true));
        assert_eq!(["a", "b", "c"].map(|path| files.kept_rejects_but(&[path].into())), [127, 0, 127]);
        assert_eq!(files.insert(&row("b")).as_ref(), Some(&rows[1]));
        files.insert(&row("c"));
        files.insert(&row("d"));
        assert_eq!((files.remove("a"), files.remove("a")), (Some(row("a")), None));
        assert_eq!(files.rows().collect::<Vec<_>>(), ["b", "c", "d"].map(row));
        assert_eq!(files.paths().collect::<Vec<_>>(), ["b", "c", "d"]);
    }

    #[test]
    fn a_file_takes_a_fraction_of_its_row() {
        let mut words = Words::default();
        let packed = pack(&row("folder/0001/000001.csv"), &mut words);
        assert!(packed.len() < 100, "{} of {}", packed.len(), size_of::<FileRow>());
    }

    /// Texts that only one file has must neither fill the memory nor be lost.
    #[test]
    fn texts_are_shared_up_to_a_bound() {
        let noted = |number: usize| FileRow {
            notes: Some(format!("note {}", number % 5_000)),
            format: Some("x".repeat(number)),
            // Its first half is a hash, too.
            rejected_hash: Some(format!("{number:04}{}", "0f".repeat(62 + number % 3))),
            ..row(&format!("{number:04}"))
        };
        let files: KnownFiles = (0..6_000).map(noted).collect();
        assert!(files.rows().eq((0..6_000).map(noted)));
    }
}
