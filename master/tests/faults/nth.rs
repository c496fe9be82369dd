//! The n-th answer of a source is spoilt, for each n of a pass, once or with all that follow. What was applied stays as it is, file by file, and
//! the version follows by itself.

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    wait,
};

use super::hash;
use crate::system::System;

/// Requests of a pass: what is there, the list, three files, the report's question, and its file.
const REQUESTS: usize = 7;
/// Rows of the file that is fetched to the spool.
const BIG: u64 = 2_000;

fn rows(word: &str, count: u64, version: usize) -> String {
    let text = "x".repeat(50);
    (0..count)
        .fold("sku,name,description\n".to_owned(), |feed, row| feed + &format!("{word}{row},{word} {version},{text}\n"))
}

/// Makes the source hold this version of three files.
fn hold(source: &FaultySource, version: usize) {
    let sales = format!("dept,n\nbooks,{version}\n");
    let files = [("big.csv", rows("big", BIG, version)), ("feed.csv", rows("feed", 2, version)), ("sales.csv", sales)];
    let entry = |(path, body): &(&str, String)| json!({ "path": path, "size": body.len(), "modified": "2026-11-22T00:00:00Z", "hash": hash(body) });
    let manifest = json!({ "version": version.to_string(), "files": files.iter().map(entry).collect::<Vec<_>>() });
    for (path, body) in &files {
        source.answer(&format!("/read/{path}"), Answer::csv(body));
    }
    source.answer("/sense/files", Answer::json(&manifest.to_string()));
    source.answer("/sense", Answer::json(&format!(r#"{{"status":1,"version":"{version}"}}"#)));
}

/// The products by name, and the report.
fn tables(system: &System) -> (Vec<(String, u64)>, Value) {
    let names = system.json("/api/v1/aggr?limit=1000")["items"].clone();
    let names = names.as_array().unwrap().iter();
    let names = names.map(|row| (row["name"].as_str().unwrap().to_owned(), row["no_of_products"].as_u64().unwrap()));
    (names.collect(), system.json("/api/v1/reports/sales")["items"].clone())
}

fn expected(version: usize) -> (Vec<(String, u64)>, Value) {
    let names = vec![(format!("big {version}"), BIG), (format!("feed {version}"), 2)];
    (names, json!([{"dept": "books", "rows": 1, "total": version}]))
}

/// Each file is there as a whole, in this version or the one before.
#[track_caller]
fn assert_whole(system: &System, version: usize) {
    let (names, report) = tables(system);
    assert_eq!(names.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [BIG, 2], "{names:?}");
    let is_known = |name: &str| [version, version - 1].iter().any(|version| name.ends_with(&format!(" {version}")));
    assert!(names.iter().all(|(name, _)| is_known(name)), "{names:?}");
    assert!([version, version - 1].iter().any(|version| report == expected(*version).1), "{report}");
}

fn check(spoil: fn(Answer) -> Answer) {
    let source = FaultySource::start(&[]);
    let mut system = System::new();
    hold(&source, 0);
    let report = "[[report]]\nname = \"sales\"\nfiles = \"sales.csv\"\ngroup_by = \"dept\"\n\
         metrics = { rows = \"count()\", total = \"sum(n)\" }\n";
    system.configure(&format!("[[source]]\nname = \"a\"\nurl = \"{}\"\nmax_removal = false\n{report}", source.url));
    system.start_master_that_warns();
    let follow = |version| {
        wait::until(&format!("version {version} is applied"), || (tables(&system) == expected(version)).then_some(()));
    };
    follow(0);
    let mut version = 0;
    for lasts in [false, true] {
        for nth in 0..REQUESTS + 2 {
            version += 1;
            let before = source.requests().len();
            source.fail(nth, spoil, lasts);
            hold(&source, version);
            wait::until("the fault is met", || (source.requests().len() > before + nth + 2).then_some(()));
            assert_whole(&system, version);
            if lasts {
                assert!(!source.recover(), "it was met");
            }
            follow(version);
        }
    }
    assert!(system.log().contains("source `a` is down: "), "it was said: {}", system.log());
    assert!(!system.log().contains("panicked"), "{}", system.log());
}

#[test]
fn the_nth_answer_is_an_error() {
    check(|_| Answer::Status("500 Internal Server Error"));
}

#[test]
fn the_nth_answer_is_missing() {
    check(|_| Answer::Status("404 Not Found"));
}

#[test]
fn the_nth_answer_is_no_answer() {
    check(|_| Answer::Raw(b""));
}

#[test]
fn the_nth_answer_is_cut() {
    check(|answer| match answer {
        Answer::Ok(kind, body) => Answer::Cut(kind, body),
        other => other,
    });
}

#[test]
fn the_nth_answer_is_a_web_page() {
    check(|_| Answer::Ok("text/html", b"<!doctype html><p>hello".to_vec()));
}

/// The bytes are others than those that the hash stands for. They were never applied, so the names are known ones.
#[test]
fn the_nth_answer_is_corrupt() {
    check(|answer| match answer {
        Answer::Ok("text/csv", body) => Answer::Ok(
            "text/csv",
            String::from_utf8(body).unwrap().replace("big ", "bog ").replace("books", "looks").into(),
        ),
        Answer::Ok(kind, body) => Answer::Cut(kind, body),
        other => other,
    });
}
