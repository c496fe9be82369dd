//! Every kind of reject with its line, reason and raw text, and rows that look like rejects but are fine.

use tributary_csv_gate::{FieldCure, Header, Limits, Quote, Ragged, Reason, Rejects, Settings, Table};

use crate::{check, file_reject, open};

const CLOSED: &str =
    "quoted field is never closed properly: quotes = \"lenient\" takes such quotes for text, quote = \"\" all of them";

fn set() -> Settings {
    Settings::default()
}

#[test]
fn stray_quotes_swallow_no_rows() {
    let text = "sku,name,n\np1,\"12 inch,5\np2,Pen,6\np3,Nib 12\",7\np4,\"a\nb,c\nd,e\",8\n";
    let why = "quoted field whose lines all look like rows: quote = \"\\\"\" reads it all the same, quote = \"\" takes quotes for text";
    let rows = [(3, "p2|Pen|6"), (4, "p3|Nib 12\"|7"), (5, "p4|a\nb,c\nd,e|8")];
    check(text, &Settings::default(), "sku|name|n", &rows, &[(2, why, "p1,\"12 inch,5")]);
    let quote = Settings { quote: Some(Quote::Char(b'"')), ..Settings::default() };
    let rows = [(2, "p1|12 inch,5\np2,Pen,6\np3,Nib 12|7"), (5, "p4|a\nb,c\nd,e|8")];
    check(text, &quote, "sku|name|n", &rows, &[]);
    let gap = "sku,name,n\np1,\"12 inch,5\n\np2,Pen,6\np3,Nib 12\",7\np4,\"a\nb\",8\n";
    let rows = [(4, "p2|Pen|6"), (5, "p3|Nib 12\"|7"), (6, "p4|a\nb|8")];
    check(gap, &Settings::default(), "sku|name|n", &rows, &[(2, why, "p1,\"12 inch,5")]);
    let two = "sku,name\na,\"x\nb,Cup\nc,y\"\nd,\"p, q\"\n";
    let rows = [(3, "b|Cup"), (4, "c|y\""), (5, "d|p, q")];
    check(two, &Settings::default(), "sku|name", &rows, &[(2, why, "a,\"x")]);
    // Too little to tell.
    check("a,b\n1,\"x\ny,z\nw\"\n", &Settings::default(), "a|b", &[(2, "1|x\ny,z\nw")], &[]);
    check("a,b,c\n1,\"x,y\nz,w\",2\n", &Settings::default(), "a|b|c", &[(2, "1|x,y\nz,w|2")], &[]);
}

#[test]
fn quoted_fields_that_perhaps_hold_rows_are_counted() {
    let check = |text: &str, rows, first| {
        let mut table = open("a.csv", text.as_bytes(), &set()).unwrap();
        while table.next_row().unwrap().is_some() {}
        let Rejects { total, doubtful, .. } = table.rejects();
        assert_eq!((*total, doubtful.rows, doubtful.first), (0, rows, first), "{text}");
        crate::check_blocks(text.as_bytes(), &set());
    };
    check("a,b\n1,\"x\ny,z\"\n2,z\n3,\"x\ny,z\"\n", 2, 2);
    check("a,b,c\n0,0,0\n1,\"x,y\nz,w\",2\n", 1, 3);
    check("a,b\n1,\"Dear Sir, thanks\nBye, Tom\nPS, come\"\n", 0, 0);
    check("a,b\n1,\"Hello\nDear Sir, thanks\"\n", 0, 0);
    check("a,b\n1,\"Hello\nDear Sir, thanks\nBye, Tom\"\n", 1, 2);
}

#[test]
fn rows_that_are_fine() {
    check("a,b\n1,2\n3,4\n", &set(), "a|b", &[(2, "1|2"), (3, "3|4")], &[]);
    check("a,b\n1,2", &set(), "a|b", &[(2, "1|2")], &[]);
    check("a,b\n\"1\",\"2\"", &set(), "a|b", &[(2, "1|2")], &[]);
    check("a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n3,4\n", &set(), "a|b", &[(2, "x\ny|say \"hi\""), (4, "3|4")], &[]);
    check("a,b\nx \"y\" z,5\"\n", &set(), "a|b", &[(2, "x \"y\" z|5\"")], &[]);
    check("a,b\n,\n\"\",\"\"\n", &set(), "a|b", &[(2, "|"), (3, "|")], &[]);
    check("a\n\"\"\nx\n", &set(), "a", &[(2, ""), (3, "x")], &[]);
    check("a,b\n 1 , 2 \n", &set(), "a|b", &[(2, " 1 | 2 ")], &[]);
    check("a,b\n\u{fffd},\u{fffd}\n", &set(), "a|b", &[(2, "\u{fffd}|\u{fffd}")], &[]);
}

