//! Pulled plugs and curious readers.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tributary_testkit::feed;

use crate::{
    model::{Model, Source},
    system::System,
};

fn generated(rows: u64, first: u64, seed: u64) -> Vec<u8> {
    let mut out = Vec::new();
    feed::write(&mut out, rows, first, seed).unwrap();
    out
}

fn source(name: &str) -> Source {
    Source { name: name.into(), folder: name.into(), priority: 0, name_column: None }
}

/// Asserts that the tables are those of a first run over the folders.
fn assert_tables(system: &System, sources: &[Source]) {
    let mut model = Model::default();
    model.pass(sources, |folder| system.folder(folder));
    let (products, aggr) = model.tables(sources);
    let stored =
        system.products().into_iter().map(|(sku, (name, description))| (sku, vec![name, description])).collect();
    assert_eq!(products, stored);
    assert_eq!(system.aggr(), aggr);
}

#[test]
fn a_killed_master_costs_nothing_but_time() {
    const KILLS: u32 = 12;
    let mut system = System::new();
    let sources = [source("north"), source("south")];
    for name in ["north", "south"] {
        system.write(name, "feed.csv", generated(3_000, 0, 1));
        system.serve(name);
    }
    // Each feed replaces most skus of the one before.
    system.configure_sources(&[("north", "max_removal = false"), ("south", "max_removal = false")]);
    let started = Instant::now();
    system.once_ok();
    let whole = started.elapsed();
    let mut killed = 0;
    for kill in 0..KILLS {
        system.write("north", "feed.csv", generated(3_000, u64::from(kill) * 500, u64::from(kill)));
        system.write("south", &format!("feed-{}.csv", kill % 3), generated(2_000, 1_000, u64::from(kill) + 50));
        system.settle("north");
        system.settle("south");
        let mut master =
            system.command("master", &["--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The moments are spread over the length of a run: this is the one place where time itself is the condition.
        std::thread::sleep(whole * kill / KILLS);
        killed += u32::from(master.try_wait().unwrap().is_none());
        master.kill().unwrap();
        master.wait().unwrap();
    }
    assert!(killed > KILLS / 3, "only {killed} of {KILLS} runs were killed in their middle");
    system.once_ok();
    assert_tables(&system, &sources);
    let left: Vec<_> = std::fs::read_dir(system.beside("spool")).unwrap().collect();
    assert!(left.is_empty(), "nothing is left in the spool: {left:?}");
}

/// The file is large enough to be remembered, so each run reads only what has changed since the last that was not killed.
#[test]
fn a_killed_master_remembers_nothing_wrong() {
    const KILLS: usize = 12;
    let mut system = System::new();
    let sources = [source("north")];
    let row = |row: u64| format!("Pen {},sku-{row:x},\"{}, blue\"", row % 999, "text ".repeat(15));
    let header = "name,sku,description".to_owned();
    let mut lines: Vec<String> = std::iter::once(header).chain((0..15_000).map(row)).collect();
    let mut write = |system: &mut System, change: usize| {
        let at = 1 + change * 977 % (lines.len() - 1);
        match change % 3 {
            0 => lines[at] = format!("Changed {change},new-{change},text"),
            1 => lines.insert(at, format!("Added {change},added-{change},text")),
            _ => drop(lines.remove(at)),
        }
        system.write("north", "feed.csv", lines.join("\n"));
        system.settle("north");
    };
    system.serve("north");
    write(&mut system, 0);
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    let started = Instant::now();
    write(&mut system, 12);
    system.once_ok();
    let whole = started.elapsed();
    for kill in 1..=KILLS {
        write(&mut system, kill);
        let mut master =
            system.command("master", &["--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * kill as u32 / KILLS as u32);
        master.kill().unwrap();
        master.wait().unwrap();
        // Now and then a run ends, and what it remembers counts.
        if kill % 4 == 0 {
            system.once_ok();
        }
    }
    system.once_ok();
    assert_tables(&system, &sources);
    let kept: Vec<_> = std::fs::read_dir(system.beside("cache")).unwrap().collect();
    assert_eq!(kept.len(), 1, "one content is remembered: {kept:?}");
}

/// A first load is large enough here to be written without the write-ahead log.
#[test]
fn a_first_load_that_is_killed_leaves_an_empty_database() {
    const ROWS: u64 = 60_000;
    const KILLS: u32 = 6;
    let mut system = System::new();
    system.write("north", "feed.csv", generated(ROWS, 0, 1));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    let started = Instant::now();
    system.once_ok();
    let whole = started.elapsed();
    system.assert_one_file();
    let expect = (system.products(), system.aggr());
    let mut journals = 0;
    for kill in 0..KILLS {
        system.use_another_database();
        let mut master =
            system.command("master", &["--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over the second half, in which the rows are written.
        std::thread::sleep(whole / 2 + whole * kill / KILLS / 2);
        master.kill().unwrap();
        master.wait().unwrap();
        let is_broken_off = system.file_beside("-journal").is_some();
        journals += u32::from(is_broken_off);
        let read = system.run("readdb", &["aggr", "--limit", "0"]);
        let told = tributary_testkit::process::stderr(&read);
        assert!(
            read.status.success() || (is_broken_off && told.contains("was broken off; start the master")),
            "{told}"
        );
        system.once_ok();
        assert_eq!((system.products(), system.aggr()), expect, "kill {kill}");
    }
    assert!(journals > 0 || system.file().is_none(), "no load was killed while it was written");
}

#[test]
fn a_reader_never_sees_half_a_version() {
    const ROWS: i64 = 4_000;
    let feed = |name: &str| (0..ROWS).fold("sku,name\n".to_owned(), |feed, row| feed + &format!("s{row},{name}\n"));
    let mut system = System::new();
    system.write("north", "feed.csv", feed("A"));
    system.serve("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();
    let done = AtomicBool::new(false);
    let (mut looks, mut seen) = (0, std::collections::BTreeSet::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for name in ["B", "A"].repeat(6) {
                system.write("north", "feed.csv", feed(name));
                system.once_ok();
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut store = system.store();
        let deadline = Instant::now() + Duration::from_secs(120);
        while !done.load(Ordering::Relaxed) && Instant::now() < deadline {
            let names = store.aggr_page(None, None, 10).unwrap();
            assert_eq!(names.len(), 1, "two versions at once: {names:?}");
            assert_eq!(names[0].no_of_products, ROWS);
            seen.insert(names[0].name.clone());
            looks += 1;
        }
    });
    assert!(looks > 10 && seen.len() == 2, "{looks} looks saw {seen:?}");
}
