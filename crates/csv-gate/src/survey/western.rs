//! Judges whether a few words read well as windows-1252. A detector of encodings compares frequencies of letters, and a
//! single `Ø 20 mm` or `naïve` has none: whatever it answers is chance, and windows-1252 is far more common than the
//! rest.

use std::collections::BTreeSet;

use encoding_rs::WINDOWS_1252;

/// Words up to which windows-1252 may be assumed against the detector, which is rarely wrong about more.
const FEW_WORDS: usize = 4;
/// Words from which a guess counts as confident.
const MANY_WORDS: usize = 8;
/// Most non-ASCII bytes in a row that are broken characters rather than text.
const LONGEST_BROKEN_RUN: usize = 4;
/// Most bytes of a word: a longer one is not a word.
const MAX_WORD_BYTES: usize = 64;

/// The accented letters of languages that are written in windows-1252. Icelandic is missing: its own letters have the
/// bytes of Turkish ones in windows-1254, which are far more common.
const ALPHABETS: [&str; 7] = [
    "àâæçéèêëîïôœùûüÿ", // French
    "áéíóúüñçàèòï",     // Spanish and Catalan
    "áâãàçéêíóôõúü",    // Portuguese
    "àèéìíòóùúî",       // Italian
    "äöüßéèàáê",        // German
    "åäöæøéèêôòóàü",    // Scandinavian languages and Finnish
    "ëïéèöüóáêâäîôûçà", // Dutch
];

/// The letters of Hungarian in windows-1250, as windows-1252 shows them: `ő` is `õ` and `ű` is `û`.
const HUNGARIAN: &str = "áéíóöõúüû";

/// Signs that have the same byte in most other encodings, or that often stand inside a word.
const NEUTRAL_SIGNS: &str = "…‘’“”„–—™\u{a0}©®\u{ad}«»°µ·‹›†‡•§¶±²×÷";
/// Signs that do not stand before a lower-case letter. In windows-1250 they are letters.
const FINAL_SIGNS: &str = "£¯³¹";
/// Signs that do not stand behind a letter.
const INITIAL_SIGNS: &str = "¿¡";

/// The evidence for and against windows-1252.
#[derive(Default)]
pub(super) struct Western {
    /// Distinct words with a non-ASCII letter, no more than are needed.
    words: BTreeSet<String>,
    /// The non-ASCII letters in them, in lower case.
    letters: BTreeSet<char>,
    /// Whether some word cannot be windows-1252.
    is_odd: bool,
    /// The most non-ASCII bytes in a row.
    longest_run: usize,
}

impl Western {
    pub(super) fn feed(&mut self, line: &[u8]) {
        if self.words.len() >= MANY_WORDS {
            return;
        }
        for word in line.split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()).filter(|word| !word.is_ascii()) {
            self.word(&word[..word.len().min(MAX_WORD_BYTES)]);
        }
    }

    /// Whether windows-1252 explains every word, and there are too few of them to tell more.
    pub(super) fn explains_few_words(&self) -> bool {
        self.has_few_words() && self.is_plausible()
    }

    fn has_few_words(&self) -> bool {
        self.words.len() <= FEW_WORDS
    }

    /// Whether there are too few non-ASCII bytes to be words of an encoding with several bytes to a character.
    pub(super) fn is_single_bytes(&self) -> bool {
        self.has_few_words() && self.longest_run <= LONGEST_BROKEN_RUN
    }

    /// Whether the words are of a language that is written in windows-1252.
    pub(super) fn is_plausible(&self) -> bool {
        !self.is_odd && ALPHABETS.iter().any(|alphabet| self.letters.iter().all(|letter| alphabet.contains(*letter)))
    }

    /// Whether the words look like Hungarian, of which detectors know little: most of its letters are the same in
    /// windows-1252.
    pub(super) fn is_hungarian(&self) -> bool {
        let any = |letters: &str| self.letters.iter().any(|letter| letters.contains(*letter));
        let all = self.letters.iter().all(|letter| HUNGARIAN.contains(*letter));
        all && any("õû") && any("áéíóú") && !self.is_plausible()
    }

    pub(super) fn has_many_words(&self) -> bool {
        self.words.len() >= MANY_WORDS
    }

    fn word(&mut self, bytes: &[u8]) {
        let (word, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        self.is_odd |= is_odd(&word);
        let run = bytes.split(u8::is_ascii).map(<[u8]>::len).max().unwrap_or(0);
        self.longest_run = self.longest_run.max(run);
        let letters: Vec<_> = word.chars().filter(|c| !c.is_ascii() && is_letter(*c)).collect();
        // Alone it is the sign of a diameter.
        if !letters.is_empty() && !["Ø", "ø"].contains(&&*word) {
            self.letters.extend(letters.iter().flat_map(|c| c.to_lowercase()));
            self.words.insert(word.into_owned());
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !"ªºµˆƒ".contains(c)
}

/// Whether a word has letters and signs in places where no Western language has them.
fn is_odd(word: &str) -> bool {
    let chars: Vec<_> = word.chars().collect();
    let undefined = chars.iter().any(|c| ('\u{80}'..='\u{9f}').contains(c));
    let foreign_run = chars.windows(3).any(|three| three.iter().all(|c| !c.is_ascii() && is_letter(*c)));
    let odd_place = |at: usize| {
        let before = at.checked_sub(1).map(|at| chars[at]).filter(|c| is_letter(*c));
        let behind = chars.get(at + 1).copied().filter(|c| is_letter(*c));
        is_odd_between(before, chars[at], behind)
    };
    undefined || foreign_run || (0..chars.len()).any(odd_place)
}

fn is_odd_between(before: Option<char>, c: char, behind: Option<char>) -> bool {
    if c.is_ascii() || NEUTRAL_SIGNS.contains(c) {
        return false;
    }
    if is_letter(c) {
        return is_odd_letter(before, c, behind);
    }
    match (before, behind) {
        (Some(_), Some(_)) => true,
        (Some(_), None) => INITIAL_SIGNS.contains(c),
        (None, Some(behind)) => FINAL_SIGNS.contains(c) && behind.is_lowercase(),
        (None, None) => false,
    }
}

/// Whether a letter has neighbours that it never has in a language of windows-1252. In other encodings its byte is a
/// letter of another kind, such as `ē` for `ç`.
fn is_odd_letter(before: Option<char>, c: char, behind: Option<char>) -> bool {
    let is_lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
    let is_consonant = |c: Option<char>| c.is_some_and(|c| c.is_ascii() && !"aeiouyAEIOUY".contains(c));
    match c {
        'ç' => is_consonant(behind) || behind.is_some_and(|c| "ei".contains(c)),
        'ë' | 'ï' => is_consonant(before),
        'ì' | 'ù' => behind.is_some(),
        'ã' | 'õ' => is_consonant(behind) && behind != Some('s'),
        _ => c.is_uppercase() && is_lower(before) && (is_lower(behind) || behind.is_none()),
    }
}
