//! Versions of very many files, which are applied in parts: what is held is bounded, and what takes skus away comes last, at once.

use std::{collections::BTreeSet, fmt::Write, fs, process::Stdio};

use serde_json::{Value, json};
use tributary_store::Store;
use tributary_testkit::{process, wait};

use crate::system::{Aggr, Products, System};

/// A source whose versions are applied in parts of so many files.
fn system(files_per_part: usize, settings: &str) -> System {
    let mut system = System::new();
    system.serve("north");
    configure(&system, files_per_part, settings);
    system
}

fn configure(system: &System, files_per_part: usize, settings: &str) {
    let url = system.url("north");
    let source = format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n{settings}\n");
    system.configure(&format!("[limits]\nfiles_per_part = {files_per_part}\n{source}"));
}

fn write(system: &System, number: usize, rows: impl Iterator<Item = (usize, &'static str)>) {
    let mut feed = "sku,name\n".to_owned();
    rows.for_each(|(sku, name)| writeln!(feed, "s{sku},{name}").unwrap());
    system.write("north", &format!("{number:03}.csv"), feed);
}

/// The tables of a database that was made of the same folder at once.
fn at_once(system: &mut System, settings: &str) -> (Products, Aggr) {
    configure(system, 1_000, settings);
    system.with_another_database(|system| {
        system.once_ok();
        (system.products(), system.aggr())
    })
}

fn store(system: &System) -> Store {
    system.store()
}

/// The `applied` events since the one with this id, and the id of the last.
fn applied(system: &System, since: i64) -> (Vec<Value>, i64) {
    let events = store(system).events_after(since, 1_000).unwrap();
    let last = events.last().map_or(since, |event| event.id);
    let applied = events.into_iter().filter(|event| event.kind == "applied");
    (applied.map(|event| serde_json::from_str(&event.data).unwrap()).collect(), last)
}

#[test]
fn parts_give_the_tables_of_one_transaction() {
    let mut system = system(7, "max_removal = false");
    // Neighbours share a sku, so that files of different parts meet.
    (0..50).for_each(|file| write(&system, file, (2 * file..2 * file + 3).map(|sku| (sku, "Old"))));
    let summary = system.once_ok();
    assert!(summary.contains("50 files read"), "{summary}");
    let (events, last) = applied(&system, 0);
    let whole: Vec<bool> = events.iter().map(|event| event["version"].is_string()).collect();
    assert_eq!(whole, [&[false; 7][..], &[true]].concat());
    assert_eq!(events.iter().map(|event| event["added"].as_u64().unwrap()).sum::<u64>(), 101);

    // Texts change, skus move to other files, go and come; files go and come.
    (0..20).for_each(|file| write(&system, file, (2 * file..2 * file + 3).map(|sku| (sku, "New"))));
    (20..30).for_each(|file| write(&system, file, (2 * file + 1..2 * file + 4).map(|sku| (sku, "Moved"))));
    (30..35).for_each(|file| fs::remove_file(system.folder("north").join(format!("{file:03}.csv"))).unwrap());
    (50..70).for_each(|file| write(&system, file, (file + 50..file + 52).map(|sku| (sku, "Late"))));
    let summary = system.once_ok();
    assert!(summary.contains("50 files read, 5 removed"), "{summary}");
    let (events, _) = applied(&system, last);
    let (rest, parts) = events.split_last().unwrap();
    assert!(parts.len() > 5 && rest["version"].is_string(), "{events:?}");
    let only_adds = |event: &Value| event["version"].is_null() && event["removed"] == 0;
    assert!(parts.iter().all(only_adds), "only the rest takes skus away: {events:?}");
    assert!(rest["removed"].as_u64() > Some(0), "{events:?}");
    assert_eq!((system.products(), system.aggr()), at_once(&mut system, "max_removal = false"));
    assert_eq!(system.table("sources")[0]["state"], "up");
}

/// Were it applied part by part, no part would take away too much.
#[test]
fn what_takes_skus_away_is_held_as_a_whole() {
    let mut system = system(5, "");
    (0..30).for_each(|file| write(&system, file, (10 * file..10 * file + 10).map(|sku| (sku, "Old"))));
    system.once_ok();
    (0..20).for_each(|file| write(&system, file, (10 * file..10 * file + 2).map(|sku| (sku, "Lost"))));
    (20..25).for_each(|file| write(&system, file, (10 * file..10 * file + 10).map(|sku| (sku, "Changed"))));
    (30..40).for_each(|file| write(&system, file, (10 * file..10 * file + 10).map(|sku| (sku, "New"))));
    let held = |system: &System| {
        let output = system.once();
        assert_eq!(output.status.code(), Some(1));
        assert!(process::stdout(&output).contains("160 of 300 skus would go"), "{}", process::stdout(&output));
        let count = |name: &str| system.products().values().filter(|(found, _)| found == name).count();
        assert_eq!(["Old", "Lost", "Changed", "New"].map(count), [250, 0, 50, 100]);
        let source = &system.table("sources")[0];
        assert_eq!((&source["state"], &source["version"]), (&json!("held"), &Value::Null));
        store(system).held_version(1).unwrap().unwrap()
    };
    let first = held(&system);
    // Nothing is read of parts that were applied.
    let (_, last) = applied(&system, 0);
    assert_eq!(held(&system), first, "the hold goes on");
    assert_eq!(applied(&system, last).0, Vec::<Value>::new());
    let output = system.once_with(&["--accept", "north"]);
    assert!(output.status.success(), "{}", process::stdout(&output));
    assert_eq!((system.products(), system.aggr()), at_once(&mut system, ""));
}

#[test]
fn a_master_that_is_killed_between_parts_goes_on() {
    const FILES: usize = 400;
    let mut system = system(10, "");
    (0..FILES).for_each(|file| write(&system, file, (3 * file..3 * file + 4).map(|sku| (sku, "Name"))));
    system.settle("north");
    let (mut last, mut killed) = (0, 0);
    loop {
        let mut master =
            system.command("master", &["--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let parts = wait::until("some parts were applied, or all", || {
            let is_over = master.try_wait().unwrap().is_some();
            let found = applied_so_far(&system, last);
            found.filter(|parts| *parts > 2 || is_over).or(is_over.then_some(0))
        });
        master.kill().unwrap();
        master.wait().unwrap();
        let (events, newest) = applied(&system, last);
        assert!(events.len() >= parts, "what was seen is not lost");
        assert_rows_are_right(&system);
        last = newest;
        if events.iter().any(|event| event["version"].is_string()) || events.is_empty() {
            break;
        }
        killed += 1;
    }
    assert!(killed > 2, "killed {killed} times");
    let (events, _) = applied(&system, 0);
    let added: u64 = events.iter().map(|event| event["added"].as_u64().unwrap()).sum();
    assert_eq!(added, 3 * FILES as u64 + 1, "no part was applied twice");
    assert_eq!((system.products(), system.aggr()), at_once(&mut system, ""));
}

/// The number of parts since an event, if the database can be read already.
fn applied_so_far(system: &System, since: i64) -> Option<usize> {
    let mut store = Store::open_existing(&system.database_url()).ok()?;
    let events = store.events_after(since, 1_000).ok()?;
    Some(events.iter().filter(|event| event.kind == "applied").count())
}

/// The products must be exactly those of the files that are applied.
fn assert_rows_are_right(system: &System) {
    let files = system.table("files");
    let number = |file: &Value| file["path"].as_str().unwrap().trim_end_matches(".csv").parse::<usize>().unwrap();
    let skus = files.iter().map(number).flat_map(|file| 3 * file..3 * file + 4).map(|sku| format!("s{sku}"));
    let products: BTreeSet<String> = system.products().into_keys().collect();
    assert_eq!(products, skus.collect());
    assert_eq!(system.aggr().values().sum::<i64>() as usize, products.len());
}
