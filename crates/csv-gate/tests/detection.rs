//! Files that say by themselves how they are written, as people report them.

use tributary_csv_gate::{Quote, Settings};

use crate::{check, feed, open, see};

fn set() -> Settings {
    Settings::default()
}

#[test]
fn sep_lines_name_the_delimiter_and_are_skipped() {
    check("sep=;\nsku;name\nS1;\"a; b\"\n", &set(), "sku|name", &[(3, "S1|a; b")], &[]);
    check("sep=\t\r\nsku\tname\r\nS4\tPan\r\n", &set(), "sku|name", &[(3, "S4|Pan")], &[]);
    check("\"sep=^\"\na^b\n1^2\n", &set(), "a|b", &[(3, "1|2")], &[]);
    let table = open("a.csv", b"sep=;\na;b\n", &set()).unwrap();
    assert_eq!((table.dialect().skipped_lines, table.dialect().delimiter.as_str()), (1, ";"));
}

#[test]
fn quotes_that_are_letters() {
    let text = "sku\tname\tbrand\n1\t\"Grandma's\" jam\tx\n2\t\"Olive oil\tx\n3\tTofu 12\"\tx\n4\tRye\t\"Old Mill\n5\tOat\tOld Mill\"\n";
    let rows = [
        (2, "1|\"Grandma's\" jam|x"),
        (3, "2|\"Olive oil|x"),
        (4, "3|Tofu 12\"|x"),
        (5, "4|Rye|\"Old Mill"),
        (6, "5|Oat|Old Mill\""),
    ];
    check(text, &set(), "sku|name|brand", &rows, &[]);
    assert_eq!(open("a.tsv", text.as_bytes(), &set()).unwrap().dialect().quote, Quote::None);
}

#[test]
fn blanks_around_quotes() {
    let rows = [(2, "W1|Harbour|wide, deep"), (3, "W2|Quay|plain")];
    let text = "sku, name, description\nW1, \"Harbour\", \"wide, deep\"\nW2, \"Quay\",\"plain\"\n";
    check(text, &set(), "sku|name|description", &rows, &[]);
    check("a,b\n\"W4\" ,\"Dock\"\n\"W5\",\"Lock\" \n", &set(), "a|b", &[(2, "W4|Dock"), (3, "W5|Lock")], &[]);
}

#[test]
fn backslashes_before_quotes() {
    let text = "a,b\n1,\"say \\\"hi\\\", x\"\n2,\"c:\\dir\\\\x\"\n";
    check(text, &set(), "a|b", &[(2, "1|say \"hi\", x"), (3, "2|c:\\dir\\x")], &[]);
    assert_eq!(open("a.csv", text.as_bytes(), &set()).unwrap().dialect().escape, Some(b'\\'));
}

#[test]
fn escapes_of_database_shells() {
    let text = "sku\tname\ttext\n1\tPen\t\\N\n2\t12\" TV\tone\\nTwo\\\\x\\ty\n3\tNib\t\\\\N\n";
    let rows = [(2, "1|Pen|"), (3, "2|12\" TV|one\nTwo\\x\ty"), (4, "3|Nib|\\N")];
    check(text, &set(), "sku|name|text", &rows, &[]);
    let dialect = open("a.tsv", text.as_bytes(), &set()).unwrap().dialect().clone();
    assert_eq!((dialect.quote, dialect.escape), (Quote::None, Some(b'\\')));
    // What was detected reads the file in the same way when it is set.
    let delimiter = Some(dialect.delimiter);
    check(
        text,
        &Settings { delimiter, quote: Some(Quote::None), escape: Some(b'\\'), ..set() },
        "sku|name|text",
        &rows,
        &[],
    );
    check("sku\tpath\n1\tC:\\new\n2\tD:\\table\n", &set(), "sku|path", &[(2, "1|C:\\new"), (3, "2|D:\\table")], &[]);
}

#[test]
fn line_feeds_inside_bare_cells() {
    let text = "a,b\r\n1,x\ny\r\n\n2,z\r\n3,\"q\nr\"\r\n\r\n4,w\n\nTotal of it\r\n";
    let rows = [(2, "1|x\ny"), (4, "\n2|z"), (6, "3|q\nr"), (9, "4|w\n\nTotal of it")];
    check(text, &set(), "a|b", &rows, &[]);
    assert!(open("a.csv", text.as_bytes(), &set()).unwrap().dialect().bare_line_feeds);
    // Some lines that end with LF are rows.
    check("a,b\r\n1,x\n2,y\r\n3,z\r\n", &set(), "a|b", &[(2, "1|x"), (3, "2|y"), (4, "3|z")], &[]);
    let found = see("a.csv", b"a,b\r\n1,x\n2,y\r\n3\n", &set()).unwrap();
    assert_eq!((found.rows.len(), found.rejects.len()), (2, 1));
}

