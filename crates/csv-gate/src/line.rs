//! Tells the encoding of a single line: UTF-8, another one, or a mixture of both. The survey counts lines by these
//! rules, and the decoder decodes by them, so both always agree.

use memchr::{memchr, memrchr};

/// Bytes by which a line is judged. They bound the memory that a line takes, and a longer line is over every usual
/// limit of a record anyway.
pub(crate) const MAX_JUDGED_BYTES: usize = 4 << 20;

/// The encoding of a line, judged by its own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// The same in every encoding that the survey knows.
    Ascii,
    /// Valid UTF-8 with multi-byte sequences.
    Utf8,
    /// Not UTF-8: none of its non-ASCII bytes form a valid sequence.
    Foreign,
    /// Valid sequences as well as invalid bytes.
    Torn,
}

/// Judges a line, with or without its line end.
pub(crate) fn kind(line: &[u8]) -> LineKind {
    let judged = &line[..line.len().min(MAX_JUDGED_BYTES)];
    if judged.is_ascii() {
        return LineKind::Ascii;
    }
    match simdutf8::compat::from_utf8(judged) {
        Ok(_) => LineKind::Utf8,
        // The last character may be complete in the rest of the line.
        Err(error) if error.error_len().is_none() && line.len() >= MAX_JUDGED_BYTES => LineKind::Utf8,
        Err(_) if has_sequence(judged) => LineKind::Torn,
        Err(_) => LineKind::Foreign,
    }
}

fn has_sequence(line: &[u8]) -> bool {
    // The compiler vectorises this loop, and few foreign lines come past it.
    let may_have = line.iter().zip(&line[1..]).any(|(lead, next)| *lead >= 0xc2 && *next & 0xc0 == 0x80);
    may_have && line.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

/// The beginning of a text of complete lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Lines of this many bytes that are valid UTF-8.
    Valid(usize),
    /// One line of this many bytes that is not.
    Invalid(usize),
}

/// Splits off as many lines of valid UTF-8 as possible, or else one invalid line. Validating many lines at once takes a
/// fraction of the time that each line alone would take.
pub(crate) fn next_run(lines: &[u8], line_end: u8) -> Run {
    let Err(error) = simdutf8::compat::from_utf8(lines) else { return Run::Valid(lines.len()) };
    match memrchr(line_end, &lines[..error.valid_up_to()]) {
        Some(at) => Run::Valid(at + 1),
        None => Run::Invalid(memchr(line_end, lines).map_or(lines.len(), |at| at + 1)),
    }
}

/// Whether the valid sequences of a line look like bytes of another encoding that form them by chance.
///
/// In the Cyrillic or Thai encodings they touch other non-ASCII bytes, because all letters are non-ASCII. In the Latin
/// ones an accented capital has to come first, so they stand among capitals and give a letter of another script: the
/// windows-1250 bytes of `PÓŁKA` are also `PӣKA` in UTF-8.
pub(crate) fn is_accidental(line: &[u8]) -> bool {
    let judged = &line[..line.len().min(MAX_JUDGED_BYTES)];
    let mut after_invalid = false;
    judged.utf8_chunks().all(|chunk| {
        let before_invalid = !chunk.invalid().is_empty();
        let accidental = runs_are_accidental(chunk.valid(), after_invalid, before_invalid);
        after_invalid = before_invalid;
        accidental
    })
}

/// Judges each run of non-ASCII characters in `text`, which touches invalid bytes at its start or end.
fn runs_are_accidental(text: &str, after_invalid: bool, before_invalid: bool) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
        let (before, found) = rest.split_at(start);
        let end = found.find(|c: char| c.is_ascii()).unwrap_or(found.len());
        let (run, behind) = found.split_at(end);
        let touches_before = before.is_empty() && rest.len() == text.len() && after_invalid;
        let touches_behind = behind.is_empty() && before_invalid;
        let neighbours = [before.bytes().next_back(), behind.bytes().next()];
        if !touches_before && !touches_behind && !is_odd_among_capitals(run, neighbours) {
            return false;
        }
        rest = behind;
    }
    true
}

fn is_odd_among_capitals(run: &str, neighbours: [Option<u8>; 2]) -> bool {
    let any = |test: fn(&u8) -> bool| neighbours.iter().flatten().any(test);
    let is_odd = |c: char| ('\u{180}'..='\u{7ff}').contains(&c) && !c.is_uppercase();
    any(u8::is_ascii_uppercase) && !any(u8::is_ascii_lowercase) && run.chars().all(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_judged_by_their_own_bytes() {
        let check = |line: &[u8], expect| assert_eq!(kind(line), expect, "{line:?}");
        check(b"", LineKind::Ascii);
        check(b"a\0b\n", LineKind::Ascii);
        check("café\n".as_bytes(), LineKind::Utf8);
        check("😀".as_bytes(), LineKind::Utf8);
        check(b"caf\xe9\n", LineKind::Foreign);
        check(b"\xe9", LineKind::Foreign);
        check(b"\xc3\n", LineKind::Foreign);
        check(b"\xe2\x82\n", LineKind::Foreign);
        check(b"caf\xc3\xa9 caf\xe9\n", LineKind::Torn);
        check(b"\xc3\xa9\xc3", LineKind::Torn);
    }

    #[test]
    fn only_the_beginning_of_an_endless_line_counts() {
        let long = [vec![b'x'; MAX_JUDGED_BYTES - 1], "é\u{e9}".as_bytes().to_vec(), vec![0xff]].concat();
        assert_eq!(kind(&long), LineKind::Utf8);
        assert_eq!(kind(&long[1..]), LineKind::Utf8);
        assert_eq!(kind(&long[4..]), LineKind::Torn);
        assert_eq!(kind(&[&[0xff], &long[..]].concat()), LineKind::Foreign);
    }

    #[test]
    fn runs_hold_whole_lines() {
        let check = |lines: &[u8], expect| assert_eq!(next_run(lines, b'\n'), expect, "{lines:?}");
        check(b"", Run::Valid(0));
        check("a\né\n".as_bytes(), Run::Valid(5));
        check(b"a\nb\xe9\nc\n", Run::Valid(2));
        check(b"b\xe9\nc\n", Run::Invalid(3));
        check(b"\xc3\nc\n", Run::Invalid(2));
        check(b"b\xe9", Run::Invalid(2));
    }

    #[test]
    fn accidents_are_told_from_text() {
        let check = |line: &[u8], expect| assert_eq!(is_accidental(line), expect, "{line:?}");
        check("café".as_bytes(), false);
        check("Én, ÉCOLE, CAFÉ, ĐƯỢC".as_bytes(), false);
        check(b"caf\xc3\xa9 caf\xe9", false);
        check("3 kΩ, μm, ș, Молоко".as_bytes(), false);
        // windows-1250, 1252, 1251 with a Ukrainian i, KOI8-R with its ё, Thai.
        check(b"P\xd3\xa3KA", true);
        check(b"PODR\xd3\xaf", true);
        check(b"\xabCAF\xc9\xbb", true);
        check(b"\xc2\xb3\xed\xed\xe8\xf6\xff", true);
        check(b"\xcd\xcf\xa3", true);
        check(b"\xc3\xd2\xc3\xa1", true);
    }
}
