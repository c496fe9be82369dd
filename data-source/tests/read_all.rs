//! `/read`: all rows of all files as one CSV.

use std::io::Read;

use reqwest::StatusCode;
use rust_xlsxwriter::Workbook;

use crate::support::{PATIENCE, Source, wait_for};

#[test]
fn all_good_rows_come_under_one_header() {
    let source = Source::of(&[
        ("b.csv", "Name;SKU;Price\nbee;2;1,50\n"),
        ("a.csv", "sku,name\r\n1,\"say \"\"a\"\"\nb\"\r\nbad row\r\n3,c\r\n"),
        ("c/d.tsv", "sku\tcolour\tsku\n4\tred\t5\n"),
        ("broken.csv.gz", "PK\u{3}\u{4}, a zip archive"),
        ("empty.csv", ""),
    ]);
    let answer = source.get("/read");
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(answer.header("etag"), format!("\"{}\"", source.version()));
    let expect = "sku,name,Price,colour\n1,\"say \"\"a\"\"\nb\",,\n3,c,,\n2,bee,\"1,50\",\n4,,,red\n";
    assert_eq!(answer.text(), expect);
}

#[test]
fn null_and_empty_text_stay_apart() {
    let rows = "1,\n2,\"\"\n3,NULL\n4,\" x\"\n5,\\N\n";
    let source = Source::of(&[("a.csv", &format!("sku,name\n{rows}")), ("b.csv", "sku\n6\n")]);
    let expect = "sku,name\n1,\n2,\"\"\n3,\"NULL\"\n4,\" x\"\n5,\"\\N\"\n6,\n";
    assert_eq!(source.get("/read").text(), expect);
}

#[test]
fn a_folder_without_rows_gives_an_empty_table() {
    assert_eq!(Source::of(&[]).get("/read").text(), "");
    assert_eq!(Source::of(&[("a.csv", "sku,name\n")]).get("/read").text(), "sku,name\n");
}

#[test]
fn a_file_that_changes_while_it_is_read_cuts_the_answer() {
    let rows = "1,a name of some length that fills the buffers\n".repeat(600_000);
    let source = Source::of(&[("a.csv", &format!("sku,name\n{rows}"))]);
    let mut stream = source.send("GET /read HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    source.write("a.csv", b"sku,name\n1,b\n");
    let mut rest = Vec::new();
    // A reset is a cut as well.
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "the answer looks whole");
    assert_eq!(source.get("/sense").json()["status"], 1, "a cut answer gave nothing out");
    wait_for("the new rows", || source.get("/read").body.is_ok_and(|body| body == b"sku,name\n1,b\n"));
}

#[test]
fn readers_by_url_get_a_length_and_parts() {
    let rows: String = (0..20_000).map(|number| format!("{number},a name\n")).collect();
    let source = Source::of(&[("a.csv", &format!("sku,name\n{rows}")), ("b.csv", "name;price\nb;\"1;5\"\n")]);
    let whole = source.get("/read").body.unwrap();
    for _ in 0..2 {
        let head = source.ask("HEAD", "/read", &[]);
        assert_eq!(head.header("content-length"), whole.len().to_string());
        assert_eq!((head.header("accept-ranges"), head.body.as_deref()), ("bytes", Ok(&b""[..])));
    }
    let last = whole.len() - 1;
    for (first, end) in [(0, 3), (0, last), (5, 5), (100_000, 200_000), (last - 3, last), (last, last)] {
        let part = source.ask("GET", "/read", &[("range", &format!("bytes={first}-{end}"))]);
        assert_eq!(
            (part.status, part.header("content-range")),
            (StatusCode::PARTIAL_CONTENT, &*format!("bytes {first}-{end}/{}", whole.len()))
        );
        assert!(part.body.unwrap() == whole[first..=end], "{first}-{end}");
    }
    source.ask("GET", "/read", &[("range", &format!("bytes={}-", whole.len()))]).problem(416);
    let other = source.ask("GET", "/read", &[("range", "bytes=0-3"), ("if-range", "\"other\"")]);
    assert!(other.status == 200 && other.body.unwrap() == whole);
    source.write("b.csv", b"name\nb\n");
    let is_new = || source.ask("HEAD", "/read", &[]).header("content-length") != whole.len().to_string();
    wait_for("the length of the new version", is_new);
}

#[test]
fn a_part_is_not_a_read_of_the_version() {
    let source = Source::of(&[("a.csv", "sku,name\n1,a\n")]);
    source.ask("HEAD", "/read", &[]);
    assert_eq!(source.ask("GET", "/read", &[("range", "bytes=0-")]).text(), "sku,name\n1,a\n");
    assert_eq!(source.get("/sense").json()["status"], 1);
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let source = Source::of(&[("a.csv", "sku,name\n1,x\n")]);
    for path in ["/read", "/read/a.csv"] {
        let mut answer = String::new();
        let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\naccept-encoding: identity\r\n\r\n");
        source.send(&request).read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nsku,name\n1,x\n"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("transfer-encoding"), "{answer}");
    }
}

#[test]
fn a_client_that_goes_away_stops_the_work() {
    let rows = "1,a name of some length that fills the buffers\n".repeat(600_000);
    let source = Source::of(&[("a.csv", &format!("sku,name\n{rows}"))]);
    let open_files = || {
        let links = std::fs::read_dir(format!("/proc/{}/fd", source.child.id())).unwrap();
        links
            .filter(|link| std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|to| to.ends_with("a.csv")))
            .count()
    };
    let mut stream = source.send("GET /read HTTP/1.1\r\nhost: localhost\r\n\r\n");
    // Rows have come, and the rest does not fit into the buffers on the way.
    stream.read_exact(&mut [0; 100_000]).unwrap();
    assert!(open_files() > 0, "it is being read");
    drop(stream);
    wait_for("the end of the work", || open_files() == 0);
    assert_eq!(source.get("/sense").json()["status"], 1);
}

/// A sheet is held as a whole, so there are few places. Who takes the rows slowly must not keep one.
#[test]
fn slow_readers_of_a_sheet_keep_nobody_from_it() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["sku", "name"]).unwrap();
    // Too long for the buffers between the two ends.
    let name = "x".repeat(32_000);
    for row in 1..160 {
        sheet.write_row(row, 0, [&row.to_string(), &name]).unwrap();
    }
    let formats = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&formats, "[[format]]\nfiles = \"*.xlsx\"\nsheet = 1\n").unwrap();
    let source = Source::with(&[], &["--settle", "50ms", "--formats", formats.path().to_str().unwrap()]);
    source.write("a.xlsx", &workbook.save_to_buffer().unwrap());
    wait_for("the workbook", || source.get("/sense").json()["files"] == 1);
    let begin = || {
        let mut stream = source.send("GET /read HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.read_exact(&mut [0; 1 << 20]).unwrap();
        stream
    };
    let slow = [begin(), begin(), begin()];
    let mut honest = source.send("GET /read HTTP/1.0\r\nhost: localhost\r\n\r\n");
    honest.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut whole = Vec::new();
    honest.read_to_end(&mut whole).unwrap();
    assert!(whole.len() > 159 * 32_000 && whole.ends_with(b"x\n"), "{}", whole.len());
    // They get the rest, too, from a file.
    for stream in slow {
        let rest = stream.take(159 * 32_000 - (1 << 20)).read_to_end(&mut Vec::new());
        assert_eq!(rest.unwrap(), 159 * 32_000 - (1 << 20));
    }
}
