//! Compares the survey with the plainest possible statement of its rule, however the bytes arrive.

use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;

use super::*;

fn findings(slices: &[&[u8]], declared: Option<&'static Encoding>) -> Findings {
    let mut survey = Survey::new(declared.map(Charset::Web), Some(b'"'));
    slices.iter().for_each(|slice| survey.update(slice));
    survey.finish()
}

#[test]
fn encoding_and_line_ends() {
    let check = |bytes: &[u8], declared, encoding: &'static Encoding, bom_len, line_end| {
        let found = findings(&[bytes], declared);
        assert_eq!((found.encoding, found.bom_len, found.line_end), (encoding.into(), bom_len, line_end), "{bytes:?}");
        assert_eq!(findings(&bytes.chunks(1).collect::<Vec<_>>(), declared), found, "{bytes:?} byte by byte");
    };
    check(b"", None, UTF_8, 0, LineEnd::Lf);
    check(b"a", None, UTF_8, 0, LineEnd::Lf);
    check(b"a\r", None, UTF_8, 0, LineEnd::Cr);
    check(b"a\rb\n", None, UTF_8, 0, LineEnd::Cr);
    check(b"a\nb\rc\r", None, UTF_8, 0, LineEnd::Lf);
    check(b"a\r\r\nb\r", None, UTF_8, 0, LineEnd::Lf);
    check(b"\"a\"\"\r\",b\nc\r", None, UTF_8, 0, LineEnd::Lf);
    check(b"\"a\n\",b\rc\n", None, UTF_8, 0, LineEnd::Cr);
    check(b"a\r\nb\r", None, UTF_8, 0, LineEnd::Lf);
    check(b"a\rb", None, UTF_8, 0, LineEnd::Cr);
    check(b"\xef\xbb\xbfa\n", None, UTF_8, 3, LineEnd::Lf);
    check(b"\xef\xbb\xbf\xff\n", None, UTF_8, 3, LineEnd::Lf);
    check(b"\xef\xbb\xbfa\n", Some(WINDOWS_1252), WINDOWS_1252, 3, LineEnd::Lf);
    check(b"\xff\xfea\0\n\0", None, UTF_16LE, 2, LineEnd::Lf);
    check(b"\xfe\xff\0a\0\n", None, UTF_16BE, 2, LineEnd::Lf);
    // U+0A41 and U+410A hold the byte 0A, but are no line ends.
    check(b"\xff\xfe\x41\x0a\x0a\x41\r\0a\0\n\0", None, UTF_16LE, 2, LineEnd::Cr);
    check(b"a\0\n\0", None, UTF_16LE, 0, LineEnd::Lf);
    check(b"\0a\0\r\0b", None, UTF_16BE, 0, LineEnd::Cr);
    check(b"a\0\n\0", Some(WINDOWS_1252), WINDOWS_1252, 0, LineEnd::Lf);
    check(b"caf\xe9\ncaf\xe8\n", None, WINDOWS_1252, 0, LineEnd::Lf);
    check(b"caf\xe9", None, WINDOWS_1252, 0, LineEnd::Lf);
    check(b"caf\xe9", Some(SHIFT_JIS), SHIFT_JIS, 0, LineEnd::Lf);
    // A few broken bytes beside UTF-8.
    check(b"K\xc3\xa4se\nTee\nM\xc3\xbcsli\n\xc3\xa4\xe4x\n", None, WINDOWS_1252, 0, LineEnd::Lf);
    check(b"K\xc3\xa4se\nTee\nM\xc3\xbcsli\nGr\xc3\xb6\xc3\xe9\n", None, WINDOWS_1252, 0, LineEnd::Lf);
    let (japanese, ..) = SHIFT_JIS.encode("商品,名前\n一,これは日本語の説明です\n");
    check(&japanese, None, SHIFT_JIS, 0, LineEnd::Lf);
}

