//! Settings for files that cannot be detected: missing headers, lines that are not rows, quotes and escapes, and words
//! for an empty cell.

use tributary_csv_gate::{Error, Escapes, Header, Limits, Quote, Quotes, Ragged, Settings};

use crate::{check, file_reject, open};

fn set() -> Settings {
    Settings::default()
}

fn names(names: &[&str]) -> Header {
    Header::Names(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn given_names() {
    let named = Settings { header: names(&["sku", " name "]), ..set() };
    check("1,Pen\n2,Ink\n", &named, "sku|name", &[(1, "1|Pen"), (2, "2|Ink")], &[]);
    check("\n1;Pen\n", &named, "sku|name", &[(2, "1|Pen")], &[]);
    let skip = Settings { skip_rows: 1, ..named.clone() };
    check("id;title\n1;Pen\n", &skip, "sku|name", &[(2, "1|Pen")], &[]);
    // Somebody has added the header after all.
    check("sku,name\n1,Pen\n", &named, "sku|name", &[(2, "1|Pen")], &[]);
    assert!(file_reject("a.csv", b"\n", &named).reason.contains("no rows"));
}

#[test]
fn footers_and_comments() {
    let footer = |skip_footer| Settings { skip_footer, ..set() };
    check("a,b\n1,2\nTotal,\n\nnote\n", &footer(3), "a|b", &[(2, "1|2")], &[]);
    check("a,b\n1,2\nTotal,2", &footer(1), "a|b", &[(2, "1|2")], &[]);
    assert!(file_reject("a.csv", b"a,b\n1,2\n", &footer(2)).reason.contains("no header"));
    let comment = |comment: &str| Settings { comment: Some(comment.into()), ..set() };
    check("# \"x\na,b\n#\n1,2\n\"x\n#y\",3\n# end", &comment("#"), "a|b", &[(4, "1|2"), (5, "x\n#y|3")], &[]);
    check("//x,y\n/a,b\n1,2\n", &comment("//"), "/a|b", &[(3, "1|2")], &[]);
}

#[test]
fn trimmed_rows() {
    let trim = Settings { ragged: Ragged::Trim, ..set() };
    let many = "4 fields where the header has 2: quote cells that hold the delimiter; header = […] names more columns";
    let rows = [(3, "2|3"), (4, "4|5"), (5, "6|7")];
    let found = crate::see("a.csv", b"a,b\n1\n2,3\n4,5,\n6,7,\"\",\n8,9,,x\n", &trim).unwrap();
    assert_eq!(found.rows, rows.map(|(line, row)| (line, row.to_owned())));
    assert!(found.rejects.len() == 2 && found.rejects[1].1.starts_with(many), "{:?}", found.rejects);
}

#[test]
fn lenient_quotes() {
    let lenient = Settings { quotes: Quotes::Lenient, ..set() };
    check(
        "a;b\n1;\"Mug \"Sun\" red\"\n2;\"<p class=\"x; y\">z\"\n",
        &lenient,
        "a|b",
        &[(2, "1|Mug \"Sun\" red"), (3, "2|<p class=\"x; y\">z")],
        &[],
    );
    check("a;b\n\"42\" TV\";x\n\"say \"\"hi\"\"\";y\n", &lenient, "a|b", &[(2, "42\" TV|x"), (3, "say \"hi\"|y")], &[]);
    let mut table = open("a.csv", b"a,b\n\"1\"x\",2\n\"3\",4\n\"5\"y\"\n", &lenient).unwrap();
    while table.next_row().unwrap().is_some() {}
    assert_eq!((table.rejects().repaired, table.rejects().total), (1, 1));
    // A quote that opens the next record does not become text of this one.
    let found = crate::see("a.csv", b"a,b\n\"1,2\n\"3\",4\n", &lenient).unwrap();
    assert_eq!(found.rows, [(3, "3|4".to_owned())]);
    assert_eq!(found.rejects.len(), 1);
}

#[test]
fn lenient_quotes_that_never_close_keep_the_work_linear() {
    let lenient = Settings { quotes: Quotes::Lenient, delimiter: Some(",".into()), ..set() };
    let mut table =
        open("a.csv", &[b"a,b\n", "k,\"\"x\n".repeat(200_000).as_bytes()].concat(), &lenient).map(|mut table| {
            while table.next_row().unwrap().is_some() {}
            table.rejects().total
        });
    assert_eq!(table.as_mut().ok(), Some(&mut 200_000));
}

#[test]
fn escapes_without_quoting() {
    let dump = Settings { delimiter: Some("\t".into()), quote: Some(Quote::None), escape: Some(b'\\'), ..set() };
    let check_row = |row: &str, lines: u64, expect: &str| {
        let text = format!("a\tb\n{row}\nx\ty\n");
        check(text, &dump, "a|b", &[(2, expect), (2 + lines, "x|y")], &[]);
    };
    check_row("1\ttwo\\nlines", 1, "1|two\nlines");
    check_row("1\\\t2\t3", 1, "1\t2|3");
    check_row("1\tback\\\\slash", 1, "1|back\\slash");
    check_row("1\tbroken\\\nline", 2, "1|broken\nline");
    check_row("1\tbroken\\\r\nline", 2, "1|broken\r\nline");
    check_row("1\t\\ttab\\r", 1, "1|\ttab\r");
    check_row("1\t\\N\\é", 1, "1|Né");
    check_row("1\t12\" \"wide", 1, "1|12\" \"wide");
    check_row("1\t2\\\r\r", 1, "1|2\r");
    check("a\tb\n1\t2\\", &dump, "a|b", &[(2, "1|2\\")], &[]);
    let null = Settings { null: vec!["\\N".into()], ..dump };
    check("a\tb\n\\N\t\\\\N\n", &null, "a|b", &[(2, "|\\N")], &[]);
}

#[test]
fn kept_escapes() {
    let kept = Settings { escape: Some(b'\\'), escapes: Escapes::Kept, ..set() };
    check("a,b\n\"x \\\" y\",\"\\\"\"\"\"\n", &kept, "a|b", &[(2, "x \\\" y|\\\"\"")], &[]);
    check(
        "a,b\n\"c:\\dir\\\\\",\"z\\n\"\n",
        &kept,
        "a|b",
        &[],
        &[(
            2,
            "quoted field is never closed properly: quotes = \"lenient\" takes such quotes for text, quote = \"\" all of them",
            "\"c:\\dir\\\\\",\"z\\n\"",
        )],
    );
}

#[test]
fn empty_words_and_text_cells() {
    let null = Settings { null: vec!["NULL".into(), "-".into()], ..set() };
    check("a,b\nNULL, - \n\"NULL\",--\n", &null, "a|b", &[(2, "|"), (3, "NULL|--")], &[]);
    check("NULL,b\n1,-\n", &null, "NULL|b", &[(2, "1|")], &[]);
    let text = Settings { text_cells: true, ..set() };
    check("=\"sku\",=\"name\"\n=\"007\",=\"Pen\"\n", &text, "sku|name", &[(2, "007|Pen")], &[]);
    check("a,b\n=\"001\",'002\n\"=\"\"003\"\"\",\"'4\"\n", &text, "a|b", &[(2, "001|002"), (3, "003|4")], &[]);
}

#[test]
fn settings_of_lines_that_cannot_work() {
    let check = |settings: Settings, expect: &str| match open("a.csv", b"a,b\n", &settings) {
        Err(Error::Settings(why)) => assert!(why.contains(expect), "{why}"),
        other => panic!("{:?}", other.map(|table| table.columns().to_vec())),
    };
    check(Settings { comment: Some(String::new()), ..set() }, "comment");
    check(Settings { header: names(&[]), ..set() }, "header");
    let limits = Limits { columns: 1, ..Limits::default() };
    check(Settings { header: names(&["a", "b"]), limits, ..set() }, "max_columns");
}
