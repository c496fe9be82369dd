//! Files that are not UTF-8, or not all of it.

use encoding_rs::{GB18030, SHIFT_JIS};
use tributary_csv_gate::Settings;

use crate::{check, open};

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

fn encoded_as(encoding: &str) -> Settings {
    Settings { encoding: Some(encoding.into()), ..Settings::default() }
}

#[track_caller]
fn check_encoding(bytes: &[u8], settings: &Settings, expect: &str) {
    assert_eq!(open("a.csv", bytes, settings).expect("the gate accepts this file").dialect().encoding, expect);
}

#[test]
fn byte_order_marks() {
    let text = "a;b\r\n1;caf\u{e9}\r\n2;\"\u{1f600}\nx\"\r\n";
    let rows = [(2, "1|caf\u{e9}"), (3, "2|\u{1f600}\nx")];
    for bytes in [utf16(text, false), utf16(text, true), [b"\xef\xbb\xbf", text.as_bytes()].concat()] {
        check(bytes, &Settings::default(), "a|b", &rows, &[]);
    }
    check_encoding(&utf16(text, false), &Settings::default(), "UTF-16LE");
    check_encoding(&utf16(text, true), &Settings::default(), "UTF-16BE");
}

#[test]
fn a_set_encoding_overrides_the_byte_order_mark_which_is_still_not_text() {
    check(b"\xef\xbb\xbfa,b\n1,caf\xe9\n", &encoded_as("latin1"), "a|b", &[(2, "1|caf\u{e9}")], &[]);
    check_encoding(b"\xef\xbb\xbfa,b\n", &encoded_as("latin1"), "windows-1252");
}

#[test]
fn guessed_encodings() {
    let french = b"sku,name\n1,caf\xe9 cr\xe8me\n2,g\xe2teau\n3,plain\n";
    check(french, &Settings::default(), "sku|name", &[(2, "1|café crème"), (3, "2|gâteau"), (4, "3|plain")], &[]);
    check_encoding(french, &Settings::default(), "windows-1252");
    let japanese = "番号,名前\n1,これは日本語の説明です\n2,カタカナと漢字\n";
    let (bytes, ..) = SHIFT_JIS.encode(japanese);
    check(&bytes, &Settings::default(), "番号|名前", &[(2, "1|これは日本語の説明です"), (3, "2|カタカナと漢字")], &[]);
    let (bytes, ..) = GB18030.encode("a,b\n1,\u{20ac}中文\n");
    check(&bytes, &encoded_as("gb18030"), "a|b", &[(2, "1|\u{20ac}中文")], &[]);
}

#[test]
fn a_few_bad_lines_do_not_make_a_file_foreign() {
    let mut bytes = "a,b\n".as_bytes().to_vec();
    for _ in 0..9 {
        bytes.extend_from_slice("1,caf\u{e9}\n".as_bytes());
    }
    bytes.extend_from_slice(b"2,caf\xe9\n3,x\n");
    let rows: Vec<_> = (2..11).map(|line| (line, "1|caf\u{e9}")).chain([(12, "3|x")]).collect();
    let reject =
        (11, "bytes that are not valid UTF-8: encoding = … names another encoding of the whole file", "2,caf\u{fffd}");
    check(bytes, &Settings::default(), "a|b", &rows, &[reject]);
}

#[test]
fn lines_of_utf8_are_never_changed_by_their_neighbours() {
    let (good, bad) = ("1,caf\u{e9}\n".as_bytes(), b"2,th\xe9 glac\xe9\n".as_slice());
    for (first, second) in [(good, bad), (bad, good)] {
        let bytes = [b"a,b\n", &first.repeat(10)[..], &second.repeat(10)].concat();
        let row =
            |line| if (line < 12) == (first == good) { (line, "1|caf\u{e9}") } else { (line, "2|th\u{e9} glac\u{e9}") };
        check(bytes, &Settings::default(), "a|b", &(2..22).map(row).collect::<Vec<_>>(), &[]);
    }
    let one_row = [b"a,b\n", good, &bad.repeat(50)[..]].concat();
    let rows: Vec<_> = (3..53).map(|line| (line, "2|th\u{e9} glac\u{e9}")).collect();
    check(one_row, &Settings::default(), "a|b", &[&[(2, "1|caf\u{e9}")], &rows[..]].concat(), &[]);
}

