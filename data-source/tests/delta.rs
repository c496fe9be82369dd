//! `/sense/files?since=VERSION`: what changed since a version.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, Source, wait_for};

impl Source {
    fn since(&self, version: &str) -> Answer {
        self.get(&format!("/sense/files?since={version}"))
    }

    /// Waits for a version that differs from this one, and returns it.
    fn version_after(&self, version: &str) -> String {
        wait_for("a new version", || self.version() != version);
        self.version()
    }
}

fn paths(manifest: &Value) -> Vec<&str> {
    manifest["files"].as_array().expect("files").iter().map(|file| file["path"].as_str().unwrap()).collect()
}

#[test]
fn a_delta_lists_what_changed_and_what_is_gone() {
    let source = Source::of(&[("a.csv", "1"), ("b.csv", "2"), ("c.csv", "3")]);
    let first = source.version();
    source.write("b.csv", b"22");
    let second = source.version_after(&first);
    fs::rename(source.path("c.csv"), source.path("d.csv")).unwrap();
    wait_for("the new name", || source.paths() == ["a.csv", "b.csv", "d.csv"]);
    let third = source.version();
    let check = |since: &str, files: &[&str], removed: Value| {
        let answer = source.since(since);
        let delta = answer.json();
        assert_eq!((&delta["version"], &delta["since"]), (&json!(third), &json!(since)));
        assert_eq!((&paths(&delta)[..], &delta["removed"]), (files, &removed));
    };
    check(&first, &["b.csv", "d.csv"], json!(["c.csv"]));
    check(&second, &["d.csv"], json!(["c.csv"]));
    check(&third, &[], Value::Null);
    let (delta, whole) = (source.since(&first).json(), source.get("/sense/files").json());
    assert_eq!(delta["files"][0], whole["files"][1], "an entry is the same in both");
}

#[test]
fn an_unknown_version_gets_the_whole_manifest() {
    let source = Source::of(&[("a.csv", "1"), ("b.csv", "2")]);
    let whole = source.get("/sense/files");
    assert_eq!(whole.json()["deltas"], true);
    for query in ["since=", "since=unknown", "since=a&since=b", "since=%FF", "sinec=x", "%"] {
        let answer = source.get(&format!("/sense/files?{query}"));
        assert_eq!((answer.status.as_u16(), answer.text()), (200, whole.text()), "{query}");
        assert_eq!(answer.header("etag"), whole.header("etag"), "{query}");
    }
    assert!(whole.json().get("since").is_none() && whole.json().get("removed").is_none());
}

#[test]
fn a_delta_is_never_taken_for_the_whole_manifest() {
    let source = Source::of(&[("a.csv", "1")]);
    let first = source.version();
    source.write("b.csv", b"2");
    let second = source.version_after(&first);
    let delta = source.since(&first);
    assert_eq!((delta.header("etag"), delta.header("cache-control")), ("", "no-store"));
    let url = format!("/sense/files?since={first}");
    let ask = |tag: &str| source.ask("GET", &url, &[("if-none-match", &format!("\"{tag}\""))]);
    assert_eq!(paths(&ask(&first).json()), ["b.csv"], "the caller has an older manifest");
    assert_eq!(ask(&second).status, 304, "the caller has this manifest");
}
