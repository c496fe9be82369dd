//! Delimiters, quotes, escapes, skipped lines and missing headers, as detected and as set.

use tributary_csv_gate::{Error, Header, LineEnd, Quote, Settings};
use tributary_formats::Packing;

use crate::{check, file_reject, open};

fn set() -> Settings {
    Settings::default()
}

#[test]
fn detected_dialects_are_reported() {
    let table = open("a.tsv", b"\xef\xbb\xbfa\tb\r\n1\t2\r\n", &set()).unwrap();
    let dialect = table.dialect();
    assert_eq!((dialect.encoding, dialect.delimiter.as_str(), dialect.quote), ("UTF-8", "\t", Quote::Char(b'"')));
    assert_eq!((dialect.line_end, dialect.packing, dialect.escape), (LineEnd::Lf, Packing::None, None));
    assert_eq!(table.bytes_read(), 13);
    let dialect = |path: &str, bytes: &[u8]| open(path, bytes, &set()).unwrap().dialect().delimiter.clone();
    assert_eq!(dialect("a.csv", b"a,b\tc\n1,2\t3\n"), ",");
    assert_eq!(dialect("a.TSV", b"a,b\tc\n1,2\t3\n"), "\t");
}

#[test]
fn detected_delimiters() {
    check("a;b\n1;2,5\n", &set(), "a|b", &[(2, "1|2,5")], &[]);
    check("a|b\n1|2,5\n", &set(), "a|b", &[(2, "1|2,5")], &[]);
    check("a\n1;2\n", &set(), "a", &[(2, "1;2")], &[]);
    let skip = Settings { skip_rows: 2, ..set() };
    check("x,y,z\nx,\"y\na;b\n1;2\n", &skip, "a|b", &[(4, "1|2")], &[]);
}

#[test]
fn set_delimiters_and_quotes() {
    let with = |delimiter: &str, quote, escape| Settings { delimiter: Some(delimiter.into()), quote, escape, ..set() };
    check("a::b\n1:2::\"3::4\"\n", &with("::", None, None), "a|b", &[(2, "1:2|3::4")], &[]);
    check("a§b\n1§2\n", &with("§", None, None), "a|b", &[(2, "1|2")], &[]);
    check("a,b\n\"1,2\"\n", &with(",", Some(Quote::None), None), "a|b", &[(2, "\"1|2\"")], &[]);
    check("a,b\n'1,''2',\"\n", &with(",", Some(Quote::Char(b'\'')), None), "a|b", &[(2, "1,'2|\"")], &[]);
    check("a,b\n\"1\\\",\\\\\",2\\\"\n", &with(",", None, Some(b'\\')), "a|b", &[(2, "1\",\\|2\\\"")], &[]);
    check("a,b\n\"\\é\"\"\",2\n", &with(",", None, Some(b'\\')), "a|b", &[(2, "é\"|2")], &[]);
    check("a,b\n\"\"\"\",2\n", &with(",", None, Some(b'"')), "a|b", &[(2, "\"|2")], &[]);
}

#[test]
fn an_escaped_line_end_still_counts_as_a_line() {
    let escape = Settings { escape: Some(b'\\'), ..set() };
    check("a,b\n\"x\\\ny\",1\n2,3\n", &escape, "a|b", &[(2, "x\ny|1"), (4, "2|3")], &[]);
}

#[test]
fn headers_are_trimmed_and_may_be_missing() {
    check(" a ,\"\u{a0}b\n\", A\n1,2,3\n", &set(), "a|b|A", &[(3, "1|2|3")], &[]);
    let none = Settings { header: Header::None, ..set() };
    check("1,2\n3,4\n", &none, "column_1|column_2", &[(1, "1|2"), (2, "3|4")], &[]);
    let closed = "quoted field is never closed properly: quotes = \"lenient\" takes such quotes for text, quote = \"\" all of them";
    let few = "1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty";
    check("\"x\n1,2\n3\n", &none, "column_1|column_2", &[(2, "1|2")], &[(1, closed, "\"x"), (3, few, "3")]);
    assert!(file_reject("a.csv", b"\n", &none).reason.contains("no columns"));
}

#[test]
fn the_first_line_end_decides_for_the_file() {
    let rows = [(2, "1|x"), (3, "2|y")];
    check("a,b\r1,x\r2,y", &set(), "a|b", &rows, &[]);
    check("a,b\r1,x\r2,y\r", &set(), "a|b", &rows, &[]);
    check("a,b\r1,x\r2,\"y\nz\"\r", &set(), "a|b", &[(2, "1|x"), (3, "2|y\nz")], &[]);
    check("a,b\n1,x\r\n2,y\r\n", &set(), "a|b", &rows, &[]);
    check("a,b\n1,x\ry\n", &set(), "a|b", &[(2, "1|x\ry")], &[]);
    // The file is cut between the CR and the LF of its last line.
    check("a,b\r\n1,x\r\n2,y\r", &set(), "a|b", &rows, &[]);
    check("a,b\r\n1,x\r\n2,\"y\"\r", &set(), "a|b", &rows, &[]);
}

#[test]
fn settings_that_cannot_work_do_not_reject_the_file() {
    let check = |settings: Settings, expect: &str| match open("a.csv", b"a,b\n", &settings) {
        Err(Error::Settings(why)) => assert!(why.contains(expect), "{why}"),
        other => panic!("{:?}", other.map(|table| table.columns().to_vec())),
    };
    check(Settings { encoding: Some("klingon".into()), ..set() }, "unknown encoding `klingon`");
    check(Settings { delimiter: Some("\"".into()), ..set() }, "delimiter");
}
