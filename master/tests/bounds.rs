//! Sources that send more than any good one does: each bound ends it with a reason, costs nobody else, and loses nothing.

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    process, wait,
};

use crate::system::System;

/// Longest text of a source on a page or in the API, and some markup around it.
const MAX_SHOWN: usize = 64 << 10;

fn hash(body: &str) -> String {
    format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex())
}

fn entry(path: &str, body: &str) -> Value {
    json!({ "path": path, "size": body.len(), "modified": "2026-11-22T00:00:00Z", "hash": hash(body) })
}

/// A source that lists these files, which it has.
fn holding(files: &[(&str, &str)]) -> FaultySource {
    let source = FaultySource::start(&[("/sense", Answer::json(r#"{"status":1,"version":"v1"}"#))]);
    let listed: Vec<_> = files.iter().map(|(path, body)| entry(path, body)).collect();
    list(&source, &json!({ "version": "v1", "files": listed }));
    for (path, body) in files {
        source.answer(&format!("/read/{path}"), Answer::csv(body));
    }
    source
}

fn list(source: &FaultySource, manifest: &Value) {
    source.answer("/sense/files", Answer::json(&manifest.to_string()));
}

/// A system with a good source beside `bad`, which has these lines in its configuration.
fn beside(bad: &FaultySource, lines: &str) -> System {
    let mut system = System::new();
    system.write("good", "feed.csv", "sku,name\ng,Good\n");
    let good = system.serve("good");
    let section = |name: &str, url: &str, lines: &str| {
        format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\nmax_removal = false\n{lines}\n")
    };
    system.configure(&(section("bad", &bad.url, lines) + &section("good", &good, "")));
    system
}

/// Runs the master once. It must apply these skus, and say `why` of the bad source.
#[track_caller]
fn check(system: &System, why: &str, skus: &[&str]) {
    let output = system.once();
    let summary = process::stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(summary.contains(why), "`{summary}` does not say `{why}`");
    assert!(summary.len() < MAX_SHOWN, "{} bytes", summary.len());
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), skus);
}

#[test]
fn a_list_of_too_many_files_keeps_what_was_applied() {
    let bad = holding(&[("a.csv", "sku,name\na,A\n"), ("b.csv", "sku,name\nb,B\n")]);
    let system = beside(&bad, "max_files = 2");
    system.once_ok();
    let many: Vec<_> = (0..3).map(|number| entry(&format!("{number}.csv"), "sku,name\nc,C\n")).collect();
    list(&bad, &json!({ "version": "v2", "files": many }));
    check(&system, "lists 3 files, and the limit `max_files` of this source is 2", &["a", "b", "g"]);
    let many: Vec<_> = (0..600).map(|number| entry(&format!("{number}.csv"), "")).collect();
    list(&bad, &json!({ "version": "v2", "files": many }));
    check(&system, "its limit `max_files` is 2 files", &["a", "b", "g"]);
    for (path, digest) in [("x".repeat(5_000), hash("")), ("a.csv".to_owned(), "f".repeat(5_000))] {
        let long = json!({ "path": path, "size": 1, "modified": "2026-11-22T00:00:00Z", "hash": digest });
        list(&bad, &json!({ "version": "v2", "files": [long] }));
        check(&system, "a text of 5000 bytes where at most", &["a", "b", "g"]);
    }
}

#[test]
fn a_source_that_has_none_of_its_files_is_not_asked_for_each() {
    let bad = holding(&[]);
    let many: Vec<_> = (0..5_000).map(|number| entry(&format!("{number}.csv"), "sku,name\nc,C\n")).collect();
    list(&bad, &json!({ "version": "v1", "files": many }));
    let system = beside(&bad, "");
    check(&system, "files were not asked for, because those before them failed", &["g"]);
    let reads = bad.requests().iter().filter(|line| line.contains("/read/")).count();
    assert!((1_000..1_010).contains(&reads), "a thousand, and no second round: {reads}");
}

#[test]
fn a_file_that_is_too_large_costs_itself() {
    let large = format!("sku,name\nl,L\n{}", " ".repeat(100_000));
    let bad = holding(&[("large.csv", &large), ("small.csv", "sku,name\ns,S\n")]);
    let system = beside(&bad, "max_file_size = \"10KiB\"");
    check(&system, "large.csv: a file of 100013 bytes or more; the limit `max_file_size`", &["g", "s"]);
    let plain = FaultySource::plain(&large);
    let system = beside(&plain, "max_file_size = \"10KiB\"");
    check(&system, "the limit `max_file_size` of this source is 10240 bytes", &["g"]);
    assert_eq!(
        plain.requests().iter().filter(|line| line.starts_with("GET /read")).count(),
        1,
        "it is not tried again"
    );
}

#[test]
fn rejects_beyond_the_limit_of_a_source_are_only_counted() {
    let rows = |sku: &str| format!("sku,name\n{sku},N\n{}", "x\n".repeat(9));
    let bad = holding(&[("a.csv", &rows("a")), ("b.csv", &rows("b"))]);
    let system = beside(&bad, "max_rejects = 12");
    let output = system.once();
    assert!(process::stdout(&output).contains("18 rows"), "{}", process::stdout(&output));
    assert_eq!(system.table("rejects").len(), 12);
    let counted: i64 = system.table("files").iter().map(|file| file["rejects"].as_i64().unwrap()).sum();
    assert_eq!(counted, 18);
}

#[test]
fn the_spool_leaves_free_space_on_the_disk() {
    let large = format!("sku,name\nl,L\n{}", "\n".repeat(100_000));
    let bad = holding(&[("large.csv", &large), ("small.csv", "sku,name\ns,S\n")]);
    let mut system = beside(&bad, "");
    let sources = std::fs::read_to_string(system.home().join("tributary.toml")).unwrap();
    system.configure(&format!("keep_free = \"9000TiB\"\n{sources}"));
    let spool = system.beside("spool").file_name().unwrap().to_str().unwrap().to_owned();
    check(&system, &format!("{spool}: the disk has no room for 100013 bytes"), &["g", "s"]);
    system.start_master_that_warns();
    let error = wait::until("it says why", || {
        let source = system.json("/api/v1/sources")["items"][0].clone();
        source["error"]
            .as_str()
            .filter(|error| error.contains("`keep_free` = 9000 TiB must stay free"))
            .map(str::to_owned)
    });
    assert!(error.starts_with("large.csv: "), "{error}");
    let asked = bad.requests().len();
    wait::until("it is tried again", || (bad.requests().len() > asked + 4).then_some(()));
    let log = system.log();
    assert_eq!(log.matches("no large file is fetched").count(), 1, "{log}");
    assert_eq!(log.matches("large.csv").count(), 1, "{log}");
    system.stop_master();
    system.configure(&sources);
    system.once_ok();
    assert_eq!(system.products().into_keys().collect::<Vec<_>>(), ["g", "l", "s"]);
}

/// On PostgreSQL no pass over such a source was stored, so that none of its files was ever applied.
#[test]
fn a_nul_byte_in_the_words_of_a_source_costs_nothing_else() {
    const FEED: &str = "sku,name\na,A\n";
    let bad = holding(&[("a.csv", FEED)]);
    let system = beside(&bad, "");
    let unreadable = json!([{ "path": "u.csv", "error": "bad \0 sector" }]);
    list(&bad, &json!({ "version": "v1", "files": [entry("a.csv", FEED)], "unreadable": unreadable }));
    check(&system, "u.csv cannot be read: bad \u{2400} sector", &["a", "g"]);
}

/// A source's own words used to stand on pages whatever their length: 15 MB of them.
#[test]
fn texts_of_a_source_are_cut() {
    let long = |letter: &str| letter.repeat(12_000);
    let bad = holding(&[("a.csv", "sku,name\na,A\n")]);
    let mut system = beside(&bad, "");
    let unreadable = |number| json!({ "path": format!("u{number:02}.csv"), "error": long("é") });
    let unreadable: Vec<_> = (0..20).map(unreadable).collect();
    let left_out = [json!({ "reason": long("r"), "count": 1, "example": long("e") })];
    list(&bad, &json!({ "version": "v1", "files": [], "unreadable": unreadable, "left_out": left_out }));
    system.start_master(&[]);
    let error = || system.json("/api/v1/sources")["items"][0]["error"].as_str().map(str::to_owned);
    let found = wait::until("it says what is wrong", error);
    assert!(found.contains("u00.csv") && found.ends_with("; and 10 more"), "{found}");
    for path in ["/", "/sources", "/sources/bad", "/api/v1/sources", "/api/v1/sources/bad"] {
        let length = system.ask("GET", path, "").body.len();
        assert!(length < MAX_SHOWN, "{path} has {length} bytes");
    }
    list(&bad, &json!({ "version": "v2", "files": [], "left_out": left_out }));
    bad.answer("/sense", Answer::json(r#"{"status":1,"version":"v2"}"#));
    let note =
        wait::until("it has a note", || system.json("/api/v1/sources")["items"][0]["note"].as_str().map(str::to_owned));
    assert!(note.contains("offers no file") && note.len() < 10_000, "{} bytes", note.len());
    bad.answer("/sense", Answer::json(&json!({ "status": 1, "version": long("v") }).to_string()));
    wait::until("it is down", || error().filter(|error| error.contains("a text of 12000 bytes")));
}
