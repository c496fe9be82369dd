//! Words for nothing. They count only where a report needs a number, so no text is lost by them.

/// The words of databases, spreadsheets and statistics programs for a missing number, in small letters: those of pandas,
/// and more.
const NULL_WORDS: [&[u8]; 18] = [
    b"null",
    b"(null)",
    b"na",
    b"n/a",
    b"#n/a",
    b"#na",
    b"#n/a n/a",
    b"<na>",
    b"nan",
    b"-nan",
    b"1.#ind",
    b"-1.#ind",
    b"1.#qnan",
    b"-1.#qnan",
    b"none",
    b"nil",
    b"-",
    b"--",
];
/// The same for words whose case matters, and for signs beyond ASCII.
const EXACT_NULL_WORDS: [&str; 7] = ["\\N", "\u{2212}", "\u{2013}", "\u{2014}", "\u{2011}", "\u{fe63}", "\u{ff0d}"];
const MAX_WORD_BYTES: usize = 9;

/// Whether a trimmed cell that is not a number stands for nothing.
#[cold]
pub(crate) fn is_null_word(text: &[u8]) -> bool {
    text.len() <= MAX_WORD_BYTES
        && (NULL_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
            || EXACT_NULL_WORDS.iter().any(|word| word.as_bytes() == text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;

    #[test]
    fn a_word_for_nothing_is_never_a_number() {
        for word in NULL_WORDS.into_iter().chain(EXACT_NULL_WORDS.map(str::as_bytes)) {
            assert!(word.len() <= MAX_WORD_BYTES && is_null_word(word), "{word:?}");
            assert!(Number::parse(word).is_none(), "{word:?}");
        }
        assert!([&b"NULL"[..], b"NaN", b"N/A", b"None"].into_iter().all(is_null_word));
        assert!(![&b"\\n"[..], b"inf", b"0", b"x", b".", b"?", b"#DIV/0!", b"n / a"].into_iter().any(is_null_word));
    }
}