#[test]
fn nine_in_ten_lines_make_utf_8() {
    let check = |good: usize, bad: usize, line_end: &str, expect| {
        let good = format!("caf\u{e9}{line_end}plain{line_end}").repeat(good).into_bytes();
        let bad = [b"caf\xe9", line_end.as_bytes()].concat().repeat(bad);
        assert_eq!(findings(&[&good, &bad], None).encoding, Charset::Web(expect));
        assert_eq!(findings(&[&bad, &good], None).encoding, Charset::Web(expect));
    };
    for line_end in ["\n", "\r\n", "\r"] {
        check(9, 1, line_end, UTF_8);
        check(8, 1, line_end, WINDOWS_1252);
        check(18, 2, line_end, UTF_8);
        check(0, 1, line_end, WINDOWS_1252);
    }
}

#[test]
fn evidence() {
    let check = |bytes: &[u8], declared, evidence, keeps_utf8| {
        let found = findings(&[bytes], declared);
        assert_eq!((found.evidence, found.keeps_utf8), (evidence, keeps_utf8), "{bytes:?}");
    };
    let guessed = |lines| Evidence::Guessed { lines, confident: false };
    check(b"a\n", None, Evidence::Utf8, false);
    check(b"a\n", Some(SHIFT_JIS), Evidence::Set, false);
    check(b"\xef\xbb\xbfa\n", None, Evidence::Marked, false);
    check(b"a\0\n\0", None, Evidence::Utf16, false);
    check(b"caf\xe9\nx\ncaf\xe9\n", None, guessed(2), false);
    check(b"caf\xc3\xa9\nx\ncaf\xe9\n", None, guessed(1), true);
    // One damaged line beside one good line of each encoding.
    check(b"caf\xc3\xa9\ncaf\xc3\xa9 caf\xe9\ncaf\xe9", None, guessed(2), true);
    // Capitals in windows-1250 that happen to be valid UTF-8.
    check(b"P\xd3\xa3KA\n\xaf\xd3\xa3TA P\xd3\xa3KA\nBIA\xa3A\n", None, guessed(2), false);
}

/// The rule of docs/reference/csv-rules.md#encoding, stated as plainly as possible.
fn is_utf8(bytes: &[u8]) -> bool {
    let line_end = if ends_in_lf(bytes) { b'\n' } else { b'\r' };
    let lines = bytes.split(|byte| *byte == line_end).filter(|line| !line.is_ascii());
    let (good, bad): (Vec<_>, Vec<_>) = lines.partition(|line| std::str::from_utf8(line).is_ok());
    good.len() >= 9 * bad.len()
}

/// Whether the first run of line ends outside quotes contains an LF, or there is no line end.
fn ends_in_lf(bytes: &[u8]) -> bool {
    let mut quoted = false;
    let mut ends = bytes.iter().skip_while(|byte| {
        quoted ^= **byte == b'"';
        quoted || !b"\r\n".contains(byte)
    });
    match ends.next() {
        Some(b'\r') => ends.find(|byte| **byte != b'\r') == Some(&b'\n'),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rule_holds_however_the_bytes_arrive(
        pieces in prop::collection::vec(
            prop::sample::select(vec!["a", "\n", "\r", "é", "€\n", "é\n", "😀\n", "é\r"]), 3..60),
        bad in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        slice in 1..9usize
    ) {
        let mut bytes = pieces.concat().into_bytes();
        for (at, byte) in bad {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        // NUL bytes at the right places are UTF-16.
        prop_assume!(Encoding::for_bom(&bytes).is_none() && !bytes.contains(&0));
        let slices: Vec<_> = bytes.chunks(slice).collect();
        let found = findings(&slices, None);
        prop_assert_eq!(found.encoding == Charset::UTF_8, is_utf8(&bytes));
        prop_assert_eq!(found.line_end == LineEnd::Lf, ends_in_lf(&bytes));
    }
}
