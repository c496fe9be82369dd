//! Files that are plain, and each reason why others are not. The property over random files is in `tests/plain.rs`.

use super::*;
use crate::{Escapes, Header, Ragged};

fn see(bytes: &[u8], settings: &Settings) -> Result<PlainTable, NotPlain> {
    plain_table("a.csv", bytes.len() as u64, || Ok(bytes), settings, |_| true).expect("memory does not fail")
}

/// A file with these columns and rows is plain.
#[track_caller]
fn check_plain(bytes: impl AsRef<[u8]>, delimiter: u8, columns: &[&str], rows: u64) {
    let shown = String::from_utf8_lossy(bytes.as_ref());
    let found = see(bytes.as_ref(), &Settings::default()).unwrap_or_else(|why| panic!("{shown:?}: {why}"));
    assert_eq!((found.delimiter, found.rows), (delimiter, rows), "{shown:?}");
    assert_eq!(found.columns, columns, "{shown:?}");
    assert!(found.has_header);
}

#[track_caller]
fn check_not(bytes: impl AsRef<[u8]>, settings: &Settings, expect: NotPlain) {
    let shown = String::from_utf8_lossy(bytes.as_ref());
    assert_eq!(see(bytes.as_ref(), settings), Err(expect), "{shown:?}");
}

fn at(line: u64, fault: LineFault) -> NotPlain {
    NotPlain::Line { line, fault }
}

#[test]
fn ordinary_files_are_plain() {
    check_plain("a,b\n1,2\n3,4\n", b',', &["a", "b"], 2);
    check_plain("a,b\r\n1,2\r\n3,4", b',', &["a", "b"], 2);
    check_plain("a;b\n1,5;2\n\"x;y\";\"\"\"\"\n", b';', &["a", "b"], 2);
    check_plain("a\tb\n\u{e9}\t\n", b'\t', &["a", "b"], 1);
    check_plain("\"a\",\" b \"\n1,2\n", b',', &["a", "b"], 1);
    check_plain("a\n1\n\"\"\n", b',', &["a"], 2);
    check_plain("a,b\n", b',', &["a", "b"], 0);
    check_plain("a,b", b',', &["a", "b"], 0);
}

#[test]
fn blocks_and_lines_are_all_compared() {
    let row = "12345,\"text, with a comma\",6.25,\u{2603}\n";
    let many = format!("a,b,c,d\n{}", row.repeat(60_000));
    assert!(many.len() > 4 * BLOCK_BYTES);
    check_plain(&many, b',', &["a", "b", "c", "d"], 60_000);
    let one_bad = format!("{many}1,\"two\nlines\",3,4\n{row}");
    check_not(one_bad, &Settings::default(), at(60_002, LineFault::OpenQuote));
}

#[test]
fn what_readers_read_differently_is_not_plain() {
    let usual = Settings::default();
    let rejects = |rows| NotPlain::Rejects { rows };
    check_not("\u{feff}a,b\n1,2\n", &usual, NotPlain::Encoding);
    check_not(b"a,b\n\xe9,2\n", &usual, NotPlain::Encoding);
    check_not("a,b\n1,2\n\n3,4\n", &usual, at(3, LineFault::Empty));
    check_not("a,b\n1,2\n\n", &usual, at(3, LineFault::Empty));
    check_not("a\n1\n\n3\n", &usual, at(3, LineFault::Empty));
    check_not("a,b\n1,x\ry\n", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,b\r\r\n1,2\r\r\n", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,b\n1,\"x\ny\"\n", &usual, at(2, LineFault::OpenQuote));
    check_not("a,b\n1,x\"y\n", &usual, at(2, LineFault::Quote));
    check_not("a,b\n1,2\n3\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\n1,2\n3,4,5\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\n1,2,\n3,4,\n", &usual, at(2, LineFault::OtherCells));
    check_not("a,b\n1,2\n3,\0\n", &usual, at(3, LineFault::OtherCells));
    check_not("a,b\r\n1,2\n", &usual, NotPlain::LineEnds);
    check_not("a,b\n1,2\r\n3,4", &usual, NotPlain::LineEnds);
    check_not("sep=;\na;b\n1;2\n", &usual, NotPlain::Header);
    check_not("\na,b\n1,2\n", &usual, NotPlain::Header);
    check_not("a,b\n1,2\na,b\n3,4\n", &usual, NotPlain::LeftOut);
    check_not("a,b\n1,2\n\u{1a}", &usual, NotPlain::LeftOut);
    check_not("a,b\r1,2\r", &usual, at(2, LineFault::CarriageReturn));
    check_not("a,'b'\n'1,5',2\n'3,5',4\n'4,5',6\n", &usual, at(2, LineFault::OtherCells));
    check_not("", &usual, NotPlain::Rejected { reason: "no header: the file holds no line that is not empty".into() });
    check_not("a,b\n1,2\n3,\"4\n", &usual, rejects(1));
}

