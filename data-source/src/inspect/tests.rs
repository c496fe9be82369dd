//! Output and errors of `inspect`. How files are read is tested in csv-gate.

use clap::Parser;
use tempfile::TempDir;
use tributary_protocol::Ragged;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: InspectArgs,
}

/// A file of that content, the arguments behind its path, and where it lies.
fn args(content: &[u8], flags: &[&str]) -> (TempDir, InspectArgs) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("a.csv");
    fs::write(&file, content).unwrap();
    let line = ["inspect", file.to_str().unwrap()].into_iter().chain(flags.iter().copied());
    let args = Command::try_parse_from(line).unwrap().args;
    (dir, args)
}

fn output(content: &[u8], flags: &[&str]) -> String {
    let (_dir, args) = args(content, flags);
    let mut out = Vec::new();
    run(&args, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const FILE: &[u8] = b"sku;name\n1;caf\xe9\n2\n3;\"a, \"\"b\"\"\"\n";

#[test]
fn csv_is_the_clean_table() {
    let check = |content: &[u8], flags: &[&str], expect: &str| {
        assert_eq!(output(content, &[&["--format", "csv"], flags].concat()), expect);
    };
    check(FILE, &[], "sku,name\n1,café\n3,\"a, \"\"b\"\"\"\n");
    check(FILE, &["--ragged", "pad"], "sku,name\n1,café\n2,\n3,\"a, \"\"b\"\"\"\n");
    check(
        FILE,
        &["--no-header", "--skip-rows", "3", "--quote", "", "--delimiter", ";"],
        "column_1,column_2\n3,\"\"\"a, \"\"\"\"b\"\"\"\"\"\"\"\n",
    );
    check(FILE, &["--encoding", "windows-1251"], "sku,name\n1,cafй\n3,\"a, \"\"b\"\"\"\n");
    check(b"a\tb\n1\t'x\\'\ty'\n", &["--delimiter", "\\t", "--quote", "'", "--escape", "\\"], "a,b\n1,x'\ty\n");
    check(b"a||b\n1||2\n", &["--delimiter", "||"], "a,b\n1,2\n");
    check(b"a\n\"\"\n", &[], "a\n\"\"\n");
}

#[test]
fn json_is_one_object_of_findings() {
    let json: serde_json::Value = serde_json::from_str(&output(FILE, &["--format", "json"])).unwrap();
    let file = json["file"].as_str().unwrap();
    let expect = serde_json::json!({
        "file": file, "encoding": "windows-1252", "delimiter": ";", "quote": "\"", "packing": "none",
        "escape": null, "skip_rows": 0, "columns": ["sku", "name"], "rows": 2, "rejects_total": 1, "repaired": 0, "ignored": null,
        "plain": false, "not_plain": "it is not UTF-8 without a byte order mark",
        "notes": ["encoding windows-1252, guessed from 1 line, which is little evidence (encoding = … sets it)"],
        "rejects": [{"line": 3, "byte": 17, "reason": "1 field where the header has 2: ragged = \"pad\" leaves the missing ones empty", "raw": "2"}],
        "format": {"files": ["**/a.csv"], "encoding": "windows-1252", "delimiter": ";"},
    });
    assert_eq!(json, expect);
    assert!(file.ends_with("a.csv"), "{file}");
    let json: serde_json::Value = serde_json::from_str(&output(b"a\n", &["--format", "json", "--quote", ""])).unwrap();
    assert_eq!((&json["quote"], &json["format"]["quote"]), (&serde_json::Value::Null, &"".into()));
    assert_eq!((&json["plain"], &json["not_plain"]), (&true.into(), &serde_json::Value::Null));
    let content = b"Report\n\nsku,name,n\n1,\"a \\\"b\\\"\",1\n2,c,1\n3,d,1\n4,e,1\n";
    let json: serde_json::Value = serde_json::from_str(&output(content, &["--format", "json"])).unwrap();
    let expect = serde_json::json!({"line": 1, "lines": 2, "raw": "Report"});
    assert_eq!((&json["escape"], &json["skip_rows"], &json["ignored"]), (&"\\".into(), &2.into(), &expect));
    assert_eq!(json["format"]["skip_rows"], 2);
}

#[test]
fn table_sums_up_and_cannot_move_the_cursor() {
    let shown = output(FILE, &[]);
    for expect in
        ["encoding   windows-1252", "columns    2: sku, name", "rows       2", "rejects    1", "café", "1 field where"]
    {
        assert!(shown.contains(expect), "{shown} lacks {expect}");
    }
    assert!(shown.contains("plain      no: it is not UTF-8"), "{shown}");
    assert!(output(b"a,b\n1,2\n", &[]).contains("plain      yes: any CSV reader"));
    let shown = output(b"a,b\n1,\x1b[31mred\n2,\"x\ny\"\n", &[]);
    assert!(shown.contains("\u{fffd}[31mred") && shown.contains("x⏎y"), "{shown}");
    let shown = output("a\nx".replace('x', &"1\n".repeat(25)).as_bytes(), &[]);
    assert!(shown.contains("… and 15 more rows"), "{shown}");
}

#[test]
fn failures_name_the_file_and_the_line() {
    let check = |content: &[u8], flags: &[&str], expect: &str| {
        let (_dir, args) = args(content, flags);
        let error = format!("{:#}", run(&args, &mut Vec::new()).unwrap_err());
        assert!(error.contains("a.csv`") && error.contains(expect), "{error} lacks {expect}");
    };
    check(b"", &[], "no header");
    check(b"\na\0b\n", &[], "line 2: no usable header: NUL byte");
    check(b"a\n", &["--encoding", "klingon"], "unknown encoding `klingon`");
    let (dir, args) = args(b"", &[]);
    fs::remove_file(dir.path().join("a.csv")).unwrap();
    let error = format!("{:#}", run(&args, &mut Vec::new()).unwrap_err());
    assert!(error.contains("a.csv`: No such file"), "{error}");
}

#[test]
fn a_broken_pipe_is_no_error() {
    struct Broken(io::ErrorKind);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in ["table", "csv", "json"] {
        let (_dir, args) = args(FILE, &["--format", format]);
        assert!(run(&args, &mut Broken(io::ErrorKind::BrokenPipe)).is_ok(), "{format}");
        assert!(run(&args, &mut Broken(io::ErrorKind::StorageFull)).is_err(), "{format}");
    }
}

#[test]
fn values_that_cannot_be_are_wrong_usage() {
    for (flag, value) in
        [("--quote", "ab"), ("--quote", "é"), ("--escape", ""), ("--delimiter", ""), ("--skip-rows", "x")]
    {
        assert!(Command::try_parse_from(["inspect", "a.csv", flag, value]).is_err(), "{flag} {value}");
    }
}

#[test]
fn the_format_that_is_printed_reads_the_file_in_the_same_way() {
    let flags = ["--lenient-quotes", "--ragged", "pad", "--null", "NA", "--text-cells", "--max-field", "2MiB"];
    let shown = output(b"Report\n\nsku;name;n\n1;caf\xe9;NA\n2;=\"02\";3\n3;x\n4;y;5\n5;z;6\n6;z;7\n", &flags);
    for line in [
        "no rows    2 lines, from line 1 on: Report",
        "encoding = \"windows-1252\"",
        "delimiter = \";\"",
        "quotes = \"lenient\"",
        "ragged = \"pad\"",
        "null = [\"NA\"]",
        "text_cells = true",
        "max_field = \"2MiB\"",
        "skip_rows = 2",
    ] {
        assert!(shown.contains(line), "{shown} lacks {line}");
    }
    let named = output(b"1,a\n2,b\n", &["--header", "sku", "--header", "name"]);
    assert!(named.contains("header = [\n") || named.contains("header = [\"sku\", \"name\"]"), "{named}");
}

#[test]
fn a_sheet_is_shown_like_any_table() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Prices").unwrap();
    for (row, texts) in [["sku", "name"], ["00123", "Tea"]].iter().enumerate() {
        sheet.write_row(u32::try_from(row).unwrap(), 0, *texts).unwrap();
    }
    let workbook = workbook.save_to_buffer().unwrap();
    let shown = output(&workbook, &["--sheet", "prices"]);
    for part in ["sheet      prices\ncolumns    2: sku, name\nrows       1\n", "sheet = \"prices\"\n", "00123"] {
        assert!(shown.contains(part), "{shown} lacks {part}");
    }
    assert!(!shown.contains("delimiter"), "{shown}");
    assert_eq!(output(&workbook, &["--sheet", "1", "--format", "csv"]), "sku,name\n00123,Tea\n");
    let wrong = |flags: &[&str], word: &str| {
        let (_dir, args) = args(&workbook, flags);
        let error = format!("{:#}", run(&args, &mut Vec::new()).unwrap_err());
        assert!(error.contains(word), "{error} lacks {word}");
    };
    wrong(&["--sheet", "0"], "counted from 1");
    wrong(&["--sheet", "1", "--delimiter", ";"], "delimiter means nothing for a workbook");
    assert!(Command::try_parse_from(["inspect", "a.xlsx", "--sheet", "99999999999"]).is_err());
}

/// The format that the summary prints.
fn printed_format(content: &[u8], flags: &[&str]) -> String {
    let shown = output(content, flags);
    let lines = shown.lines().skip_while(|line| !line.starts_with("format ")).take_while(|line| !line.is_empty());
    lines.map(|line| format!("{}\n", &line[11..])).collect()
}

/// Reads with flags, then with the format that was printed alone, and compares the rows and the rejects.
#[track_caller]
fn check_pasted(content: &[u8], flags: &[&str]) {
    let format = printed_format(content, flags);
    let dir = TempDir::new().unwrap();
    let formats = dir.path().join("formats.toml");
    fs::write(&formats, &format).unwrap();
    let pasted = ["--formats", formats.to_str().unwrap()];
    let read = |flags: &[&str]| {
        let rows = output(content, &[flags, &["--format", "csv"]].concat());
        let json: serde_json::Value =
            serde_json::from_str(&output(content, &[flags, &["--format", "json"]].concat())).unwrap();
        (rows, json["rejects"].clone())
    };
    let content = String::from_utf8_lossy(content);
    assert_eq!(read(&pasted), read(flags), "{content}\nwith {flags:?} and\n{format}");
}

#[test]
fn a_pasted_format_changes_no_row_and_no_reject() {
    let files: [&[u8]; 10] = [
        b"sku,name,n\np1,\"12 inch,5\np2,Pen,6\np3,Nib 12\",7\n",
        b"sku,name,price\nA1,\"5\"\" nail\",1\nA2,\"Pen,1\nA3,Ink,2\nA4,Nib,3\"\nA5,Roll,5\n",
        b"\"sku\",\"name\",\"description\"\n\"A1\",\"two\\\nlines\",\"x\"\n\"A2\",\"say \\\"hi\\\"\",\"y\"\n\"A3\",\"C:\\\\dir\",\"z\"\n",
        b"sku,name\n1,\"C:\\dir \\\"x\\\"\"\n2,\"a\"\n3,\"b\"\n4,\"c\"\n5,\"d\\n\"\n",
        b"sku,name,n\n1,'a, b',1\n2,'c',1\n3,'d',1\n4,'e,1\n5,f,1\n6,g',1\n",
        b"sku\tname\n1\t\\N\n2\ta\\tb\n3\tc\\nd\n4\te\n",
        b"sku\tname\n1\t5\" nail\n2\t\"x\n3\ty\n4\tz\n",
        b"sep=;\nsku;name\n1;a, b\n2;\"c;d\"\n3\n",
        b"Report\n\nsku;name;n\n1;caf\xe9;2\n2;x;3\n3;y\n4;y;5\n5;z;6\n",
        b"sku, \"name\"\n1, \"a, b\"\n2, \"c\"\n3, \"d\n",
    ];
    for content in files {
        for flags in [&[][..], &["--no-header"], &["--lenient-quotes"], &["--escapes", "kept"], &["--ragged", "pad"]] {
            check_pasted(content, flags);
        }
        check_pasted(content, &["--quote", "\"", "--escape", "\\"]);
        check_pasted(content, &["--quote", "'", "--header", "a", "--header", "b", "--ragged", "trim"]);
    }
}

#[test]
fn quotes_that_were_found_are_not_set() {
    let check = |content: &[u8], flags: &[&str], quote: Option<&str>| {
        let format = printed_format(content, flags);
        let line = format.lines().find(|line| line.starts_with("quote = "));
        assert_eq!(line, quote, "{format}");
    };
    check(b"a,b\n1,\"x\"\n", &[], None);
    check(b"a,b\n1,\"x\"\n", &["--quote", "\""], Some("quote = '\"'"));
    check(b"a,b\n1,\"x\"\n", &["--quote", ""], Some("quote = \"\""));
    check(b"sku\tname\n1\t5\" nail\n2\t\"x\n3\ty\n4\tz\n", &[], Some("quote = \"\""));
}

#[test]
fn a_pattern_is_printed_that_matches_the_file() {
    for (name, pattern) in
        [("a.csv", "**/a.csv"), ("feed [1].csv", "**/feed [[]1[]].csv"), ("a*?.csv", "**/a[*][?].csv")]
    {
        assert_eq!(found_format::pattern(name), pattern);
        let spec = FormatSpec { files: vec![pattern.to_owned()], ragged: Some(Ragged::Pad), ..FormatSpec::default() };
        let rules = tributary_format_rules::FormatRules::new(&[spec]).unwrap();
        for path in [name.to_owned(), format!("export/{name}"), format!("a/b/{name}")] {
            assert_eq!(rules.spec(&path).ragged, Some(Ragged::Pad), "{path}");
        }
    }
}

/// A rule for `export/*.txt` was ignored without a word, because the path as typed began further up.
#[test]
fn a_rule_counts_from_any_folder_on_and_a_note_says_if_none_does() {
    let dir = TempDir::new().unwrap();
    let (file, formats) = (dir.path().join("feeds/export/f.txt"), dir.path().join("formats.toml"));
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "sku|name\n1|a|b\n").unwrap();
    let shown = |rule: &str, format: &str| {
        fs::write(&formats, format!("[[format]]\nfiles = \"{rule}\"\ndelimiter = \"+\"\n")).unwrap();
        let line = ["inspect", file.to_str().unwrap(), "--formats", formats.to_str().unwrap(), "--format", format];
        let mut out = Vec::new();
        run(&Command::try_parse_from(line).unwrap().args, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for rule in ["export/*.txt", "*.txt", "feeds/**/f.txt"] {
        let shown = shown(rule, "table");
        assert!(shown.contains("delimiter  +") && !shown.contains("note "), "{rule}: {shown}");
    }
    let note = "formats.toml matches ";
    for format in ["table", "json"] {
        let shown = shown("import/*.txt", format);
        assert!(shown.contains(note) && shown.contains("from any of its folders on"), "{shown}");
    }
    assert_eq!(shown("import/*.txt", "csv").lines().next(), Some("sku,name"));
}
