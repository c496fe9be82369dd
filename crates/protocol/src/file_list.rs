//! The files of a manifest, held in a fraction of the memory that as many [`ManifestEntry`] would take: a source may list a million.

use std::{fmt, str, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

use crate::ManifestEntry;

/// Bytes of texts that are allocated together.
const BLOCK_BYTES: usize = 1 << 20;
/// Digits of a hash that is held as bytes.
const HASH_DIGITS: usize = 64;

/// Many files, in the order in which they were added or by path. Clones share them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileList {
    /// For each file its numbers, its path, its time and its hash, one behind the other. No file is in two blocks.
    blocks: Vec<Arc<Vec<u8>>>,
    files: Arc<Vec<Place>>,
}

/// The place of a file, and all that is known of it once its texts are let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    block: u32,
    /// Its begin in the block; the highest bit says whether it is partial.
    start: u32,
}

const PARTIAL: u32 = 1 << 31;

impl Place {
    fn is_partial(self) -> bool {
        self.start & PARTIAL != 0
    }
}

/// The numbers of a file, before its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    size: u64,
    path_len: u16,
    time_len: u16,
    hash_len: u16,
    /// Whether the last 64 digits of the hash are held as bytes.
    is_packed: bool,
}

impl Numbers {
    const BYTES: usize = 15;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.size.to_le_bytes());
        for (place, length) in [self.path_len, self.time_len, self.hash_len].into_iter().enumerate() {
            bytes[8 + 2 * place..][..2].copy_from_slice(&length.to_le_bytes());
        }
        bytes[14] = self.is_packed.into();
        bytes
    }

    fn of(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, lengths @ .., is_packed] = bytes;
        let [path, path_high, time, time_high, hash, hash_high] = lengths;
        Self {
            size: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            path_len: u16::from_le_bytes([path, path_high]),
            time_len: u16::from_le_bytes([time, time_high]),
            hash_len: u16::from_le_bytes([hash, hash_high]),
            is_packed: is_packed != 0,
        }
    }
}

impl FileList {
    /// Adds a file.
    ///
    /// # Panics
    /// A text is longer than 64 KiB: what another program sends is bounded.
    pub fn push(&mut self, entry: &ManifestEntry) {
        let ManifestEntry { path, size, modified, hash, partial } = entry;
        let packed = pack_hash(hash);
        let is_packed = packed.is_some();
        let hash = packed.unwrap_or_else(|| hash.as_bytes().to_vec());
        let length = Numbers::BYTES + path.len() + modified.len() + hash.len();
        let is_full = |block: &Arc<Vec<u8>>| block.len() + length > block.capacity();
        if self.blocks.last().is_none_or(is_full) {
            // A short list takes little.
            let grown = self.blocks.last().map_or(1 << 10, |block| 4 * block.capacity());
            self.blocks.push(Arc::new(Vec::with_capacity(grown.min(BLOCK_BYTES).max(length))));
        }
        let len = |text: &[u8]| u16::try_from(text.len()).expect("texts of a manifest are bounded");
        let block = self.blocks.len() - 1;
        let bytes = Arc::make_mut(&mut self.blocks[block]);
        let start = u32::try_from(bytes.len()).expect("a block is small");
        Arc::make_mut(&mut self.files).push(Place {
            block: u32::try_from(block).expect("a list of 4 PiB fits nowhere"),
            start: if *partial { start | PARTIAL } else { start },
        });
        let (path, modified) = (path.as_bytes(), modified.as_bytes());
        let numbers =
            Numbers { size: *size, path_len: len(path), time_len: len(modified), hash_len: len(&hash), is_packed };
        for part in [&numbers.to_bytes(), path, modified, &hash] {
            bytes.extend_from_slice(part);
        }
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The path of the file with this number, counted from 0.
    ///
    /// # Panics
    /// There are not so many.
    #[must_use]
    pub fn path(&self, number: usize) -> &str {
        self.path_of(self.files[number])
    }

    /// The file with this number, counted from 0.
    ///
    /// # Panics
    /// There are not so many.
    #[must_use]
    pub fn entry(&self, number: usize) -> ManifestEntry {
        let place = self.files[number];
        let (Numbers { size, path_len, time_len, is_packed, .. }, texts) = self.file(place);
        let (path, rest) = texts.split_at(path_len.into());
        let (modified, hash) = rest.split_at(time_len.into());
        ManifestEntry {
            path: text(path).to_owned(),
            size,
            modified: text(modified).to_owned(),
            hash: if is_packed { unpack_hash(hash) } else { text(hash).to_owned() },
            partial: place.is_partial(),
        }
    }

    /// The file at this path. The list must be sorted.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<ManifestEntry> {
        Some(self.entry(self.number(path)?))
    }