#[test]
fn settings_that_change_cells_make_a_file_special() {
    let null = Settings { null: vec!["NA".into()], ..Settings::default() };
    check_not("a,b\n1,NA\n", &null, at(2, LineFault::OtherCells));
    assert!(see(b"a,b\n1,NAN\n", &null).is_ok(), "a word that does not occur changes nothing");
    let text_cells = Settings { text_cells: true, ..Settings::default() };
    check_not("a,b\n1,'007\n", &text_cells, at(2, LineFault::OtherCells));
    let pads = Settings { ragged: Ragged::Pad, ..Settings::default() };
    check_not("a,b\n1\n", &pads, at(2, LineFault::OtherCells));
    let comment = Settings { comment: Some("#".into()), ..Settings::default() };
    check_not("a,b\n#1,2\n3,4\n", &comment, at(2, LineFault::OtherCells));
    let skips = Settings { skip_rows: 1, ..Settings::default() };
    check_not("x\na,b\n1,2\n", &skips, NotPlain::Header);
    let footer = Settings { skip_footer: 1, ..Settings::default() };
    check_not("a,b\n1,2\n3,4\n", &footer, NotPlain::LeftOut);
    let two = Settings { delimiter: Some("::".into()), ..Settings::default() };
    check_not("a::b\n1::2\n", &two, NotPlain::Delimiter { delimiter: "::".into() });
    let escape = Settings { escape: Some(b'\\'), escapes: Escapes::Dropped, ..Settings::default() };
    check_not("a,b\n1,\"\\x\"\n", &escape, at(2, LineFault::OtherCells));
    let letters = Settings { quote: Some(crate::Quote::None), ..Settings::default() };
    check_not("a,b\n1,\"x\"\n", &letters, at(2, LineFault::OtherCells));
}

#[test]
fn without_a_header_every_line_is_a_row() {
    for header in [Header::None, Header::Names(vec!["x".into(), "y".into()])] {
        let settings = Settings { header, ..Settings::default() };
        let found = see(b"1,2\n3,4\n5,6\n", &settings).unwrap();
        assert!(!found.has_header);
        assert_eq!((found.rows, found.columns.len()), (3, 2));
    }
}

#[test]
fn facts_are_those_of_all_rows() {
    let found = see(b"n,t,e\n1.25,\" x\",\n-300,y,\"\"\n", &Settings::default()).unwrap();
    let numbers = ColumnFacts { integer_digits: 3, fraction_digits: 2, max_bytes: 4, ..ColumnFacts::default() };
    let texts = ColumnFacts { padded: 1, texts: 2, max_bytes: 2, ..ColumnFacts::default() };
    assert_eq!(found.facts, [numbers, texts, ColumnFacts { empty: 2, ..ColumnFacts::default() }]);
}

#[test]
fn a_caller_can_stop_it() {
    let stopped = plain_table("a.csv", 8, || Ok(&b"a,b\n1,2\n"[..]), &Settings::default(), |_| false);
    assert!(matches!(stopped, Err(Error::Io(why)) if why.kind() == io::ErrorKind::Interrupted));
}
