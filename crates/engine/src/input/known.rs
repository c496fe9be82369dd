//! The files that a reader knows of a source, packed. A source may have a million files for as long as it is polled, and a row of one
//! takes several times as much.

use std::collections::{BTreeMap, HashSet};

use tributary_store::{FileRow, FileState};

/// Rejects of one file that are kept, as the CSV gate and partials have it.
const MAX_KEPT_PER_FILE: u64 = 1_000;

/// Files by path. A row is packed when it is put in, and unpacked when it is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct KnownFiles(BTreeMap<Box<str>, Box<[u8]>>);

impl KnownFiles {
    /// Whether there is a file at this path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The file at this path, as it is packed.
    pub(crate) fn find(&self, path: &str) -> Option<KnownFile<'_>> {
        Some(KnownFile::of(self.0.get(path)?))
    }

    /// The file at this path.
    pub(crate) fn get(&self, path: &str) -> Option<FileRow> {
        Some(unpack(path, self.0.get(path)?))
    }

    /// The paths of the files, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|path| &**path)
    }

    /// The files, in the order of their paths.
    pub(crate) fn rows(&self) -> impl Iterator<Item = FileRow> {
        self.0.iter().map(|(path, packed)| unpack(path, packed))
    }

    /// The number of rejects that are kept of the files at other paths than these.
    pub(crate) fn kept_rejects_but(&self, paths: &HashSet<&str>) -> u64 {
        let others = self.0.iter().filter(|(path, _)| !paths.contains(&***path));
        others.map(|(_, packed)| KnownFile::of(packed).rejects().min(MAX_KEPT_PER_FILE)).sum()
    }

    /// Puts a file in. Returns the one that it replaces.
    pub(crate) fn insert(&mut self, row: &FileRow) -> Option<FileRow> {
        let before = self.0.insert(row.path.as_str().into(), pack(row))?;
        Some(unpack(&row.path, &before))
    }

    /// Takes the file at this path out.
    pub(crate) fn remove(&mut self, path: &str) -> Option<FileRow> {
        let (path, packed) = self.0.remove_entry(path)?;
        Some(unpack(&path, &packed))
    }

    /// Puts other files in. They replace those at the same paths.
    pub(crate) fn append(&mut self, mut other: Self) {
        // Many at once make a denser map, in the time that a copy of all takes.
        match other.0.len() < self.0.len() / 16 {
            true => self.0.extend(other.0),
            false => self.0.append(&mut other.0),
        }
    }
}

impl FromIterator<FileRow> for KnownFiles {
    fn from_iter<I: IntoIterator<Item = FileRow>>(rows: I) -> Self {
        Self(rows.into_iter().map(|row| (row.path.as_str().into(), pack(&row))).collect())
    }
}

const STATES: [FileState; 3] = [FileState::Applied, FileState::Rejected, FileState::Changing];

