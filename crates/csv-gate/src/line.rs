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
    let is_cut = line.len() >= MAX_JUDGED_BYTES;
    // Without an early exit, the compiler vectorises this loop. Few foreign lines come past it.
    let starts_sequence = |(lead, next): (&u8, &u8)| u8::from(*lead >= 0xc2) & u8::from(*next & 0xc0 == 0x80);
    let may_have_sequence = judged.iter().zip(judged.iter().skip(1)).map(starts_sequence).fold(0, |any, one| any | one);
    if may_have_sequence == 0 && !is_cut {
        return if judged.is_ascii() { LineKind::Ascii } else { LineKind::Foreign };
    }
    match simdutf8::compat::from_utf8(judged) {
        Ok(_) if judged.is_ascii() => LineKind::Ascii,
        Ok(_) => LineKind::Utf8,
        // The last character may be complete in the rest of the line.
        Err(error) if error.error_len().is_none() && is_cut => LineKind::Utf8,
        Err(_) if judged.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) => LineKind::Torn,
        Err(_) => LineKind::Foreign,
    }
}

/// Lines that are judged one by one after an invalid one, because invalid lines come in groups.
const GROUP_LINES: u32 = 16;

/// Splits a text into runs of lines that are treated alike. Validating many lines at once takes a fraction of the time
/// that each line alone would take.
pub(crate) struct Runs {
    line_end: u8,
    /// The number of lines to judge one by one.
    singly: u32,
}

/// The beginning of a text of complete lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Lines of this many bytes that are valid UTF-8.
    Valid(usize),
    /// One line of this many bytes.
    Line(usize, LineKind),
}

impl Runs {
    pub(crate) fn new(line_end: u8) -> Self {
        Self { line_end, singly: 0 }
    }

    /// Splits off the run at the start of `lines`, which are complete and not empty.
    pub(crate) fn next(&mut self, lines: &[u8]) -> Run {
        if self.singly == 0 {
            let Err(error) = simdutf8::compat::from_utf8(lines) else { return Run::Valid(lines.len()) };
            self.singly = GROUP_LINES;
            if let Some(at) = memrchr(self.line_end, &lines[..error.valid_up_to()]) {
                return Run::Valid(at + 1);
            }
        }
        let len = memchr(self.line_end, lines).map_or(lines.len(), |at| at + 1);
        let kind = kind(&lines[..len]);
        self.singly = match kind {
            LineKind::Ascii | LineKind::Utf8 => self.singly - 1,
            LineKind::Foreign | LineKind::Torn => GROUP_LINES,
        };
        Run::Line(len, kind)
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
        let check = |text: &[u8], expect: &[Run]| {
            let (mut runs, mut rest, mut found) = (Runs::new(b'\n'), text, Vec::new());
            while !rest.is_empty() {
                found.push(runs.next(rest));
                let (Run::Valid(len) | Run::Line(len, _)) = found[found.len() - 1];
                rest = &rest[len..];
            }
            assert_eq!(found, expect, "{text:?}");
        };
        check("a\né\n".as_bytes(), &[Run::Valid(5)]);
        check(b"a\n\xe9\nc\n", &[Run::Valid(2), Run::Line(2, LineKind::Foreign), Run::Line(2, LineKind::Ascii)]);
        check(b"\xc3\n\xc3\xa9\n", &[Run::Line(2, LineKind::Foreign), Run::Line(3, LineKind::Utf8)]);
        check(b"b\xe9", &[Run::Line(2, LineKind::Foreign)]);
        let lines = [b"\xe9\n", &b"a\n".repeat(20)[..]].concat();
        let mut singly = vec![Run::Line(2, LineKind::Foreign)];
        singly.extend((0..16).map(|_| Run::Line(2, LineKind::Ascii)));
        singly.push(Run::Valid(8));
        check(&lines, &singly);
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
