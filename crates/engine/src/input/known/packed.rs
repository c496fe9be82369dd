//! A file in few bytes: numbers of seven bits a byte, hashes as bytes, a time as a number, and texts that many files share once for all.

use chrono::DateTime;
use tributary_protocol::{pack_hash, unpack_hash};
use tributary_store::{FileRow, FileState};

use crate::clock;

/// Texts that are shared, and their greatest length: more would be found slowly, and no file lets go of one.
const MAX_WORDS: usize = 120;
const MAX_WORD_BYTES: usize = 4 << 10;
/// Bytes of a hash that is held as bytes, its algorithm aside.
const HASH_BYTES: usize = 32;

/// The first number of a text: none, a hash, a time; then as many as there may be words; the others are lengths.
const NONE: u64 = 0;
const HASH: u64 = 1;
const TIME: u64 = 2;
const FIRST_WORD: u64 = 3;
const FIRST_LENGTH: u64 = FIRST_WORD + MAX_WORDS as u64;

/// Texts that files share.
#[derive(Debug, Clone, Default)]
pub(super) struct Words(Vec<Box<str>>);

impl Words {
    /// The number of a word, which is added if there is room.
    fn number(&mut self, word: &str) -> Option<u64> {
        let known = self.0.iter().position(|known| **known == *word);
        let has_room = self.0.len() < MAX_WORDS && word.len() <= MAX_WORD_BYTES;
        if known.is_none() && has_room {
            self.0.push(word.into());
        }
        known.or(has_room.then(|| self.0.len() - 1)).map(|number| number as u64)
    }
}

/// Packs a row. A field that is added to rows has to be added here: [`KnownFile::row`] does not compile without it.
pub(super) fn pack(row: &FileRow, words: &mut Words) -> Vec<u8> {
    let FileRow { id, reader, source_id, path, hash, reading, rank_key, size_bytes, row_count, .. } = row;
    let FileRow { results, unused, rejects, repaired, notes, state, rejected_hash, .. } = row;
    let FileRow { rejected_reading, rejected_reason, applied_at, format, rejected_header, .. } = row;
    let state = STATES.iter().position(|other| other == state).unwrap_or_default() as i64;
    let mut out = Packer { bytes: Vec::with_capacity(256), words };
    out.inline(path);
    for number in [*id, *source_id, *size_bytes, *row_count, *results, *unused, *rejects, *repaired, state] {
        out.number(number.cast_unsigned());
    }
    let texts = [Some(reader), Some(rank_key), hash.as_ref(), reading.as_ref(), notes.as_ref()];
    let rejected = [rejected_hash, rejected_reading, rejected_reason].map(Option::as_ref);
    let accepted = [applied_at, format, rejected_header].map(Option::as_ref);
    for (place, text) in texts.into_iter().chain(rejected).chain(accepted).enumerate() {
        out.text(text.map(String::as_str), SHARED.contains(&place));
    }
    out.bytes
}

/// The path of a packed file. Files are ordered by it.
pub(super) fn path(mut packed: &[u8]) -> &[u8] {
    let length = take(&mut packed) as usize;
    packed.get(..length).unwrap_or_default()
}

/// The fields of a packed file, of which the shared ones are among `words`.
pub(super) fn open<'a>(packed: &'a [u8], words: &'a Words) -> KnownFile<'a> {
    let mut rest = Unpacker { rest: packed, words };
    let path = rest.inline();
    let (mut numbers, mut texts) = ([0; 9], [Text::None; 11]);
    numbers.fill_with(|| rest.number().cast_signed());
    texts.fill_with(|| rest.text());
    KnownFile { path, numbers, texts }
}

const STATES: [FileState; 3] = [FileState::Applied, FileState::Rejected, FileState::Changing];

/// Places of texts that many files have in common: reader, reading, notes, rejected reading, the moment when they were applied, format.
const SHARED: [usize; 6] = [0, 3, 4, 6, 8, 9];

/// A text of a packed file.
#[derive(Debug, Clone, Copy)]
enum Text<'a> {
    None,
    Plain(&'a str),
    /// Its algorithm and its bytes.
    Hash(&'a str, &'a [u8]),
    /// Milliseconds since 1970.
    Time(i64),
}

impl Text<'_> {
    fn to_text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Plain(text) => Some(text.to_owned()),
            Self::Hash(algorithm, bytes) => Some(unpack_hash(&[algorithm.as_bytes(), bytes].concat())),
            Self::Time(time) => Some(clock::text(DateTime::from_timestamp_millis(time).unwrap_or_default())),
        }
    }
}

