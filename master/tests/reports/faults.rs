//! Sources whose `/aggregate` misbehaves: products never wait for it, nothing wrong is summed, and the right totals come once it behaves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tributary_config::report_reader;
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    process::{stderr, stdout},
    wait,
};

use super::wait_for;
use crate::system::System;

pub(super) const REPORT: &str = r#"
[[report]]
name = "sales"
files = "*sales.csv"
group_by = "dept"
metrics = { rows = "count()", total = "sum(n)" }
"#;
pub(super) const SALES: &str = "dept,n\nbooks,1\ntoys,2\n";
pub(super) const HEAD: &str = r#"{"partial":{"rows":2,"passed_over":0,"rejected":0,"rejects":[],"groups":2}}"#;
pub(super) const BOOKS: &str = r#"{"group":[["books"],1,["1 1 0"]]}"#;
pub(super) const TOYS: &str = r#"{"group":[["toys"],1,["1 2 0"]]}"#;
pub(super) const END: &str = r#""end""#;

fn hash(body: &str) -> String {
    format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex())
}

pub(super) fn lines(lines: &[&str]) -> Answer {
    Answer::Ok("application/x-ndjson", (lines.join("\n") + "\n").into_bytes())
}

/// A source with a feed and sales, whose version moves with each of its feeds.
pub(super) struct Bad(pub(super) FaultySource);

impl Bad {
    pub(super) fn new() -> Self {
        let bad = Self(FaultySource::start(&[("/read/bad_sales.csv", Answer::csv(SALES))]));
        bad.holds("0", SALES);
        bad
    }