#[test]
fn columns_that_are_aligned_with_blanks() {
    let text = "  sku   name        n\r\n  ---   ----        ---\r\n  p1    Fountain pen   5\r\n p222  Nib       1,000  \r\n  p3   \"two  blanks\"   7\r\n(3 rows)";
    let rows = [(3, "p1|Fountain pen|5"), (4, "p222|Nib|1,000"), (5, "p3|two  blanks|7")];
    check(text, &set(), "sku|name|n", &rows, &[]);
    let blanks = Settings { delimiter: Some("  ".into()), ..set() };
    check(
        "a  b\n1     2\n\n x   y \n3\n",
        &Settings { ragged: tributary_csv_gate::Ragged::Pad, ..blanks },
        "a|b",
        &[(2, "1|2"), (4, "x|y"), (5, "3|")],
        &[],
    );
    assert_eq!(open("a.csv", text.as_bytes(), &set()).unwrap().dialect().delimiter, "  ");
    // A cell that is missing cannot be told from a wide gap.
    let found = see("a.csv", b"a  b  c\n1  2  3\n4     6\n7  8  9\n1  2  3\n", &set()).unwrap();
    assert_eq!((found.columns.len(), found.rejects.len()), (1, 0));
}

#[test]
fn delimiters_at_line_ends() {
    check("a,b\n1,2,\n3,4,\n", &set(), "a|b", &[(2, "1|2"), (3, "3|4")], &[]);
    check("a|b|\n1|2\n3|4\n", &set(), "a|b", &[(2, "1|2"), (3, "3|4")], &[]);
    assert!(open("a.csv", b"a,b\n1,2,\n", &set()).unwrap().dialect().trailing_delimiter);
    let mut rows = vec!["1,2,\n"; 99];
    rows.push("3,4,x\n");
    let found = see("a.csv", format!("a,b\n{}", rows.concat()).as_bytes(), &set()).unwrap();
    assert_eq!((found.rows.len(), found.rejects.len(), found.rejects[0].0), (99, 1, 101));
}

#[test]
fn an_empty_line_in_one_column_is_a_null_row() {
    check("a\n1\n\n2\n", &set(), "a", &[(2, "1"), (3, ""), (4, "2")], &[]);
    check("\n\na\r\n\r\n1\r\n\r\n", &set(), "a", &[(4, ""), (5, "1"), (6, "")], &[]);
    check("a\n", &set(), "a", &[], &[]);
    check("a,b\n1,2\n\n3,4\n", &set(), "a|b", &[(2, "1|2"), (4, "3|4")], &[]);
}

#[test]
fn repeated_headers_are_skipped() {
    let text = "sku,name\nC1,Pen\nsku,name\nC2,Nib\n\u{feff}sku , \"name\"\n\u{feff}\"sku\",\"name\"\nC3,Pad\n";
    let found = see("a.csv", text.as_bytes(), &Settings { quote: Some(Quote::Char(b'"')), ..set() }).unwrap();
    assert_eq!(found.rows, [(2, "C1|Pen".to_owned()), (4, "C2|Nib".to_owned()), (7, "C3|Pad".to_owned())]);
    check("sku,name\nC1,Pen\nSKU,Name\nC2,Nib\n", &set(), "sku|name", &[(2, "C1|Pen"), (4, "C2|Nib")], &[]);
    check(
        "Größe,n\nC1,Pen\nGRÖSSE,N\nGRÖßE,N\nC2,Nib\n",
        &set(),
        "Größe|n",
        &[(2, "C1|Pen"), (3, "GRÖSSE|N"), (5, "C2|Nib")],
        &[],
    );
    check("a,A\n1,2\nA,a\na,a\n", &set(), "a|A", &[(2, "1|2"), (4, "a|a")], &[]);
    check("a\n1\na\n", &set(), "a", &[(2, "1"), (3, "a")], &[]);
    check(",\n1,2\n,\n", &set(), "|", &[(2, "1|2"), (3, "|")], &[]);
}

#[test]
fn a_backslash_of_php_stays() {
    let text = "sku,name\nA1,\"12\"\" ruler\"\nA2,\"say \\\"hi\\\"\"\nA3,\"foo, bar\"\nA4,\"\"\n";
    let rows = [(2, "A1|12\" ruler"), (3, "A2|say \\\"hi\\\""), (4, "A3|foo, bar"), (5, "A4|")];
    check(text, &set(), "sku|name", &rows, &[]);
}

#[test]
fn a_line_end_after_an_escape_is_text() {
    let text = "\"sku\",\"name\"\n\"A1\",\"two\\\nlines\"\n\"A2\",\"say \\\"hi\\\"\"\n\"A3\",\"C:\\\\dir\"\n";
    let rows = [(2, "A1|two\nlines"), (4, "A2|say \"hi\""), (5, "A3|C:\\dir")];
    check(text, &set(), "sku|name", &rows, &[]);
}

#[test]
fn a_header_in_another_order_moves_the_columns() {
    let text = "sku,name,n\n1,a,x\nn,sku,name\nx,2,b\n\"x\",3,\"\"\nsku,name,n\n4,d,x\n";
    let rows = [(2, "1|a|x"), (4, "2|b|x"), (5, "3||x"), (7, "4|d|x")];
    check(text, &set(), "sku|name|n", &rows, &[]);
    let mut feed = feed(text.as_bytes(), &tributary_csv_gate::Columns::default()).unwrap();
    let mut skus = Vec::new();
    while let Some(offer) = feed.next_offer().unwrap() {
        skus.push(format!("{}{}", offer.sku, offer.texts.get(0)));
    }
    assert_eq!(skus, ["1a", "2b", "3", "4d"]);
}
