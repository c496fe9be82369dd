//! Guesses for texts in many languages, from a single line to a hundred.

mod texts;

use super::*;
use texts::TEXTS;

/// Lines as bytes.
type Lines = Vec<Vec<u8>>;

fn guess(lines: &Lines) -> Guess {
    let mut guesser = Guesser::default();
    lines.iter().filter(|line| !line.is_ascii()).for_each(|line| guesser.feed(line));
    guesser.finish(false)
}

fn encoding(label: &str) -> &'static Encoding {
    Encoding::for_label(label.as_bytes()).expect("a known label")
}

/// `count` lines of a text from line `start` on, over and over.
fn lines(text: &[&str], label: &str, start: usize, count: usize) -> Lines {
    let line = |text: &&str| {
        let (bytes, _, lossy) = encoding(label).encode(text);
        assert!(!lossy, "{text} cannot be written in {label}");
        [b"123;", &*bytes, b"\n"].concat()
    };
    text.iter().cycle().skip(start).take(count).map(line).collect()
}

/// Whether the lines of all starts read as they were written. Encodings often agree about a text.
fn right_starts(text: &[&str], label: &str, count: usize) -> usize {
    let is_right = |start: &usize| {
        let lines = lines(text, label, *start, count);
        let found = guess(&lines).encoding;
        lines.iter().all(|line| {
            found.decode_without_bom_handling(line).0 == encoding(label).decode_without_bom_handling(line).0
        })
    };
    (0..text.len()).filter(is_right).count()
}

#[test]
fn texts_of_a_few_lines_are_read_right() {
    for (language, label, text) in TEXTS {
        for count in [3, 10, 100] {
            let right = right_starts(text, label, count);
            // Three short lines of Latvian, seen as windows-1252, could be French.
            let expect = if *language == "Latvian" && count == 3 { 4 } else { 10 };
            assert!(right >= expect, "{right} of 10 texts of {count} lines in {language}, {label}");
        }
    }
}

#[test]
fn most_single_lines_are_read_right() {
    let mut total = 0;
    for (language, label, text) in TEXTS {
        let right = right_starts(text, label, 1);
        let expect = if *label == "windows-1252" { 10 } else { 4 };
        assert!(right >= expect, "{right} of 10 single lines in {language}, {label}");
        total += right;
    }
    assert!(total * 100 >= TEXTS.len() * 10 * 91, "{total} of {} lines", TEXTS.len() * 10);
}

#[test]
fn little_evidence_is_windows_1252() {
    let check = |line: &[u8], expect: &str| assert_eq!(guess(&vec![line.to_vec()]).encoding.name(), expect, "{line:?}");
    check(b"Brix\x99 tower", "windows-1252");
    check(b"Nordwool\xae socks", "windows-1252");
    check(b"Baker\x92s dozen", "windows-1252");
    check(b"-20 to 50 \xb0C", "windows-1252");
    check(b"Gift card;20 \x80", "windows-1252");
    check(b"Pipe \xbd inch", "windows-1252");
    check(b"\xd8 20 mm ring", "windows-1252");
    check(b"na\xefve", "windows-1252");
    check(b"Pipe \xbd inch\n\xd8 20 mm ring\nna\xefve", "windows-1252");
    check(b"Chair \x85 soft, \x93oak\x94 \x96", "windows-1252");
    check(b"10 \xd7 20 m\xb2, \xb15 \xb5m", "windows-1252");
    check(b"\xbfQu\xe9? 1.\xba", "windows-1252");
    check(b"Kinos\xe4le;Sitzpl\xe4tze", "windows-1252");
    check(b"\xabCAF\xc9\xbb", "windows-1252");
    check(b"\x8cruba;\xbf\xf3\xb3ta", "windows-1250");
    check(b"ma\xb3a", "windows-1250");
    check(b"Gw\xf3\x9fd\x9f", "windows-1250");
}

#[test]
fn confidence_takes_words() {
    let check = |label: &str, count, expect| {
        let (_, _, text) = TEXTS.iter().find(|(language, ..)| *language == label).expect("a text");
        assert_eq!(guess(&lines(text, "windows-1252", 0, count)).confident, expect, "{label}, {count} lines");
    };
    check("German", 1, false);
    check("German", 10, true);
    check("German", 100, true);
    check("English", 1, false);
}

#[test]
fn a_few_loanwords_are_windows_1252() {
    let (_, label, text) = TEXTS[0];
    for first in 0..text.len() {
        for second in 0..text.len() {
            for third in 0..text.len() {
                let some = [text[first], text[second], text[third]];
                assert_eq!(guess(&lines(&some, label, 0, 3)).encoding.name(), label, "{some:?}");
            }
        }
    }
}
