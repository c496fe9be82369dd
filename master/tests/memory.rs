//! Peaks of memory, measured by the running master itself: what is large must not be held as a whole.

use std::{collections::BTreeMap, fs, thread, time::Duration};

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    wait,
};

use crate::system::System;

const MEBIBYTE: u64 = 1 << 20;

/// The peak of the master's memory since it was forgotten last, in bytes.
fn peak(system: &System) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", system.master_id())).unwrap();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
    kibibytes.trim().parse::<u64>().unwrap() << 10
}

/// Forgets the peak: from now on it is what the master has.
fn forget_peak(system: &System) {
    fs::write(format!("/proc/{}/clear_refs", system.master_id()), "5").unwrap();
}

#[track_caller]
fn check_peak(system: &System, idle: u64, most: u64) {
    let above = peak(system).saturating_sub(idle) / MEBIBYTE;
    assert!(above < most, "{above} MiB above idle, and {most} are allowed");
}

/// A list of 200,000 files took 150 MiB, and one of a million 770: each entry was held twice, as six texts.
#[test]
fn a_long_list_of_files_takes_little_memory() {
    let mut system = System::new();
    let bad = FaultySource::start(&[("/sense", Answer::json(r#"{"status":1,"version":"v1"}"#))]);
    let hash = blake3::hash(b"").to_hex();
    let entry = |number: usize| {
        format!(
            r#"{{"path":"folder/of/files/{number:06}.csv","size":1,"modified":"2026-11-22T00:00:00.123456789Z","hash":"blake3:{hash}"}}"#
        )
    };
    let entries = (0..200_000).map(entry).collect::<Vec<_>>().join(",");
    system.configure(&format!("[[source]]\nname = \"bad\"\nurl = \"{}\"\n", bad.url));
    system.start_master_that_warns();
    let idle = peak(&system);
    // Before the list is there, the source has none.
    bad.answer("/sense/files", Answer::json(&format!(r#"{{"version":"v1","files":[{entries}]}}"#)));
    wait::until("its files are asked for", || bad.requests().iter().any(|line| line.contains("/read/")).then_some(()));
    check_peak(&system, idle, 70);
}

/// All that was read of a version was held until it was applied: 200,000 files of one row took 321 MiB.
#[test]
fn files_that_are_read_are_applied_in_parts() {
    const FILES: usize = 5_000;
    let mut system = System::new();
    let body = |number: usize| {
        let reject = format!(",{}\n", "x".repeat(1_000));
        format!("sku,name\n{number},Name\n{}", reject.repeat(20))
    };
    let mut entries = Vec::new();
    let many = FaultySource::start(&[("/sense", Answer::json(r#"{"status":1,"version":"v1"}"#))]);
    for number in 0..FILES {
        let (path, body) = (format!("{number:05}.csv"), body(number));
        let (size, hash) = (body.len(), format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex()));
        entries.push(json!({ "path": path, "size": size, "modified": "2026-11-22T00:00:00Z", "hash": hash }));
        many.answer(&format!("/read/{path}"), Answer::csv(&body));
    }
    let source = format!("[[source]]\nname = \"many\"\nurl = \"{}\"\n", many.url);
    system.configure(&format!("[limits]\nfiles_per_part = 500\n{source}"));
    system.start_master_that_warns();
    let idle = peak(&system);
    many.answer("/sense/files", Answer::json(&json!({ "version": "v1", "files": entries }).to_string()));
    wait::within(Duration::from_secs(300), Duration::from_millis(100), || {
        (system.json("/api/v1/sources")["items"][0]["offers"] == FILES).then_some(())
    })
    .expect("all of them are applied");
    check_peak(&system, idle, 100);
}

/// Lists of all sources together may take so much, or forty hostile ones take the memory forty times.
#[test]
fn lists_of_files_share_their_memory() {
    let mut system = System::new();
    let bad = FaultySource::start(&[("/sense", Answer::json(r#"{"status":1,"version":"v1"}"#))]);
    let entry = |number| json!({ "path": format!("{number}.csv"), "size": 1, "modified": "", "hash": "x" });
    let entries: Vec<Value> = (0..20_000).map(entry).collect();
    bad.answer("/sense/files", Answer::json(&json!({ "version": "v1", "files": entries }).to_string()));
    system.configure(&format!("[limits]\nlists = \"512KiB\"\n[[source]]\nname = \"bad\"\nurl = \"{}\"\n", bad.url));
    system.start_master_that_warns();
    let error =
        wait::until("it says why", || system.json("/api/v1/sources")["items"][0]["error"].as_str().map(str::to_owned));
    assert!(error.contains("`lists` in `[limits]` is 512 KiB"), "{error}");
}

/// Lists were read 5,000 rows at a time, and merged a thousand at a time, however large: sixteen clients took 12 GiB.
#[test]
fn products_with_large_texts_are_never_held_together() {
    const PRODUCTS: usize = 60;
    let mut system = System::new();
    let feed = |letter: &str| {
        let rows = (0..PRODUCTS).map(|number| format!("{number:03},Name,{}\n", letter.repeat(1_000_000)));
        format!("sku,name,description\n{}", rows.collect::<String>())
    };
    system.write("a", "feed.csv", feed("x"));
    let url = system.serve("a");
    system.configure(&format!("[limits]\nsorted_rows = \"16MiB\"\n[[source]]\nname = \"a\"\nurl = \"{url}\"\n"));
    system.start_master(&[]);
    let idle = peak(&system);
    system.sync();
    check_peak(&system, idle, 160);
    forget_peak(&system);
    let (mut next, mut count, mut pages) = (String::new(), 0, 0);
    loop {
        let page = system.json(&format!("/api/v1/products?limit=10000{next}"));
        count += page["items"].as_array().unwrap().len();
        pages += 1;
        let Some(place) = page["next"].as_str() else { break };
        next = format!("&after={place}");
    }
    assert_eq!(count, PRODUCTS);
    assert!(pages > 9, "{pages}");
    // Those before a place begin where they should, too.
    let page = system.json("/api/v1/products?limit=10000&before=050");
    let items = page["items"].as_array().unwrap();
    assert_eq!((items.last().unwrap()["sku"].as_str(), items.len() < 10), (Some("049"), true), "{}", items.len());
    assert!(page["previous"].is_string());
    thread::scope(|scope| {
        for path in [
            "/api/v1/products?format=csv",
            "/api/v1/products?format=csv&limit=40&before=050",
            "/api/v1/products?format=csv&sort=-name",
        ] {
            let system = &system;
            scope.spawn(move || {
                let expect = if path.contains("before") { 40 } else { PRODUCTS };
                let body = String::from_utf8(system.ask("GET", path, "").body).unwrap();
                assert_eq!(body.matches(",Name,").count(), expect, "{path}");
            });
        }
    });
    // All stored rows are met again.
    system.write("a", "feed.csv", feed("y"));
    system.sync();
    check_peak(&system, idle, 160);
}

/// Asks for these lists in turns, so many clients at once, and returns how often each status was answered.
fn at_once(system: &System, clients: usize, paths: &[&str]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    thread::scope(|scope| {
        let ask = |number: usize| {
            let path = paths[number % paths.len()];
            scope.spawn(move || system.ask("GET", path, "").status)
        };
        let clients: Vec<_> = (0..clients).map(ask).collect();
        clients.into_iter().for_each(|client| *counts.entry(client.join().unwrap()).or_default() += 1);
    });
    counts
}

/// They took 372 MiB: the caches of eight readers, and what the load had freed but not given back.
#[test]
fn a_load_and_many_lists_of_large_texts_take_little_memory_together() {
    let mut system = System::new();
    let url = system.serve("a");
    system.configure(&format!("[[source]]\nname = \"a\"\nurl = \"{url}\"\n"));
    system.start_master(&[]);
    system.sync();
    let idle = peak(&system);
    let rows: String = (0..100).map(|number| format!("{number:03},Name,{}\n", "x".repeat(1_000_000))).collect();
    system.write("a", "feed.csv", format!("sku,name,description\n{rows}"));
    system.sync();
    let paths =
        ["/api/v1/products?limit=100", "/products", "/api/v1/products?format=xlsx", "/api/v1/products?format=csv"];
    let counts = at_once(&system, 32, &paths);
    assert!(counts[&200] >= 16, "{counts:?}");
    check_peak(&system, idle, 250);
}

/// A list of names was read 100,000 rows at a time, and as JSON held as a whole: 32 of them took a gigabyte.
#[test]
fn lists_of_long_names_take_little_memory() {
    let mut system = System::new();
    let rows: String = (0..10_000).map(|number| format!("{number},{number:06}{},\n", "n".repeat(2_000))).collect();
    system.write("a", "feed.csv", format!("sku,name,description\n{rows}"));
    let url = system.serve("a");
    system.configure(&format!("[[source]]\nname = \"a\"\nurl = \"{url}\"\n"));
    system.start_master(&[]);
    system.sync();
    forget_peak(&system);
    let idle = peak(&system);
    let paths = ["/api/v1/aggr?limit=10000", "/api/v1/aggr?limit=10000&offset=7", "/api/v1/aggr?format=csv"];
    let counts = at_once(&system, 32, &paths);
    assert!(counts[&200] >= 16, "{counts:?}");
    check_peak(&system, idle, 150);
    let page = system.json("/api/v1/aggr?limit=10000&offset=5000");
    assert_eq!((page["items"].as_array().unwrap().len(), page["total"].as_i64()), (5_000, Some(10_000)));
    assert!(
        page["items"][0]["name"].as_str().unwrap().starts_with("005000n") && page["items"][0]["no_of_products"] == 1
    );
}

/// A list of all rows, the groups of the total and the sums for the next update: a million groups took 616 MiB.
#[test]
fn reports_of_large_groups_take_the_memory_that_is_set() {
    const GROUPS: usize = 4_000;
    let mut system = System::new();
    let group = |number: usize| format!("{number:04}{}", "g".repeat(6_000));
    let feed = |factor: usize| {
        let rows = (0..GROUPS).map(|number| format!("{},{number}.5,{}\n", group(number), number * factor));
        format!("g,a,b\n{}", rows.collect::<String>())
    };
    let mut config = "[limits]\nreport_memory = \"4MiB\"\n[[report]]\nname = \"big\"\nfiles = \"sales.csv\"\n\
        group_by = [\"g\"]\nmetrics = { s = \"sum(a)\", l = \"min(b)\", t = \"sum(b)\" }\n"
        .to_owned();
    for (source, factor) in [("a", 1), ("b", 2)] {
        system.write(source, "sales.csv", feed(factor));
        config += &format!("[[source]]\nname = \"{source}\"\nurl = \"{}\"\n", system.serve(source));
    }
    system.configure(&config);
    system.start_master(&[]);
    let idle = peak(&system);
    let last = |query: &str| {
        let rows = system.json(&format!("/api/v1/reports/big?{query}limit=1&offset={}", GROUPS - 1));
        let row = rows["items"].as_array().filter(|rows| !rows.is_empty()).map(|rows| rows[0].clone())?;
        assert_eq!(row["g"], group(GROUPS - 1));
        Some(["s", "l", "t"].map(|metric| row[metric].to_string()).join(" "))
    };
    wait::until("all are added", || (last("").as_deref() == Some("7999 3999 11997")).then_some(()));
    // Of one source, and of one path.
    assert_eq!(last("source=b&").as_deref(), Some("3999.5 7998 7998"));
    assert_eq!(last("file=sales.csv&"), last(""));
    check_peak(&system, idle, 120);
    // All rows together are too many to be sorted, but a few are not.
    assert_eq!(system.ask("GET", "/api/v1/reports/big?source=b&order=-s", "").status, 422);
    assert_eq!(system.json("/api/v1/reports/big?source=b&order=-s&limit=2")["items"][1]["s"], 3998.5);
    check_peak(&system, idle, 120);
}