#[test]
fn line_ends() {
    check("\n\r\na,b\r\n\r\n1,2\r\n\n3,\"4\"\r\n", &set(), "a|b", &[(5, "1|2"), (7, "3|4")], &[]);
    check("a,b\r1,2\r\r3,\"x\ry\"\r5,6\r", &set(), "a|b", &[(2, "1|2"), (4, "3|x\ry"), (6, "5|6")], &[]);
    // Some tools end a file of an old Mac with a line feed.
    check("a,b\r1,2\r3,y\n", &set(), "a|b", &[(2, "1|2"), (3, "3|y")], &[]);
    check("a,b\r1,2\r3,\"y\"\r\n", &set(), "a|b", &[(2, "1|2"), (3, "3|y")], &[]);
    // In files with LF, a lone CR is data. Bytes inside quotes stay as they are.
    check("a,b\n1\r2,3\r\n\"x\r\ny\rz\",4\n", &set(), "a|b", &[(2, "1\r2|3"), (3, "x\r\ny\rz|4")], &[]);
    // Python on Windows writes two CRs where it is not told otherwise.
    check("a,b\r\r\n1,\"2\"\r\r\n\"3\",4\r\r\n\r\r\n", &set(), "a|b", &[(2, "1|2"), (3, "3|4")], &[]);
}

#[test]
fn the_end_of_file_sign_is_no_row() {
    for end in ["\u{1a}", "\r\n\u{1a}"] {
        check(format!("a,b\r\n1,2{end}"), &set(), "a|b", &[(2, "1|2")], &[]);
    }
    check("a,b\n1,x\u{1a}y\n", &set(), "a|b", &[(2, "1|x\u{1a}y")], &[]);
}

#[test]
fn ragged_rows() {
    let (few, many) = (
        "1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty",
        "3 fields where the header has 2: quote cells that hold the delimiter; header = […] names more columns",
    );
    check("a,b\n1\n2,3\n4,5,6\n", &set(), "a|b", &[(3, "2|3")], &[(2, few, "1"), (4, many, "4,5,6")]);
    let pad = Settings { ragged: Ragged::Pad, ..set() };
    check("a,b\n1\n2,3\n4,5,6\n", &pad, "a|b", &[(2, "1|"), (3, "2|3")], &[(4, many, "4,5,6")]);
}

#[test]
fn the_reject_names_what_reads_the_row() {
    let check = |text: &str, settings: &Settings, line, expect: &str| {
        let found = crate::see("a.csv", text.as_bytes(), settings).unwrap();
        let reasons: Vec<_> = found.rejects.iter().map(|(line, reason, _)| (*line, reason.as_str())).collect();
        assert!(reasons.len() == 1 && reasons[0].0 == line && reasons[0].1.contains(expect), "{text:?} {reasons:?}");
        crate::check_blocks(text.as_bytes(), settings);
    };
    let pad = Settings { ragged: Ragged::Pad, ..set() };
    let trim = Settings { ragged: Ragged::Trim, ..set() };
    check("a;b\n1;2\n3;4;x\n", &set(), 3, "quote cells that hold the delimiter");
    check("a;b\n1;2\n3;4;\n5;6\n", &set(), 3, "ragged = \"trim\"");
    check("a;b\n1;2\n3;4; \n5;6\n", &set(), 3, "ragged = \"trim\"");
    check("a;b\n1;2\n3;4;x\n", &trim, 3, "quote cells that hold the delimiter");
    check("a;b;c\n1,2,3\n4;5;6\n", &set(), 2, "its delimiter is \",\"");
    check("a;b;c\n1,2,3\n4;5;6\n", &pad, 2, "its delimiter is \",\"");
    check("a;b;c\n1\n4;5;6\n", &set(), 2, "ragged = \"pad\"");
    check("a\nPen, blue\nNib\n", &set(), 2, "delimiter = \"\\t\" reads lines as one cell");
    check("a,b\n1,2\n3,4\r5,6\r7,8", &set(), 3, "it holds CRs");
    check("a,b\n1,\"5\\\" pipe\"\n2,\"C:\\d\\\"\n3,x\n4,y\n", &set(), 2, "escape = \"\\\\\" those behind a backslash");
}

#[test]
fn blank_fields_can_be_trimmed_and_short_rows_padded() {
    let trim = Settings { ragged: Ragged::Trim, ..set() };
    check("a,b\n1,2, \n3,4,\t, \n", &trim, "a|b", &[(2, "1|2"), (3, "3|4")], &[]);
    let pad = Settings { ragged: Ragged::Pad, ..set() };
    check("a;b;c\nPens, nibs, ink\n\"1,2,3\"\n", &pad, "a|b|c", &[(2, "Pens, nibs, ink||"), (3, "1,2,3||")], &[]);
}