    /// Whether there is a file at this path. The list must be sorted.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.number(path).is_some()
    }

    fn number(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|place| self.path_of(*place).cmp(path)).ok()
    }

    /// The files.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ManifestEntry> {
        (0..self.len()).map(|number| self.entry(number))
    }

    /// The paths of the files.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|number| self.path(number))
    }

    /// The paths of the files that are partial.
    pub fn partial_paths(&self) -> impl Iterator<Item = &str> {
        let partial = self.files.iter().zip(0..).filter(|(place, _)| place.is_partial());
        partial.map(|(_, number)| self.path(number))
    }

    /// Sorts the files by path (bytes).
    pub fn sort(&mut self) {
        if !self.paths().is_sorted() {
            let mut files = std::mem::take(&mut self.files);
            Arc::make_mut(&mut files).sort_unstable_by(|one, other| self.path_of(*one).cmp(self.path_of(*other)));
            self.files = files;
        }
    }

    /// Lets go of the texts of files that will not be asked for any more. Partial files keep theirs.
    ///
    /// # Panics
    /// Asking for the path or the entry of such a file panics from now on.
    pub fn keep_texts(&mut self, mut is_asked_for: impl FnMut(usize) -> bool) {
        let mut is_kept = vec![false; self.blocks.len()];
        for (number, place) in self.files.iter().enumerate() {
            let kept = &mut is_kept[place.block as usize];
            *kept = *kept || place.is_partial() || is_asked_for(number);
        }
        for (block, is_kept) in self.blocks.iter_mut().zip(is_kept) {
            if !is_kept {
                *block = Arc::default();
            }
        }
    }

    /// Keeps the files whose path is wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&str) -> bool) {
        let first = self.paths().position(|path| !is_wanted(path));
        if let Some(first) = first {
            let mut files = std::mem::take(&mut self.files);
            let mut number = 0;
            Arc::make_mut(&mut files).retain(|place| {
                number += 1;
                number <= first || number > first + 1 && is_wanted(self.path_of(*place))
            });
            self.files = files;
        }
    }

    fn path_of(&self, place: Place) -> &str {
        let (numbers, texts) = self.file(place);
        text(&texts[..numbers.path_len.into()])
    }

    /// The numbers of a file, and its texts.
    fn file(&self, Place { block, start }: Place) -> (Numbers, &[u8]) {
        let bytes = &self.blocks[block as usize][(start & !PARTIAL) as usize..];
        let (numbers, texts) = bytes.split_first_chunk().expect("no file ends before its texts");
        let numbers = Numbers::of(*numbers);
        let Numbers { path_len, time_len, hash_len, .. } = numbers;
        (numbers, &texts[..usize::from(path_len) + usize::from(time_len) + usize::from(hash_len)])
    }
}

/// The text that these bytes were.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it was a text")
}

/// A hash with its digits as 32 bytes behind its algorithm; `None` unless it has 64 small ones.
#[must_use]
pub fn pack_hash(hash: &str) -> Option<Vec<u8>> {
    let (algorithm, digits) = hash.split_at_checked(hash.len().checked_sub(HASH_DIGITS)?)?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut packed = Vec::with_capacity(algorithm.len() + HASH_DIGITS / 2);
    packed.extend_from_slice(algorithm.as_bytes());
    for pair in digits.as_bytes().as_chunks::<2>().0 {
        packed.push(value(pair[0])? << 4 | value(pair[1])?);
    }
    Some(packed)
}

