//! Detection from short samples: delimiter, quoting, escapes.

use super::*;

fn splitter() -> Splitter {
    Splitter::for_tests()
}

fn sniffed(text: &str, end: End, prefer_tab: bool) -> Sniffed {
    sniff(
        text.as_bytes(),
        end,
        &splitter(),
        Wanted { delimiter: true, quoting: true, prefer_tab, ragged: false, ..Wanted::default() },
    )
}

#[test]
fn the_delimiter_that_fits_most_records_wins() {
    let check = |sample: &str, tsv, expect: u8| {
        let found = sniffed(sample, End::Eof, tsv).delimiter[0];
        assert_eq!(char::from(found), char::from(expect), "{sample:?}");
    };
    check("", false, b',');
    check("sku\n1\n", false, b',');
    check("sku;name\n1;x\n", false, b';');
    check("sku\tname\n1\tx\n", false, b'\t');
    check("sku|name\n1|x\n", false, b'|');
    check("sku,name;x\n1,a\n2,b\n", false, b',');
    check("sku;name,x\n1;a\n2;b\n", false, b';');
    check("\"sku,a\";name\n1;x\n", false, b';');
    check("sku;\"name\nof\"\n1;\"a,\nb,\"\n", false, b';');
    check("sku;name,x\n1;\"a\nb,c\nd,e\nf,g\"\n", false, b';');
    check("a,b;c;d\n", false, b';');
    check("a;b, c\n1;x, y\n2;z, w\n", false, b';');
    check("a, b\n1, x\n2, z\n", false, b',');
    check("a,b\tc\n", false, b',');
    check("a,b\tc\n", true, b'\t');
    check("a,b\tc\n1,2\n", true, b',');
    // Rare delimiters need rows, and must fit nearly all of them.
    check("a^b\n1^2\n3^4\n", false, b'^');
    check("a~b\n1~2\n3~4\n", false, b'~');
    check("a\u{1}b\n1\u{1}2\n3\u{1}4\n", false, 1);
    check("a:b\n1:2\n3:4\n", false, b':');
    check("a:b\n1:2\n", false, b',');
    check("a:b\n1:2\n12:30:00\n", false, b',');
    check("a:b,c\n1:2,3\n4:5,6\n", false, b',');
    check("a  b\n1    2\n3  4\n", false, b' ');
    check("a  b\n1 x\n3  4\n", false, b',');
    check("a b\n1 2\n3 4\n", false, b',');
    check("a  b,c\n1  2,3\n4  5,6\n", false, b',');
    // A delimiter at the end of every row counts for it.
    check("a;b,c\n1;x,2,\n3;y,4,\n", false, b',');
}

#[test]
fn a_record_cut_by_the_sample_does_not_count() {
    assert_eq!(sniffed("a;b\n1;2\n3", End::More, false).delimiter, b";");
    let sample = Sample { text: b"a;b\n1;2\n3", end: End::More, columns: None };
    assert_eq!(sample.fit(&Splitter { delimiter: b";".to_vec(), ..splitter() }).records, 2);
}

#[test]
fn sep_lines() {
    let check = |text: &str, expect| assert_eq!(sep_line(text), expect, "{text}");
    check("sep=;\na;b\n", Some(';'));
    check("sep=,\r\na,b\r\n", Some(','));
    check("sep=\t\n", Some('\t'));
    check("\"sep=;\"\n", Some(';'));
    check("SEP=|", Some('|'));
    check("sep=\n", None);
    check("sep=a\n", None);
    check("sep=;;\n", None);
    check("sep=;x\n", None);
    check("separator;\n", None);
}

fn check_quoting(text: &str, quote: Option<u8>, escape: Option<u8>, blanks: bool) {
    for (text, end) in [(text.to_owned(), End::Eof), (format!("{text}x"), End::More)] {
        let Quoting { quote: q, escape: e, blanks: b, .. } = sniffed(&text, end, false).quoting;
        assert_eq!(
            (q.map(char::from), e.map(char::from), b),
            (quote.map(char::from), escape.map(char::from), blanks),
            "{text}"
        );
    }
}