#[test]
fn quotes_that_are_never_closed() {
    check("a,b\n\"1,2\n3,4\n", &set(), "a|b", &[(3, "3|4")], &[(2, CLOSED, "\"1,2")]);
    check("a,b\n\"1\"x,2\n3,4\n", &set(), "a|b", &[(3, "3|4")], &[(2, CLOSED, "\"1\"x,2")]);
    check("a,b\r\n1,\"2\r\n3,\"4\"\r\n", &set(), "a|b", &[(3, "3|4")], &[(2, CLOSED, "1,\"2")]);
    check("a,b\n1,2\n3,\"4", &set(), "a|b", &[(2, "1|2")], &[(3, CLOSED, "3,\"4")]);
    check(
        "a,b\n\"\n\"\"\n1,2\n",
        &set(),
        "a|b",
        &[(4, "1|2")],
        &[
            (2, CLOSED, "\""),
            (3, "1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty", "\"\""),
        ],
    );
    let escape = Settings { escape: Some(b'\\'), ..set() };
    check("a,b\n1,\"2\\", &escape, "a|b", &[], &[(2, CLOSED, "1,\"2\\")]);
    // The reject names the line on which the field begins, not its row. The text starts with the row.
    check("a,b\n\"x\ny\",\"2\n3,4\n", &set(), "a|b", &[(4, "3|4")], &[(3, CLOSED, "\"x\ny\",\"2")]);
    // A line that opens a quote must not swallow the rest of the file, nor make the work quadratic.
    let lines = "\"x,y\n".repeat(200_000);
    let reject = file_reject("a.csv", lines.as_bytes(), &Settings { header: Header::None, ..set() });
    assert_eq!(reject.reason, "no columns: the file holds no good row to count them by");
}

#[test]
fn quotes_that_close_beyond_the_lookahead() {
    let limits = Limits { lookahead_bytes: 64, ..Limits::default() };
    let settings = Settings { limits, delimiter: Some(",".into()), ..set() };
    let near = format!("a,b\n\"{}\",2\n3,4\n", "x\n".repeat(20));
    check(&near, &settings, "a|b", &[(2, &format!("{}|2", "x\n".repeat(20))), (23, "3|4")], &[]);
    let far = format!("a,b\n\"x,1\n{}\",2\n3,4\n", "y,z\n".repeat(30));
    let rows: Vec<_> = (3..33).map(|line| (line, "y|z")).chain([(34, "3|4")]).collect();
    check(&far, &settings, "a|b", &rows, &[(2, CLOSED, "\"x,1"), (33, CLOSED, "\",2")]);
    let endless = format!("a,b\n\"{}\n3,4\n", "x".repeat(200));
    check(&endless, &settings, "a|b", &[(3, "3|4")], &[(2, CLOSED, &format!("\"{}", "x".repeat(63)))]);
}

#[test]
fn limits() {
    let limits = Limits { field_bytes: 4, record_bytes: 12, lookahead_bytes: 32, ..Limits::default() };
    let settings = Settings { limits, delimiter: Some(",".into()), ..set() };
    let (field, record) =
        ("field is longer than 4 bytes: max_field = … raises the limit", "record is longer than 12 bytes");
    check("a,b\n1234,5\n", &settings, "a|b", &[(2, "1234|5")], &[]);
    check("a,b\n12345,6\n7,8\n", &settings, "a|b", &[(3, "7|8")], &[(2, field, "12345,6")]);
    check("a,b\n1,2,3,4,5,6,7\n6,7\n", &settings, "a|b", &[(3, "6|7")], &[(2, record, "1,2,3,4,5,6,7")]);
    // The limit of a field counts its text, the limit of a record all its bytes.
    let (four, five) = ("\"\"\"\"\"\"\"\"\"\"", "\"\"\"\"\"\"\"\"\"\"\"\"");
    check(format!("a,b\n{four},5\n"), &settings, "a|b", &[(2, "\"\"\"\"|5")], &[]);
    check(format!("a,b\n{five},5\n"), &settings, "a|b", &[], &[(2, field, &format!("{five},5"))]);
    check(format!("a,b\n{four},56\n"), &settings, "a|b", &[], &[(2, record, &format!("{four},56"))]);
    // The whole record is skipped if it ends within the lookahead.
    check("a,b\n\"12\n45\n\",6\n7,8\n", &settings, "a|b", &[(5, "7|8")], &[(2, field, "\"12\n45\n\",6")]);
    let long = format!("a,b\n{}\n7,8\n", "x".repeat(100));
    check(&long, &settings, "a|b", &[(3, "7|8")], &[(2, field, &"x".repeat(32))]);
    let long = format!("a,b\n\"1\n2\",{}\n7,8\n", "x".repeat(100));
    check(&long, &settings, "a|b", &[(4, "7|8")], &[(2, field, &format!("\"1\n2\",{}", "x".repeat(26)))]);
    let long = format!("a,b\n{}\n7,8\n", "1,".repeat(100));
    check(&long, &settings, "a|b", &[(3, "7|8")], &[(2, record, &"1,".repeat(16))]);
}