/// The hash that was packed.
///
/// # Panics
/// The bytes are none that [`pack_hash`] gave.
#[must_use]
pub fn unpack_hash(packed: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (algorithm, bytes) = packed.split_at(packed.len() - HASH_DIGITS / 2);
    let mut hash = String::with_capacity(algorithm.len() + HASH_DIGITS);
    hash.push_str(text(algorithm));
    for byte in bytes {
        hash.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    hash
}

impl FromIterator<ManifestEntry> for FileList {
    fn from_iter<I: IntoIterator<Item = ManifestEntry>>(entries: I) -> Self {
        let mut list = Self::default();
        entries.into_iter().for_each(|entry| list.push(&entry));
        list
    }
}

impl Serialize for FileList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FileList {
    /// Reads a list of [`ManifestEntry`], one after the other. The digits of hashes become small letters.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = FileList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of files")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<FileList, A::Error> {
                let mut list = FileList::default();
                while let Some(mut entry) = entries.next_element::<ManifestEntry>()? {
                    entry.hash.make_ascii_lowercase();
                    list.push(&entry);
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, hash: &str, partial: bool) -> ManifestEntry {
        ManifestEntry {
            path: path.into(),
            size: u64::MAX,
            modified: "2026-11-29T00:00:00Z".into(),
            hash: hash.into(),
            partial,
        }
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let digits = "0123456789abcdef".repeat(4);
        let hashes = [
            "",
            "x",
            "blake3:00",
            &format!("blake3:{digits}"),
            &digits,
            &digits.replace('f', "g"),
            "ä",
            &format!("é{}", &digits[1..]),
        ];
        let mut entries: Vec<_> = hashes.iter().map(|hash| entry("ä/b.csv", hash, false)).collect();
        entries.push(entry("", "", true));
        entries.extend((0..9).map(|number| entry(&"p".repeat(number * 500), &digits, number == 3)));
        let list: FileList = entries.iter().cloned().collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), entries);
        assert_eq!(list.partial_paths().map(str::len).collect::<Vec<_>>(), [0, 1_500]);
        let json = serde_json::to_string(&list).unwrap();
        assert_eq!(json, serde_json::to_string(&entries).unwrap());
        let read: FileList = serde_json::from_str(&json.replace("abcdef\"", "ABCDEF\"")).unwrap();
        assert_eq!(read.entry(3), entries[3]);
    }

    #[test]
    fn lists_are_sorted_and_filtered_by_path() {
        let mut list: FileList = ["b", "a", "ab", "A"].iter().map(|path| entry(path, path, false)).collect();
        list.sort();
        assert_eq!(list.paths().collect::<Vec<_>>(), ["A", "a", "ab", "b"]);
        assert_eq!(list.entry(2), entry("ab", "ab", false));
        assert_eq!((list.find("ab"), list.find("B")), (Some(entry("ab", "ab", false)), None));
        list.retain(|path| path.starts_with('a'));
        assert_eq!(list.iter().map(|entry| entry.hash).collect::<Vec<_>>(), ["a", "ab"]);
    }

    #[test]
    fn clones_share_what_they_hold() {
        let list: FileList = (0..50_000).map(|number| entry(&format!("{number:05}"), "h", false)).collect();
        let mut other = list.clone();
        other.retain(|_| true);
        assert!(Arc::ptr_eq(&list.files, &other.files));
        other.push(&entry("z", "h", false));
        let shared = list.blocks.iter().zip(&other.blocks).filter(|(one, other)| Arc::ptr_eq(one, other)).count();
        assert_eq!((shared, list.len(), other.len()), (list.blocks.len() - 1, 50_000, 50_001));
        assert_eq!((list.contains("z"), other.contains("z")), (false, true));
    }

    #[test]
    fn texts_that_nobody_asks_for_are_let_go() {
        let mut list: FileList = (0..50_000).map(|number| entry(&format!("{number:05}"), "h", number == 9)).collect();
        let whole = list.clone();
        list.keep_texts(|number| number > 49_000);
        let kept = list.blocks.iter().filter(|block| !block.is_empty()).count();
        assert!(kept < list.blocks.len() - 1, "{kept} of {}", list.blocks.len());
        assert_eq!((list.path(9), list.entry(49_999), list.len()), ("00009", whole.entry(49_999), 50_000));
        assert_eq!((whole.path(20_000), list.partial_paths().count()), ("20000", 1));
    }

    #[test]
    fn a_file_takes_little_more_than_its_texts() {
        let hash = format!("blake3:{}", "0f".repeat(32));
        let list: FileList =
            (0..10_000).map(|number| entry(&format!("folder/{number:05}.csv"), &hash, false)).collect();
        let held =
            list.blocks.iter().map(|block| block.capacity()).sum::<usize>() + list.files.len() * size_of::<Place>();
        assert!(held < 10_000 * 110 + 2 * BLOCK_BYTES, "{held}");
    }
}