/// Packs a row without its path. A field that is added to rows has to be added here: [`KnownFile::row`] does not compile without it.
fn pack(row: &FileRow) -> Box<[u8]> {
    let FileRow { id, reader, source_id, path: _, hash, reading, rank_key, size_bytes, row_count, results, .. } = row;
    let FileRow { unused, rejects, repaired, notes, state, rejected_hash, rejected_reading, .. } = row;
    let FileRow { rejected_reason, applied_at, format, rejected_header, .. } = row;
    let state = STATES.iter().position(|other| other == state).unwrap_or_default() as i64;
    let mut packed = Vec::with_capacity(256);
    for number in [*id, *source_id, *size_bytes, *row_count, *results, *unused, *rejects, *repaired, state] {
        put(&mut packed, number.cast_unsigned());
    }
    let rejected = [rejected_hash, rejected_reading, rejected_reason];
    let accepted = [hash, reading, notes].into_iter().chain(rejected).chain([applied_at, format, rejected_header]);
    for text in [Some(&**reader), Some(&**rank_key)].into_iter().chain(accepted.map(Option::as_deref)) {
        put(&mut packed, text.map_or(0, |text| text.len() as u64 + 1));
        packed.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    packed.into()
}

fn unpack(path: &str, packed: &[u8]) -> FileRow {
    KnownFile::of(packed).row(path)
}

/// A file as it is packed, its fields in the order of [`pack`]. Nothing of it is copied until its row is asked for.
pub(crate) struct KnownFile<'a> {
    numbers: [i64; 9],
    texts: [Option<&'a str>; 11],
}

impl<'a> KnownFile<'a> {
    fn of(mut packed: &'a [u8]) -> Self {
        let (mut numbers, mut texts) = ([0; 9], [None; 11]);
        numbers.fill_with(|| take(&mut packed).cast_signed());
        texts.fill_with(|| {
            let length = usize::try_from(take(&mut packed).checked_sub(1)?).ok()?;
            let (text, rest) = packed.split_at_checked(length)?;
            packed = rest;
            str::from_utf8(text).ok()
        });
        Self { numbers, texts }
    }

    pub(crate) fn state(&self) -> FileState {
        STATES[usize::try_from(self.numbers[8]).unwrap_or_default()]
    }

    fn rejects(&self) -> u64 {
        self.numbers[6].unsigned_abs()
    }

    pub(crate) fn rank_key(&self) -> &'a str {
        self.texts[1].unwrap_or_default()
    }

    /// Hash and reading of the accepted content.
    pub(crate) fn accepted(&self) -> (Option<&'a str>, Option<&'a str>) {
        (self.texts[2], self.texts[3])
    }

    /// Hash and reading of the latest content, if that was rejected.
    pub(crate) fn rejected(&self) -> (Option<&'a str>, Option<&'a str>) {
        (self.texts[5], self.texts[6])
    }

    /// The row of the file, which is at this path.
    pub(crate) fn row(&self, path: &str) -> FileRow {
        let [id, source_id, size_bytes, row_count, results, unused, rejects, repaired, _] = self.numbers;
        let [reader, rank_key, hash, reading, notes, rejected @ .., applied_at, format, rejected_header] =
            self.texts.map(|text| text.map(str::to_owned));
        let [rejected_hash, rejected_reading, rejected_reason] = rejected;
        let (path, state) = (path.to_owned(), self.state());
        let (reader, rank_key) = (reader.unwrap_or_default(), rank_key.unwrap_or_default());
        FileRow {
            id,
            reader,
            source_id,
            path,
            hash,
            reading,
            rank_key,
            size_bytes,
            row_count,
            results,
            unused,
            rejects,
            repaired,
            notes,
            state,
            rejected_hash,
            rejected_reading,
            rejected_reason,
            applied_at,
            format,
            rejected_header,
        }
    }
}

/// Appends a number, seven bits a byte: most are small.
fn put(packed: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        packed.push(number as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

fn take(packed: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((byte, rest)) = packed.split_first() {
        *packed = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if *byte < 0x80 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
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
            rank_key: "k".repeat(300),
            source_id: i64::MIN,
            size_bytes: i64::MAX,
            unused: -1,
            rejects: 127,
            repaired: 128,
            notes: text(""),
            state: FileState::Rejected,
            rejected_hash: text("h"),
            rejected_reading: text("ä"),
            rejected_reason: text("line\nline"),
            rejected_header: text("[]"),
            ..row("b")
        };
        let rows = [row("a"), odd, FileRow { hash: None, ..FileRow::new("r", 1, "c") }];
        let mut files: KnownFiles = rows.iter().cloned().collect();
        assert_eq!(files.rows().collect::<Vec<_>>(), rows);
        assert_eq!((files.get("b").as_ref(), files.get("bb"), files.contains("c")), (Some(&rows[1]), None, true));
        assert_eq!(["a", "b", "c"].map(|path| files.kept_rejects_but(&[path].into())), [127, 0, 127]);
        assert_eq!(files.insert(&row("b")).as_ref(), Some(&rows[1]));
        files.append([row("c"), row("d")].into_iter().collect());
        assert_eq!((files.remove("a"), files.remove("a")), (Some(row("a")), None));
        assert_eq!(files.rows().collect::<Vec<_>>(), ["b", "c", "d"].map(row));
        assert_eq!(files.paths().collect::<Vec<_>>(), ["b", "c", "d"]);
    }

    #[test]
    fn a_file_takes_a_fraction_of_its_row() {
        assert!(
            pack(&row("a")).len() < size_of::<FileRow>() / 2,
            "{} of {}",
            pack(&row("a")).len(),
            size_of::<FileRow>()
        );
    }
}