#[test]
fn bytes_that_are_not_text() {
    check("a,b\n1,\0\n2,3\n", &set(), "a|b", &[(3, "2|3")], &[(2, "NUL byte", "1,\u{2400}")]);
    let bytes = b"a,b\nx,caf\xe9\n2,3\n";
    let settings = Settings { encoding: Some("utf-8".into()), ..set() };
    check(
        bytes,
        &settings,
        "a|b",
        &[(3, "2|3")],
        &[(
            2,
            "bytes that are not valid UTF-8: encoding = … names another encoding of the whole file",
            "x,caf\u{fffd}",
        )],
    );
}

#[test]
fn rejects_are_kept_in_order_up_to_a_limit_and_all_are_counted() {
    let bytes = format!("a,b\n1,2\n{}", "x\n".repeat(5));
    let settings = Settings { limits: Limits { rejects_kept: 2, raw_bytes: 3, ..Limits::default() }, ..set() };
    let mut table = open("a.csv", bytes.as_bytes(), &settings).unwrap();
    while table.next_row().unwrap().is_some() {}
    let rejects = table.rejects();
    assert_eq!((rejects.total, table.rows()), (5, 6));
    let places: Vec<_> = rejects.kept.iter().map(|reject| (reject.line, reject.byte)).collect();
    assert_eq!(places, [(3, 8), (4, 10)]);
    assert_eq!(rejects.kept[0].reason, Reason::FieldCount { found: 1, expected: 2, cure: FieldCure::Pad });
}

#[test]
fn files_without_a_usable_header() {
    let check = |bytes: &[u8], line, expect: &str, raw: &str| {
        let reject = file_reject("a.csv", bytes, &Settings::default());
        assert_eq!((reject.line, reject.raw.as_str()), (line, raw));
        assert!(reject.reason.contains(expect), "{} lacks {expect}", reject.reason);
    };
    check(b"", 0, "no header", "");
    check(b"\xef\xbb\xbf", 0, "no header", "");
    check(b"\r\n\n", 0, "no header", "");
    check(b"\n\"a,b\n1,2\n", 2, "never closed", "\"a,b");
    check(b"a\0b\n1,2\n", 1, "NUL byte", "a\u{2400}b");
    check(&[b"a,\xff\n", "é\n".repeat(20).as_bytes()].concat(), 1, "not valid UTF-8", "a,\u{fffd}");
    check(&b"a,".repeat(4096), 1, "4097 columns where 4096 are the limit", &"a,".repeat(512));
    let skipped = Settings { skip_rows: u64::MAX, ..Settings::default() };
    assert!(file_reject("a.csv", b"a,b\n1,2\n", &skipped).reason.contains("no header"));
    let unquoted = Settings { quote: Some(Quote::None), ..Settings::default() };
    assert!(file_reject("a.csv", b"", &unquoted).to_string().starts_with("no header"));
}

#[test]
fn lines_of_utf16_in_another_file_are_one_reject() {
    let wide = |text: &str, big: bool| {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    for big in [false, true] {
        let mut file = b"sku,name\r\n1,a\r\n2,b\r\n".to_vec();
        file.extend(wide("3,c\r\n4,d\r\n\r\n5,e\r\n", big));
        file.extend(b"6,f\r\n7,g\r\n");
        let mut table = Table::open("a.csv", file.len() as u64, || Ok(&file[..]), &Settings::default()).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next_row().unwrap() {
            rows.push(row.field(0).into_owned());
        }
        // Half a line end sticks to the row behind little-endian text.
        let expect: &[&str] = if big { &["1", "2", "6", "7"] } else { &["1", "2", "7"] };
        assert_eq!(rows, expect);
        let rejects: Vec<_> = table.rejects().kept.iter().map(|reject| reject.line).collect();
        assert_eq!(rejects, [4], "{:?}", table.rejects());
    }
    // Zeros behind the last row, as a crash leaves them, are a reject of their own.
    let file = b"sku,name\n1,a\n\0\0\0\0";
    let mut table = Table::open("a.csv", file.len() as u64, || Ok(&file[..]), &Settings::default()).unwrap();
    while table.next_row().unwrap().is_some() {}
    assert_eq!((table.rows(), table.rejects().total), (2, 1));
}
