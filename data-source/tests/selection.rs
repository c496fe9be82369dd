//! Which files are served, and what is said about the others.

use serde_json::json;

use crate::support::{Source, ended, stderr, wait_for};

#[test]
fn only_selected_files_are_served() {
    let files = [("a.csv", "1"), ("b.csv", "2"), ("sub/a.csv", "3"), ("old/a.csv", "4")];
    let source = Source::with(&files, &["--settle", "20ms", "--include", "**/a*", "--exclude", "old/**"]);
    assert_eq!(source.paths(), ["a.csv", "sub/a.csv"]);
    assert_eq!(source.get("/read/b.csv").status.as_u16(), 404);
    for path in ["old/a2.csv", "c.csv", "sub/a2.csv"] {
        source.write(path, b"5");
    }
    wait_for("a new file", || source.paths() == ["a.csv", "sub/a.csv", "sub/a2.csv"]);
}

#[test]
fn what_is_left_out_is_said() {
    let files = [("a.xlsx", "1"), ("b.json", "2"), (".hidden.csv", "3"), ("c.csv", "4")];
    let mut source = Source::with(&files, &["--settle", "20ms", "--rescan", "50ms", "--exclude", "c.csv"]);
    let version = source.version();
    let manifest = source.get("/sense/files").json();
    let expect = json!([
        { "reason": "ending", "count": 1, "example": "b.json" },
        { "reason": "workbook", "count": 1, "example": "a.xlsx" },
        { "reason": "hidden", "count": 1, "example": ".hidden.csv" },
        { "reason": "excluded", "count": 1, "example": "c.csv" },
    ]);
    assert_eq!(manifest["left_out"], expect);
    assert!(source.get("/").text().contains("<td>c.csv</td>"));
    source.write("a.doc", b"5");
    wait_for("the summary", || source.get("/sense/files").json()["left_out"][0]["example"] == "a.doc");
    assert_eq!(source.version(), version, "it says nothing about the files");
    source.signal("TERM");
    ended(&mut source.child);
    let log = stderr(&mut source.child);
    let warning = log.lines().find(|line| line.contains("no file is offered")).expect("a warning");
    for part in [
        "WARN",
        "1 left out: not named .csv",
        "(`a.xlsx`)",
        "sheet = 1",
        "1 left out: hidden (`.hidden.csv`)",
        "--exclude",
    ] {
        assert!(warning.contains(part), "{warning} lacks {part}");
    }
}

#[test]
fn a_source_that_offers_files_warns_of_nothing() {
    let mut source = Source::with(&[("a.csv", "1"), ("b.xlsx", "2")], &["--settle", "20ms"]);
    source.signal("TERM");
    ended(&mut source.child);
    let log = stderr(&mut source.child);
    assert!(!log.contains("WARN"), "{log}");
}
