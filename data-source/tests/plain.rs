//! `POST /plain`: which files any CSV reader reads alike, and what is refused.

use serde_json::{Value, json};

use crate::{
    aggregate::{count, hash_of},
    support::Source,
};

fn request(source: &Source, path: &str) -> Value {
    json!({"path": path, "hash": hash_of(source, path), "format": tributary_report::partial_format()})
}

/// The last line of an answer.
fn last(source: &Source, asked: &Value) -> Value {
    let answer = source.post("/plain", &asked.to_string());
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/x-ndjson"));
    serde_json::from_str(answer.text().lines().last().unwrap()).unwrap()
}

#[test]
fn a_plain_file_has_what_its_columns_have_in_common() {
    let source = Source::of(&[("a b.csv", "shop,price\nnorth,1.50\n\" s\",\n")]);
    let column = |name: &str, [empty, padded, texts, whole, fraction]: [u64; 5]| json!({"name": name, "empty": empty, "padded": padded, "texts": texts, "whole": whole, "fraction": fraction});
    let columns = [column("shop", [0, 1, 2, 0, 0]), column("price", [1, 0, 0, 1, 2])];
    let found = &last(&source, &request(&source, "a b.csv"))["plain"];
    assert_eq!(found["columns"], json!(columns));
    assert_eq!((&found["delimiter"], &found["header"], &found["rows"]), (&json!(","), &json!(true), &json!(2)));
    assert!(found["format"].as_str().unwrap().contains("UTF-8"), "{found}");
}

#[test]
fn a_file_that_readers_read_differently_says_where() {
    let source = Source::of(&[("a.csv", "a,b\n1,2\n\n3,4\n"), ("b.csv", "a,b\n1\n")]);
    let reason = |path: &str| last(&source, &request(&source, path))["not_plain"]["reason"].clone();
    assert_eq!(reason("a.csv"), "line 3 is empty");
    assert!(reason("b.csv").as_str().unwrap().contains("line 2"), "{}", reason("b.csv"));
}

#[test]
fn the_answer_is_remembered_and_depends_on_the_settings() {
    let source = Source::of(&[("a.csv", "x;y\n1;2\n")]);
    let mut asked = request(&source, "a.csv");
    let again = "tributary_source_partials_kept_total ";
    let before = count(&source, again);
    assert_eq!(last(&source, &asked), last(&source, &asked));
    assert_eq!(count(&source, again), before + 1);
    asked["settings"] = json!({"null": ["2"]});
    assert!(last(&source, &asked)["not_plain"]["reason"].as_str().unwrap().contains("other cells"));
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let source = Source::of(&[("a.csv", "a\n1\n")]);
    let good = request(&source, "a.csv");
    let status = |member: &str, value: Value| {
        let mut asked = good.clone();
        asked[member] = value;
        source.post("/plain", &asked.to_string()).status.as_u16()
    };
    assert_eq!(status("hash", json!("blake3:0")), 412);
    assert_eq!(status("path", json!("missing.csv")), 404);
    assert_eq!(status("format", json!("0")), 409);
    assert_eq!(status("report", json!({})), 400);
    assert_eq!(status("settings", json!({"encoding": "klingon"})), 400);
    assert_eq!(source.get("/plain").status.as_u16(), 405);
}