#[test]
fn double_quotes_stay_when_in_doubt() {
    let check = |text: &str| check_quoting(text, Some(b'"'), None, false);
    check("a,b\n1,2\n");
    check("a,b\n\"1,2\n3,4\n");
    check("a,b\n\"1\"x,2\n3,4\n");
    check("a,b\n1,\"Hello\nDear Sir, thanks\"\n2,x\n");
    check("a;b;c\n1;\"Mug \"Sun\" red\";x\n2;\"42\" TV\";y\n3;\"z\";z\n4;\"q\";x\n");
    check("a,b\n\"c:\\dir\\\",\"x\"\n");
    check("a,b\n1,'t Hooft\n2,'s Graven\n");
    check("a,b\n1,'01\n2,'02\n");
    check("a,b\n1,x\n2,'y'\n");
    check("a,b\n1, \"x\" y\n2,z\n");
    check("a,b\n1 , 2 \n");
}

#[test]
fn other_quoting_is_found() {
    check_quoting("a\tb\n1\t\"Grandma's\" jam\n2\t12\" TV\n", None, None, false);
    let lines = "2\tOil\tx\n3\tJam\tx\n4\tTea\tx\n";
    check_quoting(&format!("a\tb\tc\n1\t\"Olive\tx\n{lines}5\t12\"\tx\n"), None, None, false);
    let tabs = |rows: &str| format!("a\tb\tc\nx\tx\tx\n{rows}z\tz\tz\n");
    check_quoting(&tabs("B\tb\t\"y\nC\tc\ty\"\n"), None, None, false);
    check_quoting(&tabs("B\t\"b\"\t\"y\nC\tc\ty\"\n"), Some(b'"'), None, false);
    let commas = |rows: &str| format!("a,b,c\n1,x,x\n2,x,x\n{rows}3,z,z\n");
    check_quoting(&commas("4,b,\"y\n5,c,y\"\n"), None, None, false);
    check_quoting("a;b\n1;Pen\n2;\"Pad\n3;Pad\n4;Ink\n5;5\"\n6;Ink\n", None, None, false);
    check_quoting("a;b\n1;Pen\n2;\"Pad\nof;it\n4;Ink\n5;5\"\n6;Ink\n", Some(b'"'), None, false);
    check_quoting(&commas("4,b,\"sizes:\nS,M,L\"\n"), Some(b'"'), None, false);
    check_quoting(&commas("4,b,\"sizes:\n5,6,7\"\n"), Some(b'"'), None, false);
    check_quoting(&commas("x,b,\"sizes:\nS,M,L\"\n"), Some(b'"'), None, false);
    // Too little to tell.
    check_quoting("a\tb\tc\n1\t\"Olive\tx\n2\t12\"\tx\n", Some(b'"'), None, false);
    check_quoting("a,b,c\n1,\"Acme\" Ltd,x\n2,y,z\n3,y,z\n4,y,z\n", None, None, false);
    check_quoting("a,b\n1,'x, y'\n2,z\n", Some(b'\''), None, false);
    check_quoting("'a','b'\n'1','it''s'\n'2','z'\n", Some(b'\''), None, false);
    check_quoting("a,b\n1,\"say \\\"hi\\\", x\"\n2,z\n", Some(b'"'), Some(b'\\'), false);
    check_quoting("a, b\n1, \"x, y\"\n2, \"z\"\n", Some(b'"'), None, true);
    check_quoting("a,b\n\"1\" ,\"x\"\n\"2\",\"y\" \n", Some(b'"'), None, true);
    check_quoting("a, b\n1, \"x\"\n", Some(b'"'), None, true);
}

#[test]
fn trailing_delimiters() {
    let check = |text: &str, trailing, header_trailing| {
        let found = sniffed(text, End::Eof, false);
        assert_eq!((found.trailing, found.header_trailing), (trailing, header_trailing), "{text}");
    };
    check("a,b\n1,2,\n3,4,\n", true, false);
    check("a,b\n1,2,x\n3,4,\n", false, false);
    check("a,b\n1,2\n3,4,\n", false, false);
    check("a|b|\n1|2\n3|4\n", false, true);
    check("a|b|\n1|2\n3|4|5\n", false, false);
    check("a|b|\n1|2|\n3|4|\n", false, false);
    check("a,b\n", false, false);
}