/// A file as it is packed. Nothing of it is copied until it is asked for.
pub(crate) struct KnownFile<'a> {
    path: &'a str,
    numbers: [i64; 9],
    texts: [Text<'a>; 11],
}

impl KnownFile<'_> {
    pub(crate) fn state(&self) -> FileState {
        STATES[usize::try_from(self.numbers[8]).unwrap_or_default()]
    }

    pub(super) fn rejects(&self) -> u64 {
        self.numbers[6].unsigned_abs()
    }

    pub(crate) fn rank_key(&self) -> String {
        self.texts[1].to_text().unwrap_or_default()
    }

    /// Hash and reading of the accepted content.
    pub(crate) fn accepted(&self) -> (Option<String>, Option<String>) {
        (self.texts[2].to_text(), self.texts[3].to_text())
    }

    /// Hash and reading of the latest content, if that was rejected.
    pub(crate) fn rejected(&self) -> (Option<String>, Option<String>) {
        (self.texts[5].to_text(), self.texts[6].to_text())
    }

    /// The row of the file.
    pub(crate) fn row(&self) -> FileRow {
        let [id, source_id, size_bytes, row_count, results, unused, rejects, repaired, _] = self.numbers;
        let [reader, rank_key, hash, reading, notes, rejected @ .., applied_at, format, rejected_header] =
            self.texts.map(Text::to_text);
        let [rejected_hash, rejected_reading, rejected_reason] = rejected;
        let (path, state) = (self.path.to_owned(), self.state());
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

struct Packer<'a> {
    bytes: Vec<u8>,
    words: &'a mut Words,
}

impl Packer<'_> {
    /// Appends a number, seven bits a byte: most are small.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn inline(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, text: Option<&str>, is_shared: bool) {
        let Some(text) = text else { return self.number(NONE) };
        if is_shared && self.word(text) {
            return;
        }
        if let Some((algorithm, digits)) = pack_hash(text).as_deref().map(|hash| hash.split_at(hash.len() - HASH_BYTES))
        {
            self.number(HASH);
            let algorithm = str::from_utf8(algorithm).unwrap_or_default();
            if !self.word(algorithm) {
                self.plain(algorithm);
            }
            return self.bytes.extend_from_slice(digits);
        }
        match time(text) {
            Some(time) => {
                self.number(TIME);
                self.number(time.cast_unsigned());
            }
            None => self.plain(text),
        }
    }

    fn plain(&mut self, text: &str) {
        self.number(FIRST_LENGTH + text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a shared text, if it is one or can be.
    fn word(&mut self, text: &str) -> bool {
        let word = self.words.number(text);
        word.into_iter().for_each(|word| self.number(FIRST_WORD + word));
        word.is_some()
    }
}

/// A time in milliseconds since 1970, if that gives the same text again.
fn time(text: &str) -> Option<i64> {
    // Most texts are none, and this is asked a million times.
    let is_one = text.len() == "1970-01-01T00:00:00.000Z".len() && text.ends_with('Z');
    let time = if is_one { DateTime::parse_from_rfc3339(text).ok()?.to_utc() } else { return None };
    (clock::text(time) == text).then(|| time.timestamp_millis())
}

struct Unpacker<'a> {
    rest: &'a [u8],
    words: &'a Words,
}

impl<'a> Unpacker<'a> {
    fn number(&mut self) -> u64 {
        take(&mut self.rest)
    }

    fn inline(&mut self) -> &'a str {
        let length = self.number();
        self.str(length)
    }

    fn text(&mut self) -> Text<'a> {
        match self.number() {
            NONE => Text::None,
            HASH => {
                let Text::Plain(algorithm) = self.text() else { return Text::None };
                Text::Hash(algorithm, self.bytes(HASH_BYTES))
            }
            TIME => Text::Time(self.number().cast_signed()),
            number @ FIRST_WORD..FIRST_LENGTH => {
                Text::Plain(self.words.0.get((number - FIRST_WORD) as usize).map_or("", |word| word))
            }
            length => Text::Plain(self.str(length - FIRST_LENGTH)),
        }
    }

    fn str(&mut self, length: u64) -> &'a str {
        str::from_utf8(self.bytes(length as usize)).unwrap_or_default()
    }

    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        bytes
    }
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
