//! Files that are read while they arrive, and sorted in more than one piece.

use std::{collections::BTreeMap, time::Duration};

use tributary_testkit::{
    faulty::{Answer, FaultySource},
    process,
};

use crate::system::System;

/// Rows of (sku, name): every sku comes several times, far apart, and many begin alike.
fn rows(count: usize) -> Vec<(String, String)> {
    let row = |n: usize| (format!("same-begin-{:06}", n * 7_919 % 50_021), format!("café {}", n % 3_001));
    (0..count).map(row).collect()
}

/// Descriptions that make the file large.
fn feed(rows: &[(String, String)]) -> String {
    let filler = "word ".repeat(40);
    let lines = rows.iter().map(|(sku, name)| format!("{sku},{name},{filler}\n"));
    format!("sku,name,description\n{}", lines.collect::<String>())
}

/// In windows-1252, of which the texts above need one letter.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|letter| if letter == 'é' { 0xe9 } else { letter as u8 }).collect()
}

fn configure(system: &System, url: &str) {
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\nmax_removal = false\n"));
}

#[track_caller]
fn check(system: &System, rows: &[(String, String)]) {
    let expected: BTreeMap<String, String> = rows.iter().cloned().collect();
    let products: BTreeMap<String, String> =
        system.products().into_iter().map(|(sku, product)| (sku, product.0)).collect();
    assert_eq!(products.len(), expected.len());
    assert!(products == expected, "the products are not the last rows of each sku");
    let mut counts = BTreeMap::new();
    expected.into_values().for_each(|name| *counts.entry(name).or_insert(0) += 1);
    assert!(system.aggr().into_iter().eq(counts), "the counts are not those of the names");
}

#[test]
fn a_file_of_several_chunks_is_loaded_changed_and_emptied() {
    let mut rows = rows(110_000);
    let mut system = System::new();
    system.write("north", "feed.csv", feed(&rows));
    let url = system.serve("north");
    system.settle("north");
    configure(&system, &url);
    assert!(system.once_ok().contains("1 files read"));
    check(&system, &rows);
    let spool = system.beside("spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);

    rows[109_000].1 = "changed".into();
    rows.push(("another".into(), "café 1".into()));
    rows.drain(..60_000);
    system.write("north", "feed.csv", feed(&rows));
    system.settle("north");
    system.once_ok();
    check(&system, &rows);

    rows.truncate(1);
    system.write("north", "feed.csv", feed(&rows));
    system.settle("north");
    system.once_ok();
    check(&system, &rows);
}

#[test]
fn a_large_file_of_another_encoding_is_read_again() {
    let rows = rows(40_000);
    let mut system = System::new();
    system.write("north", "feed.csv", windows_1252(&feed(&rows)));
    let url = system.serve("north");
    system.settle("north");
    configure(&system, &url);
    system.once_ok();
    check(&system, &rows);
}

/// A source that lists one file of this content, whose hash is that of `announced`.
fn listing(body: &str, announced: &str, read: Answer) -> FaultySource {
    let hash = blake3::hash(announced.as_bytes()).to_hex();
    let entry = format!(r#"{{"path":"feed.csv","size":{},"modified":"","hash":"blake3:{hash}"}}"#, body.len());
    let sense =
        r#"{"status":1,"version":"v1","name":"north","files":1,"bytes":30,"changed_at":"2026-11-24T00:00:00Z"}"#;
    FaultySource::start(&[
        ("/sense", Answer::json(sense)),
        ("/sense/files", Answer::json(&format!(r#"{{"version":"v1","files":[{entry}]}}"#))),
        ("/read/feed.csv", read),
    ])
}

#[test]
fn a_body_that_comes_slowly_is_read_when_it_is_here() {
    let rows = rows(30_000);
    let body = feed(&rows);
    let pause = Answer::Pause("text/csv", body.clone().into_bytes(), Duration::from_millis(400));
    let source = listing(&body, &body, pause);
    let system = System::new();
    configure(&system, &source.url);
    system.once_ok();
    check(&system, &rows);
}

#[test]
fn what_was_read_of_a_body_with_another_hash_does_not_count() {
    let body = feed(&rows(30_000));
    for read in [Answer::csv(&body), Answer::Cut("text/csv", body.clone().into_bytes())] {
        let source = listing(&body, "something else", read);
        let system = System::new();
        configure(&system, &source.url);
        let output = system.once();
        assert_eq!(output.status.code(), Some(1), "{}", process::stdout(&output));
        assert!(system.products().is_empty());
    }
}

#[test]
fn sources_that_share_many_skus_go_together() {
    let mut system = System::new();
    let names = ["north", "east", "south"];
    let named = |name: &str| (0..3_000).map(|n| (format!("sku-{n}"), format!("{name} {}", n % 7))).collect::<Vec<_>>();
    for name in names {
        system.write(name, "feed.csv", feed(&named(name)));
        system.serve(name);
        system.settle(name);
    }
    system.configure_sources(&names.map(|name| (name, "")));
    system.once_ok();
    check(&system, &named("south"));
    system.configure_sources(&[("north", "")]);
    let output = system.once_with(&["--drop-sources", "east,south"]);
    assert!(output.status.success(), "{}", tributary_testkit::process::stderr(&output));
    check(&system, &named("north"));
    assert!(system.table("files").len() == 1 && system.table("sources").len() == 1);
}
