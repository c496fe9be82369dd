//! The words of names and descriptions, stored with a fixed length so that one copy is one instruction.

use crate::buffer::RowBuffer;

/// A word of at most eight letters.
pub(crate) struct Word {
    /// Its letters, then zeros.
    text: [u8; Word::MAX_LETTERS],
    /// The number of letters.
    len: u8,
}

impl Word {
    /// Every copy takes this many bytes, even of a shorter word.
    const MAX_LETTERS: usize = 8;

    const fn new(word: &str) -> Self {
        let (from, mut text, mut at) = (word.as_bytes(), [0; Word::MAX_LETTERS], 0);
        while at < from.len() {
            text[at] = from[at];
            at += 1;
        }
        Self { text, len: at as u8 }
    }

    /// Appends the word.
    #[inline]
    pub(crate) fn put(&self, buffer: &mut RowBuffer) {
        buffer.put_padded(&self.text, self.len);
    }

    const fn capitalized(word: &str) -> Self {
        let mut word = Self::new(word);
        word.text[0] = word.text[0].to_ascii_uppercase();
        word
    }
}

/// Number of words.
const COUNT: usize = 64;

const TEXTS: [&str; COUNT] = [
    "amber", "apple", "arbor", "bench", "birch", "bloom", "brass", "brook", "cable", "cedar", "chalk", "cliff",
    "cloud", "copper", "coral", "crane", "dawn", "delta", "drift", "ember", "fable", "fern", "field", "flint", "forge",
    "frost", "glade", "grain", "grove", "harbor", "hazel", "heron", "iris", "ivory", "jade", "juniper", "kettle",
    "lantern", "larch", "linen", "maple", "marsh", "meadow", "mill", "moss", "oak", "onyx", "orbit", "pearl", "pine",
    "quartz", "reed", "ridge", "river", "saddle", "slate", "spruce", "stone", "thistle", "timber", "vale", "willow",
    "wren", "zephyr",
];

static WORDS: [Word; COUNT] = {
    let mut words = [const { Word::new("") }; COUNT];
    let mut at = 0;
    while at < COUNT {
        words[at] = Word::new(TEXTS[at]);
        at += 1;
    }
    words
};

static CAPITALIZED: [Word; COUNT] = {
    let mut words = [const { Word::new("") }; COUNT];
    let mut at = 0;
    while at < COUNT {
        words[at] = Word::capitalized(TEXTS[at]);
        at += 1;
    }
    words
};

/// Returns the word that the last six bits of a number choose.
#[inline]
pub(crate) fn word(number: u64) -> &'static Word {
    &WORDS[(number % COUNT as u64) as usize]
}

/// Appends the word that the last six bits of a number choose, with a capital letter.
#[inline]
pub(crate) fn put_capitalized(buffer: &mut RowBuffer, number: u64) {
    CAPITALIZED[(number % COUNT as u64) as usize].put(buffer);
}

/// Appends a name of two words and the number itself, so that no two numbers share a name.
#[inline]
pub(crate) fn put_name(buffer: &mut RowBuffer, number: u64) {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = |shift: u64| &CAPITALIZED[((mixed >> shift) % COUNT as u64) as usize];
    word(40).put(buffer);
    buffer.put_byte(b' ');
    word(50).put(buffer);
    buffer.put_byte(b' ');
    buffer.put_number(number);
}