#[test]
fn a_line_of_two_encodings_is_a_reject() {
    let bytes = b"a,b\n1,caf\xc3\xa9\n2,caf\xc3\xa9 caf\xe9\n3,caf\xe9\n";
    let reject = (
        3,
        "bytes that are not valid UTF-8: encoding = … names another encoding of the whole file",
        "2,caf\u{e9} caf\u{fffd}",
    );
    check(bytes, &Settings::default(), "a|b", &[(2, "1|caf\u{e9}"), (4, "3|caf\u{e9}")], &[reject]);
    // In Shift_JIS two bytes of one character may look like UTF-8.
    let (japanese, ..) = SHIFT_JIS.encode("1,これは日本語の説明です\n2,ﾃｽﾄとカタカナと漢字\n");
    let bytes = [b"a,b\n", &japanese[..], "3,説明です\n".as_bytes()].concat();
    let rows = [(2, "1|これは日本語の説明です"), (3, "2|ﾃｽﾄとカタカナと漢字"), (4, "3|説明です")];
    check(bytes, &Settings::default(), "a|b", &rows, &[]);
}

#[test]
fn capitals_that_happen_to_be_utf8_do_not_split_a_file() {
    // windows-1250 for BIAŁA, PÓŁKA and ŻÓŁTA RÓŻA.
    let bytes = b"a,b\n1,BIA\xa3A\n2,P\xd3\xa3KA\n3,\xaf\xd3\xa3TA R\xd3\xafA\n4,bia\xb3a\n";
    let rows = [(2, "1|BIAŁA"), (3, "2|PÓŁKA"), (4, "3|ŻÓŁTA RÓŻA"), (5, "4|biała")];
    check(bytes, &Settings::default(), "a|b", &rows, &[]);
}

#[test]
fn utf16_needs_no_byte_order_mark() {
    for big_endian in [false, true] {
        let bytes = utf16("sku,name\r\n1,caf\u{e9}\r\n2,\u{20ac}\r\n", big_endian);
        check(&bytes[2..], &Settings::default(), "sku|name", &[(2, "1|caf\u{e9}"), (3, "2|\u{20ac}")], &[]);
    }
    // UTF-16 that a shell appended to a file in ASCII.
    let appended = [b"a,b\r\n1,2\r\n", &utf16("3,four\r\n5,6\r\n", false)[2..], b"7,8\r\n"].concat();
    let reject = (3, "NUL byte", "3\u{2400},\u{2400}f\u{2400}o\u{2400}u\u{2400}r\u{2400}\r\u{2400}");
    check(appended, &Settings::default(), "a|b", &[(2, "1|2")], &[reject]);
}

#[test]
fn code_pages_of_dos_and_macs() {
    let row = |bytes: &[u8], label: &str, expect: &str| {
        check([b"a,b\n1,", bytes, b"\n"].concat(), &encoded_as(label), "a|b", &[(2, &format!("1|{expect}"))], &[]);
    };
    row(b"caf\x82 \xe1", "CP437", "café ß");
    row(b"caf\x82 \x9d", "ibm850", "café Ø");
    row(b"\x9d\xa2\xbe\x98", "852", "Łóżś");
    row(b"20 \xd5", "cp858", "20 €");
    row(b"\x8c\xae\xab\xae\xaa\xae", "cp866", "Молоко");
    row(b"caf\x8e", "macintosh", "café");
    check_encoding(b"a,b\n", &encoded_as("cp437"), "IBM437");
}

#[test]
fn malformed_sequences_of_other_encodings_reject_only_their_row() {
    let lone_surrogate =
        [utf16("a,b\n1,", false), vec![0x00, 0xd8], utf16(",\n2,\u{fffd}\n", false)[2..].to_vec()].concat();
    let reject =
        (2, "bytes that are not valid UTF-16LE: encoding = … names another encoding of the whole file", "1,\u{fffd},");
    check(lone_surrogate, &Settings::default(), "a|b", &[(3, "2|\u{fffd}")], &[reject]);
    let cut = [utf16("a,b\n1,2\n3,", false), vec![0x41]].concat();
    check(
        cut,
        &Settings::default(),
        "a|b",
        &[(2, "1|2")],
        &[(
            3,
            "bytes that are not valid UTF-16LE: encoding = … names another encoding of the whole file",
            "3,\u{fffd}",
        )],
    );
    let reject =
        (2, "bytes that are not valid Shift_JIS: encoding = … names another encoding of the whole file", "1,\u{fffd}");
    check(b"a,b\n1,\xfd\n2,3\n", &encoded_as("sjis"), "a|b", &[(3, "2|3")], &[reject]);
    // A longer run of them than any buffer.
    let run = [b"a,b\n1,", &[0xfd; 600_000][..], b"\n2,3\n"].concat();
    let raw = format!("1,{}", "\u{fffd}".repeat(340));
    check(
        run,
        &encoded_as("sjis"),
        "a|b",
        &[(3, "2|3")],
        &[(2, "bytes that are not valid Shift_JIS: encoding = … names another encoding of the whole file", &raw)],
    );
}