    pub(super) fn holds(&self, sku: &str, sales: &str) {
        let feed = format!("sku,name\nbad{sku},Bad\n");
        let entry = |path: &str, body: &str| {
            let (size, hash) = (body.len(), hash(body));
            json!({ "path": path, "size": size, "modified": "2026-11-22T00:00:00Z", "hash": hash })
        };
        let files = json!({ "version": sku, "files": [entry("bad_sales.csv", sales), entry("feed.csv", &feed)] });
        self.0.answer("/read/feed.csv", Answer::csv(&feed));
        self.0.answer("/sense/files", Answer::json(&files.to_string()));
        self.0.answer("/sense", Answer::json(&format!(r#"{{"status":1,"version":"{sku}"}}"#)));
    }

    pub(super) fn aggregates(&self, answer: Answer) {
        self.0.answer("/aggregate", answer);
    }

    fn asked(&self) -> usize {
        self.0.requests().iter().filter(|line| line.starts_with("POST /aggregate")).count()
    }

    fn read(&self) -> usize {
        self.0.requests().iter().filter(|line| line.starts_with("GET /read/bad_sales.csv")).count()
    }
}

/// A good source and a bad one, and a master whose warnings are kept.
fn world() -> (System, Bad) {
    let (mut system, bad) = (System::new(), Bad::new());
    bad.aggregates(lines(&[HEAD, BOOKS, TOYS, END]));
    system.write("good", "sales.csv", "dept,n\ntoys,10\n");
    system.write("good", "feed.csv", "sku,name\ng,Good\n");
    let good = system.serve("good");
    let source = |name: &str, url: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n");
    system.configure(&(source("bad", &bad.0.url) + &source("good", &good) + REPORT));
    system.start_master_that_warns();
    wait_for(&system, "sales", &both());
    (system, bad)
}

fn both() -> Value {
    json!([{"dept": "books", "rows": 1, "total": 1}, {"dept": "toys", "rows": 2, "total": 12}])
}

/// Waits until this product is shown, and returns how long that took.
#[track_caller]
fn shown(system: &System, sku: &str) -> Duration {
    let started = Instant::now();
    let path = format!("/api/v1/products/{sku}");
    wait::until(&format!("{sku} is shown"), || (system.ask("GET", &path, "").status == 200).then_some(()));
    started.elapsed()
}

#[test]
fn nothing_that_it_says_is_summed_or_stops_anything() {
    let (system, bad) = world();
    let long = "x".repeat(100 << 20);
    let huge = r#"{"group":[["toys"],1,["18446744073709551615 2 0"]]}"#;
    let much = r#"{"partial":{"rows":18446744073709551615,"passed_over":0,"rejected":18446744073709551615,"rejects":[],"groups":2}}"#;
    let answers = [
        ("is cut", Answer::Cut("application/x-ndjson", [HEAD, BOOKS, TOYS, END].join("\n").into_bytes())),
        ("ends early", lines(&[HEAD, BOOKS, TOYS])),
        ("garbage", lines(&["garbage"])),
        ("garbage behind groups", lines(&[HEAD, BOOKS, "{\"group\":", TOYS, END])),
        ("no line", lines(&[])),
        ("a long line", lines(&[HEAD, &long, TOYS, END])),
        ("a key too many", lines(&[HEAD, r#"{"group":[["books","x"],1,["1 1 0"]]}"#, TOYS, END])),
        ("no key", lines(&[HEAD, r#"{"group":[[],1,["1 1 0"]]}"#, TOYS, END])),
        ("an empty key", lines(&[HEAD, r#"{"group":[[""],1,["1 1 0"]]}"#, TOYS, END])),
        ("a NUL", lines(&[HEAD, r#"{"group":[["a\u0000b"],1,["1 1 0"]]}"#, TOYS, END])),
        ("a part too many", lines(&[HEAD, r#"{"group":[["books"],1,["1 1 0","1 1 0"]]}"#, TOYS, END])),
        ("no part", lines(&[HEAD, BOOKS, r#"{"group":[["toys"],1,[]]}"#, END])),
        ("no sum", lines(&[HEAD, BOOKS, r#"{"group":[["toys"],1,["many"]]}"#, END])),
        ("a group twice", lines(&[HEAD, TOYS, TOYS, END])),
        ("a negative count", lines(&[HEAD, BOOKS, r#"{"group":[["toys"],-1,["1 1 0"]]}"#, END])),
        ("a huge count", lines(&[HEAD, BOOKS, r#"{"group":[["toys"],18446744073709551615,["1 1 0"]]}"#, END])),
        ("a huge count of numbers", lines(&[HEAD, BOOKS, huge, END])),
        ("huge counts in its head", lines(&[much, BOOKS, TOYS, END])),
        ("fewer groups than it says", lines(&[HEAD, BOOKS, END])),
        ("more groups than it says", lines(&[HEAD, BOOKS, TOYS, r#"{"group":[["x"],0,["0 0 0"]]}"#, END])),
        ("two heads", lines(&[HEAD, BOOKS, TOYS, HEAD, BOOKS, TOYS, END])),
        ("an end of nothing", lines(&[END])),
        ("groups of nothing", lines(&[BOOKS, TOYS, END])),
        ("a page", Answer::Ok("text/html", b"<p>hello".to_vec())),
        ("500", Answer::Status("500 Internal Server Error")),
        ("412", Answer::Status("412 Precondition Failed")),
        ("503", Answer::Status("503 Service Unavailable")),
        ("it says that it changed", lines(&[r#""changed""#])),
        ("it says that it failed", lines(&[r#"{"failed":{"detail":"disk"}}"#])),
    ];
    for (number, (what, answer)) in answers.into_iter().enumerate() {
        let (asked, sku) = (bad.asked(), format!("{}", number + 1));
        bad.aggregates(answer);
        // Other bytes than before, so that a partial is missing.
        bad.holds(&sku, &format!("{SALES}{}", "\n".repeat(number + 1)));
        system.write("good", "feed.csv", format!("sku,name\ng,Good\ng{sku},Good\n"));
        wait::until(&format!("{what}: it is asked"), || (bad.asked() > asked).then_some(()));
        shown(&system, &format!("bad{sku}"));
        shown(&system, &format!("g{sku}"));
        // Another source's change is summed meanwhile, with what the bad one gave before.
        let (rows, total) = (2 + number, 12 + number);
        let sale = "toys,1\n".repeat(number);
        system.write("good", "sales.csv", format!("dept,n\ntoys,10\n{sale}"));
        let expect = json!([{"dept": "books", "rows": 1, "total": 1}, {"dept": "toys", "rows": rows, "total": total}]);
        wait_for(&system, "sales", &expect);
        bad.aggregates(lines(&[HEAD, r#"{"group":[["books"],1,["1 5 0"]]}"#, TOYS, END]));
        let expect = json!([{"dept": "books", "rows": 1, "total": 5}, {"dept": "toys", "rows": rows, "total": total}]);
        wait_for(&system, "sales", &expect);
        bad.aggregates(lines(&[HEAD, BOOKS, TOYS, END]));
        bad.holds(&format!("{sku}-mended"), &format!("{SALES}{}", " ".repeat(number + 1)));
        let expect = json!([{"dept": "books", "rows": 1, "total": 1}, {"dept": "toys", "rows": rows, "total": total}]);
        wait_for(&system, "sales", &expect);
    }
    let said = system.log();
    assert!(!said.contains("panicked") && !said.contains("defect"), "{said}");
    // Some are said twice, where the second try meets the moment of the change.
    assert!(said.lines().count() < 100, "{said}");
}

#[test]
fn it_hangs_and_nobody_waits() {
    let (system, bad) = world();
    bad.aggregates(Answer::Hang);
    let asked = bad.asked();
    bad.holds("1", "dept,n\n");
    wait::until("it is asked", || (bad.asked() > asked).then_some(()));
    for number in 2..5 {
        bad.holds(&number.to_string(), "dept,n\n");
        system.write("good", "feed.csv", format!("sku,name\ng{number},Good\n"));
        system.write("good", "sales.csv", format!("dept,n\ntoys,{number}\n"));
        assert!(shown(&system, &format!("bad{number}")) < Duration::from_secs(10));
        assert!(shown(&system, &format!("g{number}")) < Duration::from_secs(10));
        let expect =
            json!([{"dept": "books", "rows": 1, "total": 1}, {"dept": "toys", "rows": 2, "total": 2 + number}]);
        wait_for(&system, "sales", &expect);
    }
    assert_eq!(bad.asked(), asked + 1, "it is not asked for more while it hangs");
    bad.aggregates(lines(&[r#"{"partial":{"rows":0,"passed_over":0,"rejected":0,"rejects":[],"groups":0}}"#, END]));
    wait_for(&system, "sales", &json!([{"dept": "toys", "rows": 1, "total": 4}]));
    assert!(system.log().lines().count() < 5, "{}", system.log());
}

#[test]
fn a_source_that_fails_for_long_is_one_warning() {
    let (system, bad) = world();
    bad.aggregates(Answer::Status("500 Internal Server Error"));
    let asked = bad.asked();
    let entry = |number: usize| {
        let path = format!("{number}_sales.csv");
        json!({ "path": path, "size": 9, "modified": "2026-11-22T00:00:00Z", "hash": hash(&path) })
    };
    let files: Vec<_> = (0..500).map(entry).collect();
    bad.0.answer("/sense/files", Answer::json(&json!({ "version": "many", "files": files }).to_string()));
    bad.0.answer("/sense", Answer::json(r#"{"status":1,"version":"many"}"#));
    wait::until("all are asked for twice", || (bad.asked() >= asked + 1_000).then_some(()));
    let said = system.log();
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("/aggregate")).collect();
    assert_eq!(warnings.len(), 3, "{said}");
    assert!(said.contains("and 497 more like these"), "{said}");
}

/// A group that no total can take was stored while another source, which was down, kept the totals from being computed. After that no
/// master started with the database any more.
#[test]
fn nothing_wrong_is_stored_while_totals_have_to_wait() {
    let (mut system, bad) = world();
    system.kill_master();
    let good = system.url("good").to_owned();
    system.stop("good");
    let source = |name: &str, url: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n");
    system.configure(&(source("bad", &bad.0.url) + &source("good", &good) + &REPORT.replace("sum(n)", "sum(n + 0)")));
    let asked = bad.asked();
    bad.aggregates(lines(&[HEAD, r#"{"group":[["books"],1,["1 1 0","1 1 0"]]}"#, TOYS, END]));
    system.start_master_that_warns();
    wait::until("it is asked twice", || (bad.asked() > asked + 1).then_some(()));
    let mut store = system.store();
    assert!(
        store
            .files_of_reader(&report_reader("sales"))
            .unwrap()
            .iter()
            .all(|file| file.path != "bad_sales.csv" || file.results == 2)
    );
    system.serve_at("good", &good);
    wait::until("the good one is up", || {
        let state = &system.json("/api/v1/sources")["items"][1]["state"];
        (state == "up").then_some(())
    });
    bad.aggregates(lines(&[HEAD, BOOKS, TOYS, END]));
    wait_for(&system, "sales", &both());
    system.kill_master();
    system.start_master(&[]);
    wait_for(&system, "sales", &both());
}

/// The answer of a data-source of the version before, and of programs of others.
#[test]
fn where_it_is_not_known_files_are_read_and_only_once() {
    for status in [
        "400 Bad Request",
        "404 Not Found",
        "405 Method Not Allowed",
        "409 Conflict",
        "422 Unprocessable Entity",
        "501 Not Implemented",
    ] {
        let bad = Bad::new();
        bad.aggregates(Answer::Status(status));
        let system = System::new();
        system.configure(&format!("[[source]]\nname = \"bad\"\nurl = \"{}\"\n{REPORT}", bad.0.url));
        for _ in 0..2 {
            let done = system.run("master", &["--once"]);
            assert!(done.status.success(), "{status}: {}{}", stdout(&done), stderr(&done));
            assert_eq!((bad.asked(), bad.read()), (1, 1), "{status}");
        }
        let mut store = system.store();
        let table = store.stored_report("sales").unwrap().unwrap();
        let rows = store.report_rows(&table, tributary_store::ReportRange::ALL).unwrap();
        assert_eq!(rows.iter().map(|row| row.group[0].as_str()).collect::<Vec<_>>(), ["books", "toys"]);
    }
}
